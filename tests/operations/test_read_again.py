"""A source that an earlier version read without its dates is read again on request; studies stay as they are."""

import csv
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.identity import earlier_ingest_ids
from ingestion.publication import AmbiguousDatesError
from ingestion.sources import find_source
from operations.intake import find_headlines, ingest_and_save
from operations.known_sources import UndatedSourceError
from operations.splitting import settle_study_split
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings
from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask
from tests.old_home.restore import FOLDER, STUDY, restore

SNAPSHOT = "d52fc1494b78c6c6"
STUDIES = ("studies", "study_cells", "cells", "splits", "split_settings", "evaluations", "champions", "training_log",
           "ledger.predictions", "ledger.comparisons", "snapshots", "snapshot_headlines", "rejected_rows", "quarantine",
           "published_results")  # fmt: skip
WITH_OLD_ID = ("sources", "source_visits", "rejected_rows", "quarantine", "snapshots")
TIMES = "SELECT count(*), count(published_at), count(instrument) FROM splits JOIN headlines USING (headline_id)"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that an earlier version left, migrated."""
    root = restore(tmp_path_factory.mktemp("old") / "home", tmp_path_factory.mktemp("restored")).root
    prepare_warehouse(root / "warehouse.duckdb")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: Path) -> Path:
    """A copy of the migrated home; its source has a column of dates and one of tickers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    root = Path(shutil.copytree(migrated, tmp_path / "home"))
    write_dated(describe_day)
    return root


def write_dated(dates: Callable[[int], str]) -> DataSettings:
    """Write the source of the old home with a date and a ticker for each row, as the earlier version had it."""
    with (FOLDER / "headlines.csv").open(encoding="utf-8") as known:
        rows = list(csv.reader(known))[1:]
    with Path("news.csv").open("w", newline="", encoding="utf-8") as file:
        dated = [(label, text, dates(number), "NWD") for number, (label, text) in enumerate(rows)]
        csv.writer(file).writerows([("label", "text", "date", "ticker"), *dated])
    data = DataSettings(source="news.csv")
    source = find_source(data)
    with writing(Path("home/warehouse.duckdb")) as connection:
        [(before,)] = connection.execute("SELECT ingest_id FROM sources").fetchall()
        earlier_id = earlier_ingest_ids(source.sha256, data)[1]
        for table in WITH_OLD_ID:
            connection.execute(f"UPDATE {table} SET ingest_id = ? WHERE ingest_id = ?", [earlier_id, before])
        connection.execute("UPDATE sources SET sha256 = ?, source = ?", [source.sha256, source.name])
    return data


def describe_day(number: int) -> str:
    """The date of a row of the source: a day after the one before."""
    return str(date(2025, 1, 2) + timedelta(days=number))


def dump(home: Path, *tables: str) -> dict[str, list[Any]]:
    """Every row of these tables, or of all tables if none is named."""
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as connection:
        every = "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
        named = tables or [name for (name,) in connection.execute(every).fetchall()]
        return {name: connection.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in named}


def temporal(*assignments: str) -> StudyConfig:
    defaults = ["data.source=news.csv", "data.duplicates=merge", "split.method=temporal", "split.test_from=2025-02-10"]
    return build_config(
        apply_overrides(load_profile("demo"), [*defaults, "split.validation_from=2025-02-01", *assignments])
    )


def read_again(data: DataSettings) -> tuple[str, list[str], bool]:
    lines: list[str] = []
    ingested = ingest_and_save(data, lines.append, again=True)
    return ingested.snapshot_id, lines, ingested.is_new


