"""From a source to parts, through a real warehouse: the paper's split, a corrected label, copies that come and go."""

import csv
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from embedded.grammar import generate_headline
from ingestion.files import SourceError
from ingestion.ingest import read_source
from ingestion.sources import find_source
from learning.study.split import count_leaks
from operations.intake import LARGE_BYTES, find_headlines, ingest_and_save
from operations.splitting import draw_parts, settle_split
from schemas.label import LABELS
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings
from schemas.split import SplitSettings
from storage.splits import load_leaks
from storage.warehouse import writing
from tests.asking import ask

SPLIT = SplitSettings(method="hashed", train_per_class=2, test_per_class=2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    (tmp_path / "home").mkdir()
    shutil.copy(prepared, tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def texts_of(home: Path, split_id: str) -> dict[str, Counter[tuple[str, str]]]:
    """Text and label of each headline, by part."""
    sql = f"SELECT part, text, label FROM splits JOIN headlines USING (headline_id) WHERE split_id = '{split_id}'"
    rows = ask(home, sql)
    parts: dict[str, Counter[tuple[str, str]]] = {}
    for part, text, label in rows:
        parts.setdefault(part, Counter())[text, label] += 1
    return parts


def test_the_papers_split_of_the_kaggle_copy_is_the_notebooks_headline_for_headline(
    home: Path, fpb_folder: Path
) -> None:
    source = fpb_folder / "all-data.csv"
    values = load_profile("paper")
    config = build_config({**values, "data": {**values["data"], "source": str(source)}})
    ingested = ingest_and_save(config.data, lambda _: None)
    found = texts_of(home, settle_split(ingested, config.split, config.data.near_duplicates))

    frame = pd.read_csv(source, names=["label", "text"], encoding="cp1252", lineterminator="\r")
    assert len(frame) == 4846
    expected: dict[str, Counter[tuple[str, str]]] = {"train": Counter(), "test": Counter()}
    for label in LABELS:
        own = frame[frame["label"] == label]
        for part, rows in zip(
            ("train", "test"), train_test_split(own, train_size=300, test_size=300, random_state=42), strict=True
        ):
            expected[part].update(zip(rows["text"].str.strip(), rows["label"], strict=True))
    assert {part: found[part].total() for part in found} == {"train": 900, "test": 900, "validation": 3046}
    assert {part: found[part] for part in expected} == expected


def write(path: Path, rows: list[tuple[str, str]]) -> DataSettings:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return DataSettings(source=str(path))


def stock(first: int, last: int) -> list[tuple[str, str]]:
    """Headlines that share no word, with each label in turn."""
    starts = ["abcdefghij"[number % 10] * 3 + "klmnopqrst"[number // 10] for number in range(last)]
    return [(" ".join(f"{starts[n]}{end}" for end in "uvwxyz"), LABELS[n % 3]) for n in range(first, last)]


def reword(text: str) -> str:
    return " ".join(reversed(text.upper().split()))


def test_near_copies_that_come_without_their_original_stay_on_its_side(home: Path, tmp_path: Path) -> None:
    rows = stock(0, 30)
    first = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "a.csv", rows), print), SPLIT, "reworded"))
    later = [*((reword(text), label) for text, label in rows), *stock(30, 60)]
    second = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "b.csv", later), print), SPLIT, "reworded"))
    judged = {reword(text) for text, _ in first["test"]}
    learned = {reword(text) for part in ("train", "validation") for text, _ in first[part]}
    assert len(judged) == 6
    assert not judged & {text for part in ("train", "validation") for text, _ in second[part]}
    assert not learned & {text for text, _ in second["test"]}
    assert learned & {text for text, _ in second["train"]} or learned & {text for text, _ in second["validation"]}


def decorate(text: str, number: int) -> str:
    """The text as somebody else posted it."""
    return [f"RT @desk: {text}", f"{text} https://t.co/{number}", f"{text} #news", f"{text} @desk"][number % 4]


