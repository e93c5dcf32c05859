"""A source's dates decide its split by time: what a dry run shows, what is saved, and what has no date."""

import csv
import re
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from embedded.grammar import generate_headline
from learning.study.split_sizes import SplitError
from operations.intake import ingest_and_save
from operations.preview import describe_study
from operations.splitting import settle_study_split
from operations.timeline import find_times
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.query import query
from tests.operations.labelled_sources import reword

DAYS = 100


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, and a source in the working folder: a headline a day, of which five have no date."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    write(rows())
    return tmp_path / "home"


def rows() -> list[tuple[str, str]]:
    """A hundred headlines with their labels."""
    random = Random(3)
    headlines = [generate_headline(random) for _ in range(DAYS)]
    return [(headline.text, headline.sentiment) for headline in headlines]


def write(rows: list[tuple[str, str]]) -> None:
    with Path("news.csv").open("w", newline="", encoding="utf-8") as file:
        days = [str(date(2025, 1, 1) + timedelta(days=number)) for number in range(len(rows))]
        dated = [(text, label, "" if number % 20 == 7 else days[number]) for number, (text, label) in enumerate(rows)]
        csv.writer(file).writerows([("text", "label", "date"), *dated])


def configure(*assignments: str) -> StudyConfig:
    defaults = ["data.source=news.csv", "data.duplicates=merge", "split.method=temporal"]
    return build_config(apply_overrides(load_profile("demo"), [*defaults, *assignments]))


def settle(config: StudyConfig) -> tuple[str, list[str]]:
    return settle_study_split(config, ingest_and_save(config.data, lambda _: None))


def test_a_dry_run_describes_the_split_of_the_study(home: Path) -> None:
    config = configure("split.validation_from=2025-03-01", "split.test_from=2025-03-15")
    shown = [text for subject, text in describe_study(config) if subject == "note" and text.startswith("by time")]
    split, notes = settle(config)
    assert notes == shown
    assert shown[0].startswith("by time, UTC: train 2025-01-01 to 2025-02-28 (56), validation 2025-03-01")
    assert "headlines in no part: 5 without a date" in shown[0]
    rows = query(
        home / "warehouse.duckdb",
        "SELECT part, strftime(min(published_at), '%m-%d') FROM splits JOIN headlines USING (headline_id)"
        f" WHERE split_id = '{split}' GROUP BY part ORDER BY part",
    ).rows
    assert rows == [("test", "03-15"), ("train", "01-01"), ("validation", "03-01")]


@pytest.mark.slow
def test_a_date_in_the_settings_is_in_the_zone_of_the_source(home: Path) -> None:
    [plain] = settle(configure("split.test_from=2025-03-15"))[1]
    aware = settle(configure("split.test_from=2025-03-15T00:00:00+00:00"))[1]
    assert aware == [plain]
    local = settle(configure("split.test_from=2025-03-15", "data.timezone=Asia/Tokyo"))[1]
    assert "test 2025-03-14 to" in local[0]
    both = ("split.validation_from=2025-03-01", "split.test_from=2025-03-15", "data.timezone=Asia/Tokyo")
    assert "validation 2025-02-28 to" in settle(configure(*both))[1][0]


def test_a_headline_is_of_the_earliest_day_that_a_row_of_it_has() -> None:
    write([*rows(), *rows()[:1]])
    config = configure("data.identity=text")
    found = find_times(config)
    assert f"{max(found.values()):%Y-%m-%d}" == "2025-04-10"  # of the hundredth row, and not of the copy after it
    ingest_and_save(config.data, lambda _: None)
    assert find_times(config) == found