def test_a_source_that_an_earlier_version_read_is_known_and_what_it_left_out_is_named(home: Path) -> None:
    lines: list[str] = []
    before = dump(home, *STUDIES, "sources", "headlines")
    ingested = ingest_and_save(DataSettings(source="news.csv"), lines.append)
    assert (ingested.snapshot_id, ingested.is_new) == (SNAPSHOT, False)
    left_out = "an earlier version read it and left out dates, instruments and other columns"
    assert lines == [
        f"news.csv: nothing new, its 52 rows are snapshot {SNAPSHOT}",
        f"news.csv: {left_out}; `fintone ingest news.csv --again` reads them",
    ]
    assert set(find_headlines(DataSettings(source="news.csv"))["instrument"].isna()) == {True}
    assert dump(home, *STUDIES, "sources", "headlines") == before


def test_a_source_that_is_read_again_has_its_dates_and_studies_stay_as_they_are(home: Path) -> None:
    before = dump(home, *STUDIES)
    snapshot, lines, is_new = read_again(DataSettings(source="news.csv"))
    assert is_new
    assert snapshot != SNAPSHOT
    assert lines[-1] == (
        f"news.csv: read again, its headlines are snapshot {snapshot}; studies of snapshot {SNAPSHOT} stay as they are "
        "(days and instruments now distinguish headlines; with --set data.identity=text they do not)"
    )
    after = dump(home, *STUDIES)
    assert {name: [row for row in after[name] if row in before[name]] for name in STUDIES} == before
    added = {name for name in STUDIES if after[name] != before[name]}
    assert added == {"snapshots", "snapshot_headlines", "rejected_rows"}
    assert ask(home, TIMES) == [(48, 48, 48)]
    assert ask(home, f"SELECT sum(n) FROM accuracy_over_time WHERE study_id = '{STUDY}' AND period = 'week'")[0][0] > 0
    rows = ask(home, "SELECT count(*), count(published_at), max(row_number) FROM accepted_rows GROUP BY ingest_id")
    assert set(rows) == {(49, 49, 49), (51, 51, 51)}  # the last two contradict each other no more
    assert ingest_and_save(DataSettings(source="news.csv"), lines.append).snapshot_id == snapshot
    assert lines[-1] == f"news.csv: nothing new, its 52 rows are snapshot {snapshot}"


def test_each_headline_of_the_earlier_snapshot_has_the_day_of_its_first_row(home: Path) -> None:
    read_again(DataSettings(source="news.csv"))
    with Path("news.csv").open(encoding="utf-8") as file:
        days = {text.strip(): day for _, text, day, _ in reversed([*csv.reader(file)])}
    found = ask(home, "SELECT text, strftime(published_at, '%Y-%m-%d') FROM splits JOIN headlines USING (headline_id)")
    assert [(text, days[text.strip()]) for text, _ in found] == found


def test_a_source_that_is_read_again_with_the_earlier_identity_is_the_same_snapshot(home: Path) -> None:
    before = dump(home, *STUDIES)
    snapshot, lines, _ = read_again(DataSettings(source="news.csv", identity=("text",)))
    assert snapshot == SNAPSHOT
    assert lines[-1] == f"news.csv: read again, its headlines are snapshot {SNAPSHOT} as before"
    after = dump(home, *STUDIES)
    assert {name for name in STUDIES if after[name] != before[name]} == {"rejected_rows", "quarantine"}
    assert ask(home, TIMES) == [(48, 48, 48)]


@pytest.mark.parametrize("identity", [("text",), ("text", "instrument", "day")])
def test_reading_again_a_second_time_changes_nothing(home: Path, identity: Any) -> None:
    data = DataSettings(source="news.csv", identity=identity)
    snapshot, _, _ = read_again(data)
    before = dump(home)
    again, lines, is_new = read_again(data)
    assert (again, is_new) == (snapshot, False)
    assert lines[-1] == f"news.csv: read again, its headlines are snapshot {snapshot} as before"
    assert dump(home) == before