@pytest.mark.parametrize("near", ["numbers", "reworded"])
def test_posts_of_one_headline_never_stand_on_both_sides_of_a_split(home: Path, tmp_path: Path, near: str) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(rows)]
    data = write(tmp_path / "a.csv", [*rows, *posts]).model_copy(update={"near_duplicates": near})
    parts = texts_of(home, settle_split(ingest_and_save(data, print), SPLIT, near))
    part_of = {text: part for part, texts in parts.items() for text, _ in texts}
    pairs = {(part_of.get(text), part_of.get(post)) for (text, _), (post, _) in zip(rows, posts, strict=True)}
    assert {one for one, other in pairs if one and other and one != other} == set()
    warehouse = home / "warehouse.duckdb"
    assert ask(warehouse, "SELECT * FROM split_leaks") == []
    assert ask(warehouse, "SELECT DISTINCT kind FROM near_copies") == [("links",)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_leaks_are_counted_alike_before_and_after_a_split_is_saved(home: Path, tmp_path: Path, seed: int) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(rows)]
    data = write(tmp_path / "a.csv", [*rows, *posts])
    split = SplitSettings(method="study", train_per_class=10, test_per_class=6, seed=seed)
    ingested, headlines = ingest_and_save(data, print), find_headlines(data)
    group_of = dict(zip(headlines["headline_id"], headlines["group_id"], strict=True))
    before = count_leaks(group_of, draw_parts(headlines, split, "reworded"))
    assert 0 < before < 18
    assert load_leaks(home / "warehouse.duckdb", settle_split(ingested, split, "reworded")) == before


def forget_masks(home: Path) -> None:
    """Put a warehouse back to what the migration leaves of an older one."""
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE headlines SET masked_id = NULL WHERE regexp_matches(text, 'RT|[@#/]')")


def test_headlines_of_an_older_warehouse_are_near_copies_of_new_ones(home: Path, tmp_path: Path) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, 2 * number), label) for number, (text, label) in enumerate(rows)]
    first = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "a.csv", posts), print), SPLIT, "numbers"))
    forget_masks(home)
    later = [*rows, *stock(30, 60)]
    second = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "b.csv", later), print), SPLIT, "numbers"))
    post_of = {text: post for (text, _), (post, _) in zip(rows, posts, strict=True)}
    judged = {post for post, _ in first["test"]}
    assert judged
    assert not [text for part in ("train", "validation") for text, _ in second[part] if post_of.get(text) in judged]
    together = (
        "SELECT count(*) FROM (SELECT masked_id FROM headlines GROUP BY masked_id HAVING count(*) = 2)"
        " WHERE masked_id IS NOT NULL"
    )
    assert ask(home, together) == [(30,)]


@pytest.mark.parametrize("name", ["a.csv", "b.csv"])
def test_an_ingestion_completes_what_an_upgrade_forgot(home: Path, tmp_path: Path, name: str) -> None:
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(stock(0, 6))]
    before = "SELECT text, text_id, masked_id FROM headlines ORDER BY text"
    ingest_and_save(write(tmp_path / "a.csv", posts), print)
    told = ask(home, before)
    forget_masks(home)
    assert ask(home, before) != told
    ingest_and_save(write(tmp_path / name, posts), print)
    assert ask(home, before) == told


def test_a_corrected_label_stays_in_test(home: Path, tmp_path: Path) -> None:
    rows = stock(0, 24)
    first = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "a.csv", rows), print), SPLIT, "reworded"))
    corrected = next(text for text, label in first["test"] if label == "positive")
    later = [(text, "neutral" if text == corrected else label) for text, label in rows]
    smaller = SPLIT.model_copy(update={"test_per_class": 1})
    second = texts_of(home, settle_split(ingest_and_save(write(tmp_path / "a.csv", later), print), smaller, "reworded"))
    assert second["test"][corrected, "neutral"] == 1
    assert set(first["test"]) - {(corrected, "positive")} <= set(second["test"])


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", stock(0, 3))
    source = find_source(data)
    write(tmp_path / "a.csv", stock(0, 4))
    with pytest.raises(SourceError, match=r"source 'a\.csv' changed while it was read: try again once it is complete"):
        read_source(data, source)


