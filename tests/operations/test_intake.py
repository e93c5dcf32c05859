"""From a source to snapshots, through a real warehouse: what is read, what came before, and how it drifted."""

from pathlib import Path
from random import Random

import pytest

from embedded.grammar import generate_headline
from ingestion.files import SourceError
from ingestion.ingest import read_source
from ingestion.sources import find_source
from operations.intake import LARGE_BYTES, ingest_and_save
from schemas.source import DataSettings
from tests.asking import ask
from tests.operations.labelled_sources import reword, stock, write

pytestmark = pytest.mark.usefixtures("new_home")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", stock(0, 3))
    source = find_source(data)
    write(tmp_path / "a.csv", stock(0, 4))
    with pytest.raises(SourceError, match=r"source 'a\.csv' changed while it was read: try again once it is complete"):
        read_source(data, source)


def test_a_large_source_is_announced_before_it_is_read(tmp_path: Path) -> None:
    lines: list[str] = []
    data = write(tmp_path / "a.csv", stock(0, 3))
    with Path(data.source).open("a", encoding="utf-8") as file:
        file.write((" " * 9_999 + "\n") * (LARGE_BYTES // 10_000))
    ingest_and_save(data, lines.append)
    assert lines[0] == "a.csv: reading 20.0 MB"
    assert lines[1].startswith("a.csv: 3 rows read, 3 headlines accepted")


def rows_by_source(home: Path) -> dict[str, int]:
    return dict(ask(home, "SELECT source, sum(rows_accepted) FROM source_labels GROUP BY 1"))


def test_each_source_has_its_own_number_of_copies_of_one_snapshot(new_home: Path, tmp_path: Path) -> None:
    once, twice = stock(0, 3), [*stock(0, 3), stock(0, 1)[0]]
    first = ingest_and_save(write(tmp_path / "a.csv", once), print)
    second = ingest_and_save(write(tmp_path / "b.csv", twice), print)
    assert first.snapshot_id == second.snapshot_id
    assert rows_by_source(new_home) == {"a.csv": 3, "b.csv": 4}


@pytest.mark.parametrize("files", [("Sentences_50Agree.txt", "."), (".", "Sentences_50Agree.txt")])
def test_a_snapshot_keeps_the_highest_agreement_that_any_source_gives(
    new_home: Path, tmp_path: Path, files: tuple[str, str]
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    lines = [f"{text}@{label}\n" for text, label in stock(0, 4)]
    (folder / "Sentences_50Agree.txt").write_text("".join(lines))
    (folder / "Sentences_AllAgree.txt").write_text(lines[2])
    snapshots = {ingest_and_save(DataSettings(source=str(folder / file)), print).snapshot_id for file in files}
    assert len(snapshots) == 1
    levels = "SELECT agreement, count(*) FROM snapshot_headlines GROUP BY 1 ORDER BY 1"
    assert ask(new_home, levels) == [(50, 3), (100, 1)]


def test_the_files_with_the_agreement_are_part_of_the_source(new_home: Path, tmp_path: Path) -> None:
    lines = [f"{text}@{label}\n" for text, label in stock(0, 4)]
    (tmp_path / "Sentences_50Agree.txt").write_text("".join(lines))
    (tmp_path / "Sentences_AllAgree.txt").write_text(lines[2])
    data = DataSettings(source=str(tmp_path))
    assert ingest_and_save(data, print).is_new
    assert not ingest_and_save(data, print).is_new
    (tmp_path / "Sentences_AllAgree.txt").write_text(lines[1] + lines[2])
    assert ingest_and_save(data, print).is_new
    source = find_source(data)
    (tmp_path / "Sentences_AllAgree.txt").unlink()
    with pytest.raises(SourceError, match=r"does not exist"):
        read_source(data, source)


def test_the_previous_snapshot_is_the_last_one_at_the_same_path(new_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    a = ingest_and_save(write(path, stock(0, 3)), print).snapshot_id
    ingest_and_save(write(path, stock(0, 6)), print)
    assert not ingest_and_save(write(path, stock(0, 3)), print).is_new
    c = ingest_and_save(write(path, stock(0, 9)), print).snapshot_id
    previous = f"SELECT previous_snapshot_id FROM snapshots WHERE snapshot_id = '{c}'"
    assert ask(new_home, previous) == [(a,)]


def drifts(home: Path, snapshot_id: str) -> list[tuple[object, ...]]:
    """Drift and reason of each index of a snapshot."""
    sql = f"SELECT drift, reason FROM snapshot_drift WHERE snapshot_id = '{snapshot_id}' AND measure LIKE 'PSI%'"
    return ask(home, sql)


def previous_of(home: Path, snapshot_id: str) -> str | None:
    sql = f"SELECT previous_snapshot_id FROM snapshots WHERE snapshot_id = '{snapshot_id}'"
    [(previous,)] = ask(home, sql)
    return previous


def draw_headlines(first: int, last: int) -> list[tuple[str, str]]:
    """Labelled headlines of one distribution."""
    generated = (generate_headline(Random(number)) for number in range(first, last))
    return [(f"{headline.text} {number}", headline.sentiment) for number, headline in enumerate(generated)]


@pytest.mark.parametrize("copied", [False, True], ids=["the same place", "a copy elsewhere"])
def test_headlines_have_the_times_of_the_reading_with_the_latest_settings_of_dates(
    new_home: Path, tmp_path: Path, *, copied: bool
) -> None:
    def ingest(name: str, zone: str) -> None:
        ingest_and_save(DataSettings(source=str(tmp_path / name), timezone=zone), print)
        utc = {"UTC": ["09:30:00", "12:00:00"], "America/New_York": ["14:30:00", "17:00:00"]}[zone]
        assert ask(new_home, "SELECT published_at::time::varchar FROM headlines ORDER BY published_at") == [
            (time,) for time in utc
        ]

    other = "b.csv" if copied else "a.csv"
    for name in {"a.csv", other}:
        lines = ["date,text,label", "2025-01-07 09:30,Profit rose,positive", "2025-01-07 12:00,Sales fell,negative"]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    ingest("a.csv", "UTC")
    ingest(other, "America/New_York")
    ingest(other, "America/New_York")
    ingest(other, "UTC")


def test_a_source_with_more_rows_and_another_zone_corrects_the_times_of_those_before(
    new_home: Path, tmp_path: Path
) -> None:
    lines = ["date,text,label", "2025-01-07 09:30,Profit rose,positive", "2025-01-07 12:00,Sales fell,negative"]
    for zone in ("UTC", "America/New_York"):
        (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
        ingest_and_save(DataSettings(source=str(tmp_path / "a.csv"), timezone=zone), print)
        lines.append("2025-01-08 10:00,Plant opens,neutral")
    times = ask(new_home, "SELECT published_at::time::varchar FROM headlines ORDER BY published_at")
    assert times == [("14:30:00",), ("17:00:00",), ("15:00:00",)]


def test_a_source_that_shares_a_phrase_with_another_has_no_previous_snapshot(new_home: Path, tmp_path: Path) -> None:
    shared = ("The annual general meeting is in May", "neutral")
    ingest_and_save(write(tmp_path / "a.csv", [*draw_headlines(0, 300), shared]), print)
    positive = [(f"{text} b", "positive") for text, _ in stock(0, 60)]
    snapshot = ingest_and_save(write(tmp_path / "b.csv", [*positive, shared]), print).snapshot_id
    assert previous_of(new_home, snapshot) is None
    assert drifts(new_home, snapshot) == []


def test_a_source_under_another_name_has_its_earlier_snapshot_as_the_previous_one(
    new_home: Path, tmp_path: Path
) -> None:
    rows = draw_headlines(0, 400)
    first = ingest_and_save(write(tmp_path / "january.csv", rows[:300]), print).snapshot_id
    second = ingest_and_save(write(tmp_path / "february.csv", rows[100:]), print).snapshot_id
    assert previous_of(new_home, second) == first
    assert drifts(new_home, second) == [("none", None), ("none", None)]


def test_another_label_column_has_no_drift_and_the_next_reading_of_the_first_is_compared(
    new_home: Path, tmp_path: Path
) -> None:
    def ingest(last: int, column: str) -> str:
        lines = [f'"{text}",{label},positive\n' for text, label in draw_headlines(0, last)]
        (tmp_path / "a.csv").write_text("text,label,mood\n" + "".join(lines))
        return ingest_and_save(DataSettings(source=str(tmp_path / "a.csv"), label_column=column), print).snapshot_id

    first, second, third = ingest(300, "label"), ingest(310, "mood"), ingest(320, "label")
    assert previous_of(new_home, second) == first
    assert drifts(new_home, second) == [(None, "it was read with another label_column")] * 2
    assert previous_of(new_home, third) == first
    assert drifts(new_home, third) == [("none", None)] * 2


def test_a_change_beyond_noise_is_a_drift(new_home: Path, tmp_path: Path) -> None:
    ingest_and_save(write(tmp_path / "a.csv", draw_headlines(0, 300)), print)
    later = [(text, "positive" if label == "neutral" else label) for text, label in draw_headlines(300, 600)]
    found = drifts(new_home, ingest_and_save(write(tmp_path / "a.csv", later), print).snapshot_id)
    assert ("major", None) in found


@pytest.mark.soak
def test_samples_of_one_distribution_do_not_drift_by_noise(new_home: Path, tmp_path: Path) -> None:
    found = []
    for number in range(10):
        count = (20, 40, 80, 160, 320)[number % 5]
        path = tmp_path / f"{number}.csv"
        ingest_and_save(write(path, draw_headlines(number * 1_000, number * 1_000 + count)), print)
        later = draw_headlines(number * 1_000 + 500, number * 1_000 + 500 + count)
        found += drifts(new_home, ingest_and_save(write(path, later), print).snapshot_id)
    assert len(found) == 20
    assert sum(drift in {"moderate", "major"} for drift, _ in found) <= 2
    assert all(drift is None for drift, _ in found[:2])
    assert all(drift is not None for drift, _ in found[8:10])


@pytest.mark.parametrize(("near", "groups"), [("reworded", 3), ("numbers", 4)])
def test_reworded_copies_of_a_source_share_a_group(new_home: Path, tmp_path: Path, near: str, groups: int) -> None:
    rows = [*stock(0, 3), (reword(stock(0, 1)[0][0]), "negative")]
    data = write(tmp_path / "a.csv", rows).model_copy(update={"near_duplicates": near})
    ingest_and_save(data, print)
    counted = "SELECT count(*), count(DISTINCT group_id) FROM snapshot_headlines"
    assert ask(new_home, counted) == [(4, groups)]


def test_each_path_has_its_own_history(new_home: Path, tmp_path: Path) -> None:
    ingest_and_save(write(tmp_path / "p.csv", stock(0, 3)), print)
    ingest_and_save(write(tmp_path / "p.csv", stock(0, 6)), print)
    ingest_and_save(write(tmp_path / "q.csv", stock(3, 9)), print)
    known = ingest_and_save(write(tmp_path / "q.csv", stock(0, 3)), print)
    assert not known.is_new
    of_p, of_q = (
        ingest_and_save(write(tmp_path / name, stock(0, n)), print) for name, n in (("p.csv", 12), ("q.csv", 15))
    )
    rows = ask(new_home, "SELECT snapshot_id, previous_snapshot_id FROM snapshots")
    assert dict(rows)[of_q.snapshot_id] == known.snapshot_id
    assert dict(rows)[of_p.snapshot_id] not in {known.snapshot_id, None}