def test_a_split_by_time_needs_the_dates_and_works_once_they_are_read(home: Path) -> None:
    config = temporal()
    ingested = ingest_and_save(config.data, lambda _: None)
    with pytest.raises(UndatedSourceError, match=r"source 'news.csv': an .* `fintone ingest news.csv --again` reads"):
        settle_study_split(config, ingested)
    ingest_and_save(config.data, lambda _: None, again=True)
    split, [note, *_] = settle_study_split(config, ingest_and_save(config.data, lambda _: None))
    assert note.startswith("by time, UTC: train 2025-01-02 to 2025-01-31")
    parts = "SELECT part, strftime(min(published_at), '%m-%d') FROM splits JOIN headlines USING (headline_id)"
    starts = dict(ask(home, f"{parts} WHERE split_id = '{split}' GROUP BY part"))
    assert starts["train"] == "01-02"
    assert "02-01" <= starts["validation"] < "02-10" <= starts["test"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, duckdb.OutOfMemoryException])
def test_if_reading_again_ends_early_the_home_is_unchanged(
    home: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    before = dump(home)

    def end(*_: object) -> None:
        raise failure

    monkeypatch.setattr("storage.headlines.fill_earlier", end)
    with pytest.raises(failure):
        ingest_and_save(DataSettings(source="news.csv"), lambda _: None, again=True)
    assert dump(home) == before


@pytest.mark.slow
def test_an_unclear_order_of_dates_is_refused_and_another_order_replaces_the_first(home: Path) -> None:
    data = write_dated(lambda number: f"{1 + number % 12:02}/03/2025").model_copy(update={"identity": ("text",)})
    before = dump(home)
    with pytest.raises(AmbiguousDatesError, match="--date-order dmy"):
        ingest_and_save(data, lambda _: None, again=True)
    assert dump(home) == before
    months = "SELECT count(DISTINCT month(published_at)) FROM splits JOIN headlines USING (headline_id)"
    rows = "SELECT count(DISTINCT month(published_at)) FROM accepted_rows GROUP BY ingest_id ORDER BY 1"
    orders: list[str] = []
    for order, found, of_rows in (("dmy", 1, [1, 1]), ("mdy", 12, [1, 12, 12]), ("dmy", 1, [1, 1, 12])):
        orders = [order, *dict.fromkeys([*orders[1:], order])]
        assert read_again(data.model_copy(update={"date_order": order}))[0] == SNAPSHOT
        assert ask(home, "SELECT date_order FROM sources ORDER BY number") == [(each,) for each in orders]
        assert ask(home, months) == [(found,)]
        assert ask(home, rows) == [(number,) for number in of_rows]
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET date_order = NULL, extra_columns = []")  # by a version that knew dates
    read_again(data.model_copy(update={"date_order": "dmy"}))
    assert ask(home, "SELECT date_order FROM sources ORDER BY number") == [(None,), ("dmy",), (None,)]


@pytest.mark.slow
def test_a_reading_that_gives_other_headlines_is_a_separate_ingestion(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["2025-01-02,Profit rose.,positive", "2025-01-03,Costs fell.,positive", "9999-01-02,A loss.,negative"]
    Path("later.csv").write_text("\n".join(["date,text,label", *rows]))
    data = DataSettings(source="later.csv", max_rejected=0.5)
    first = ingest_and_save(data, lambda _: None).snapshot_id
    monkeypatch.setattr("schemas.frames.CLOCKS", timedelta(days=365 * 9_000))  # later, when the date has passed
    assert ingest_and_save(data, lambda _: None).snapshot_id == first
    second, lines, is_new = read_again(data)
    assert is_new
    assert lines[-1].endswith(f"snapshot {second}; studies of snapshot {first} stay as they are")
    assert ingest_and_save(data, lambda _: None).snapshot_id == second
    assert read_again(data)[::2] == (second, False)
    monkeypatch.undo()
    monkeypatch.setenv("FINTONE_HOME", str(home))
    monkeypatch.chdir(home.parent)
    assert read_again(data)[::2] == (first, True)
    sources = "SELECT snapshot_id, again_of IS NULL FROM sources WHERE source = 'later.csv' ORDER BY number"
    assert ask(home, sources) == [(first, True), (second, False), (first, False)]
    assert ingest_and_save(data, lambda _: None).snapshot_id == first