def test_a_large_source_is_told_before_it_is_read(tmp_path: Path) -> None:
    told: list[str] = []
    data = write(tmp_path / "a.csv", stock(0, 3))
    with Path(data.source).open("a", encoding="utf-8") as file:
        file.write((" " * 9_999 + "\n") * (LARGE_BYTES // 10_000))
    ingest_and_save(data, told.append)
    assert told[0] == "a.csv: reading 20 MB"
    assert told[1].startswith("a.csv: 3 rows read, 3 headlines accepted")


def rows_by_source(home: Path) -> dict[str, int]:
    return dict(ask(home, "SELECT source, sum(rows_accepted) FROM source_labels GROUP BY 1"))


def test_each_source_has_its_own_number_of_copies_of_one_snapshot(home: Path, tmp_path: Path) -> None:
    once, twice = stock(0, 3), [*stock(0, 3), stock(0, 1)[0]]
    first = ingest_and_save(write(tmp_path / "a.csv", once), print)
    second = ingest_and_save(write(tmp_path / "b.csv", twice), print)
    assert first.snapshot_id == second.snapshot_id
    assert rows_by_source(home) == {"a.csv": 3, "b.csv": 4}


@pytest.mark.parametrize("files", [("Sentences_50Agree.txt", "."), (".", "Sentences_50Agree.txt")])
def test_a_snapshot_keeps_the_highest_agreement_that_any_source_tells(
    home: Path, tmp_path: Path, files: tuple[str, str]
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    lines = [f"{text}@{label}\n" for text, label in stock(0, 4)]
    (folder / "Sentences_50Agree.txt").write_text("".join(lines))
    (folder / "Sentences_AllAgree.txt").write_text(lines[2])
    snapshots = {ingest_and_save(DataSettings(source=str(folder / file)), print).snapshot_id for file in files}
    assert len(snapshots) == 1
    levels = "SELECT agreement, count(*) FROM snapshot_headlines GROUP BY 1 ORDER BY 1"
    assert ask(home, levels) == [(50, 3), (100, 1)]


def test_the_files_that_tell_the_agreement_are_part_of_the_source(home: Path, tmp_path: Path) -> None:
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


def test_a_snapshot_follows_what_its_place_held_last(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    a = ingest_and_save(write(path, stock(0, 3)), print).snapshot_id
    ingest_and_save(write(path, stock(0, 6)), print)
    assert not ingest_and_save(write(path, stock(0, 3)), print).is_new
    c = ingest_and_save(write(path, stock(0, 9)), print).snapshot_id
    previous = f"SELECT previous_snapshot_id FROM snapshots WHERE snapshot_id = '{c}'"
    assert ask(home, previous) == [(a,)]


def drifts(home: Path, snapshot_id: str) -> list[tuple[object, ...]]:
    """Drift and reason of each index of a snapshot."""
    sql = f"SELECT drift, reason FROM snapshot_drift WHERE snapshot_id = '{snapshot_id}' AND measure LIKE 'PSI%'"
    return ask(home, sql)


def previous_of(home: Path, snapshot_id: str) -> str | None:
    sql = f"SELECT previous_snapshot_id FROM snapshots WHERE snapshot_id = '{snapshot_id}'"
    [(previous,)] = ask(home, sql)
    return previous


def desk(first: int, last: int) -> list[tuple[str, str]]:
    """Labelled headlines of one distribution."""
    generated = (generate_headline(Random(number)) for number in range(first, last))
    return [(f"{headline.text} {number}", headline.sentiment) for number, headline in enumerate(generated)]


def test_a_source_that_shares_a_phrase_with_another_has_no_snapshot_before_it(home: Path, tmp_path: Path) -> None:
    shared = ("The annual general meeting is in May", "neutral")
    ingest_and_save(write(tmp_path / "a.csv", [*desk(0, 300), shared]), print)
    positive = [(f"{text} b", "positive") for text, _ in stock(0, 60)]
    snapshot = ingest_and_save(write(tmp_path / "b.csv", [*positive, shared]), print).snapshot_id
    assert previous_of(home, snapshot) is None
    assert drifts(home, snapshot) == []


def test_a_source_under_another_name_follows_on_what_it_held(home: Path, tmp_path: Path) -> None:
    rows = desk(0, 400)
    first = ingest_and_save(write(tmp_path / "january.csv", rows[:300]), print).snapshot_id
    second = ingest_and_save(write(tmp_path / "february.csv", rows[100:]), print).snapshot_id
    assert previous_of(home, second) == first
    assert drifts(home, second) == [("none", None), ("none", None)]


def test_of_another_label_column_no_drift_is_told_and_the_next_reading_alike_is_compared(
    home: Path, tmp_path: Path
) -> None:
    def ingest(last: int, column: str) -> str:
        lines = [f'"{text}",{label},positive\n' for text, label in desk(0, last)]
        (tmp_path / "a.csv").write_text("text,label,mood\n" + "".join(lines))
        return ingest_and_save(DataSettings(source=str(tmp_path / "a.csv"), label_column=column), print).snapshot_id

    first, second, third = ingest(300, "label"), ingest(310, "mood"), ingest(320, "label")
    assert previous_of(home, second) == first
    assert drifts(home, second) == [(None, "it was read with another label_column")] * 2
    assert previous_of(home, third) == first
    assert drifts(home, third) == [("none", None)] * 2


def test_what_changed_beyond_noise_is_told(home: Path, tmp_path: Path) -> None:
    ingest_and_save(write(tmp_path / "a.csv", desk(0, 300)), print)
    later = [(text, "positive" if label == "neutral" else label) for text, label in desk(300, 600)]
    told = drifts(home, ingest_and_save(write(tmp_path / "a.csv", later), print).snapshot_id)
    assert ("major", None) in told


@pytest.mark.slow
def test_samples_of_one_distribution_do_not_drift_by_noise(home: Path, tmp_path: Path) -> None:
    told = []
    for number in range(10):
        count = (20, 40, 80, 160, 320)[number % 5]
        path = tmp_path / f"{number}.csv"
        ingest_and_save(write(path, desk(number * 1_000, number * 1_000 + count)), print)
        later = desk(number * 1_000 + 500, number * 1_000 + 500 + count)
        told += drifts(home, ingest_and_save(write(path, later), print).snapshot_id)
    assert len(told) == 20
    assert sum(drift in {"moderate", "major"} for drift, _ in told) <= 2
    assert all(drift is None for drift, _ in told[:2])
    assert all(drift is not None for drift, _ in told[8:10])


@pytest.mark.parametrize(("near", "groups"), [("reworded", 3), ("numbers", 4)])
def test_reworded_copies_of_a_source_share_a_group(home: Path, tmp_path: Path, near: str, groups: int) -> None:
    rows = [*stock(0, 3), (reword(stock(0, 1)[0][0]), "negative")]
    data = write(tmp_path / "a.csv", rows).model_copy(update={"near_duplicates": near})
    ingest_and_save(data, print)
    counted = "SELECT count(*), count(DISTINCT group_id) FROM snapshot_headlines"
    assert ask(home, counted) == [(4, groups)]


def test_each_place_has_a_history_of_its_own(home: Path, tmp_path: Path) -> None:
    ingest_and_save(write(tmp_path / "p.csv", stock(0, 3)), print)
    ingest_and_save(write(tmp_path / "p.csv", stock(0, 6)), print)
    ingest_and_save(write(tmp_path / "q.csv", stock(3, 9)), print)
    known = ingest_and_save(write(tmp_path / "q.csv", stock(0, 3)), print)
    assert not known.is_new
    of_p, of_q = (
        ingest_and_save(write(tmp_path / name, stock(0, n)), print) for name, n in (("p.csv", 12), ("q.csv", 15))
    )
    rows = ask(home, "SELECT snapshot_id, previous_snapshot_id FROM snapshots")
    assert dict(rows)[of_q.snapshot_id] == known.snapshot_id
    assert dict(rows)[of_p.snapshot_id] not in {known.snapshot_id, None}


def test_rows_in_another_order_are_drawn_alike_by_the_studys_method(tmp_path: Path, monkeypatch) -> None:
    rows = [f"Headline {number} of {word},{label}" for number, word in enumerate("abcdefgh") for label in LABELS]
    split = SplitSettings(method="study", train_per_class=3, test_per_class=3)
    drawn = []
    for name, order in (("one", rows), ("other", rows[::-1])):
        monkeypatch.setenv("FINTONE_HOME", str(tmp_path / name))
        source = tmp_path / f"{name}.csv"
        source.write_text("\n".join(["text,label", *order]))
        data = DataSettings(source=str(source), conflicts="keep", near_duplicates="numbers")
        drawn.append(texts_of(tmp_path / name, settle_split(ingest_and_save(data, lambda _: None), split, "numbers")))
    assert drawn[0] == drawn[1]