@pytest.mark.parametrize("place", [60, 90], ids=["validation", "test"])
def test_near_copies_of_earlier_headlines_are_counted(place: int) -> None:
    def count_copies(inserted: list[tuple[str, str]]) -> int:
        write([*rows()[:place], *inserted, *rows()[place:]])
        dates = ("split.validation_from=2025-03-01", "split.test_from=2025-03-15", "data.near_duplicates=reworded")
        [note] = [text for _, text in describe_study(configure(*dates)) if "by time" in text]
        return sum(int(many) for many in re.findall(r"(\d+) near cop(?:y|ies) of", note))

    others = [(f"Nothing like it: {word}", "neutral") for word in ("zebra", "quartz", "violin")]
    copies = [(reword(text), label) for text, label in rows()[:3]]
    assert count_copies(copies) == count_copies(others) + 3


@pytest.mark.slow
def test_different_dates_that_give_the_same_parts_are_the_same_split() -> None:
    first, _ = settle(configure("split.validation_from=2025-03-01", "split.test_from=2025-03-15"))
    again, _ = settle(configure("split.validation_from=2025-02-28T12:00", "split.test_from=2025-03-14T12:00"))
    other, _ = settle(configure("split.validation_from=2025-03-02", "split.test_from=2025-03-15"))
    assert first == again != other


@pytest.mark.slow
def test_a_dry_run_describes_windows(home: Path) -> None:
    config = configure("split.windows=3", "split.test_share=0.4")
    lines = dict(describe_study(config))
    assert lines["windows"].startswith(
        "3: the parts above are those of the first; each is tested on headlines after those it learned from"
    )
    assert re.findall(r"; window (\d): test ", lines["note"]) == ["2", "3"]
    settle(config)
    first = "FROM splits JOIN split_folds ON fold_split_id = splits.split_id WHERE fold = 1 GROUP BY part ORDER BY part"
    counts = query(home / "warehouse.duckdb", f"SELECT part, count(*) {first}").rows
    assert sorted(re.findall(r"(train|validation|test) (\d+) \(", lines["data"])) == sorted(
        (part, str(count)) for part, count in counts
    )


@pytest.mark.slow
def test_a_dry_run_counts_test_headlines_that_the_base_model_may_have_read(home: Path) -> None:
    config = configure("split.test_from=2025-03-15", "base_model.trained_until=2025-03-20")
    [note] = [text for subject, text in describe_study(config) if "training cutoff" in text]
    read, of = map(int, re.findall(r"(\d+) of (\d+) test headlines", note)[0])
    split, _ = settle(config)
    tested = "SELECT published_at::DATE::VARCHAR FROM splits JOIN headlines USING (headline_id) WHERE part = 'test'"
    days = [day for (day,) in query(home / "warehouse.duckdb", f"{tested} AND split_id = '{split}'").rows]
    assert "2025-03-20" in days  # which counts
    assert (read, of) == (sum(day <= "2025-03-20" for day in days), len(days))
    assert note.endswith("are not later than the base model's training cutoff 2025-03-20; it may have read them")
    for later in ("base_model.trained_until=2025-03-14", "base_model.trained_until=null"):
        assert "cutoff" not in str(describe_study(configure("split.test_from=2025-03-15", later)))


def test_of_several_models_a_dry_run_names_each_that_may_have_read_them(tiny_folder: Path) -> None:
    grids = [
        {"base_model.name": ["embedded"], "base_model.trained_until": ["2026-01-01"], "epochs": [1]},
        {"base_model.name": [str(tiny_folder)], "base_model.trained_until": ["2024-12-31"]},
    ]
    values = apply_overrides(load_profile("demo"), ["data.source=news.csv", "split.method=temporal"])
    notes = [text for _, text in describe_study(build_config({**values, "grid": grids})) if "training cutoff" in text]
    assert len(notes) == 1
    assert notes[0].endswith(
        "test headlines are not later than the training cutoff 2026-01-01 of embedded; it may have read them"
    )


def test_without_dates_the_error_names_the_option() -> None:
    with pytest.raises(SplitError, match="no headline has a date"):
        describe_study(configure("data.published_at_column=''"))
