"""Sentiment of the champions and prices: of each headline, the answer of the cell that was champion at the time."""

import re
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from operations.market import measure_market
from operations.report_index import write_index
from reporting.market import summarise_market
from schemas.errors import InputError
from schemas.market import MarketSettings, Measured
from schemas.promotion import Champion
from storage.home import Home
from storage.market import count_answers, has_former_champions, load_market
from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask
from tests.reigns import JANUARY, answer, decide

CELLS = """
INSERT INTO sources BY NAME SELECT 'ingest' AS ingest_id, 'a' AS source, 'csv' AS kind, 'a' AS sha256,
    false AS synthetic, 0 AS rows_read, 0 AS rows_accepted, 0 AS rows_rejected, 0 AS rows_merged, 'a' AS snapshot_id,
    TIMESTAMP '2025-01-01' AS ingested_at;
INSERT INTO headlines BY NAME SELECT 'old' AS headline_id, 'old news' AS text, 'neutral' AS label,
    'ingest' AS first_ingest_id;
INSERT INTO splits BY NAME SELECT 'split' AS split_id, 'a' AS snapshot_id, 'old' AS headline_id, 'train' AS part;
INSERT INTO cells BY NAME SELECT unnest(['first', 'second']) AS cell_id, 'fine-tuned' AS kind, 'a' AS model,
    'split' AS split_id, 'a' AS snapshot_id, '{}' AS hyperparameters;
"""
NEWS = [(f"day {day}", float(day) + 0.5, None, "NWD") for day in range(5, 60)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which `first` was champion from day 10 and `second` from day 30; each answers all news in its way."""
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    warehouse = tmp_path / "home" / "warehouse.duckdb"
    prepare_warehouse(warehouse)
    with writing(warehouse) as connection:
        connection.execute(CELLS)
    decide(warehouse, "promoted", "first", 10)
    decide(warehouse, "promoted", "second", 30)
    days = pd.date_range(JANUARY, JANUARY + timedelta(days=70))
    pd.DataFrame({"date": days, "instrument": "NWD", "close": [100.0 + day % 7 for day in range(len(days))]}).to_csv(
        "prices.csv", index=False
    )
    return tmp_path / "home"


def answer_all(home: Path) -> None:
    answer(home / "warehouse.duckdb", "first", *NEWS, p_positive=0.7)
    answer(home / "warehouse.duckdb", "second", *NEWS, p_positive=0.2)


def measure() -> Measured:
    return measure_market(MarketSettings(prices="prices.csv", model="champions"))


def measure_alone(home: Path) -> None:
    """A measurement of `first` with the prices of that of the champions, without its tests."""
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(
            "INSERT INTO markets BY NAME SELECT * REPLACE ('alone' AS market_id, 'first' AS cell_id, .1 AS temperature)"
            " FROM markets"
        )
        for table in ("sessions", "prices"):
            connection.execute(
                f"INSERT INTO ledger.market_{table} SELECT * REPLACE ('alone' AS market_id) FROM ledger.market_{table}"
            )


def test_each_headline_has_the_sentiment_of_the_champion_of_its_time(home: Path) -> None:
    answer_all(home)
    measured = measure()
    assert (measured.cell_id, measured.temperature) == (None, None)
    assert measured.notes[0].startswith("sentiment of 2 champions: of each headline")
    assert measured.notes[1].startswith("50 of 50 headlines with a date count")
    found = ask(
        home,
        "SELECT sentiment, min(session)::VARCHAR, max(session)::VARCHAR, sum(n) FROM daily_sentiment"
        f" WHERE market_id = '{measured.market_id}' AND instrument IS NOT NULL GROUP BY sentiment ORDER BY ALL",
    )
    by_time = {sentiment: (first, last, int(n)) for sentiment, first, last, n in found}
    assert by_time[0.1] == ("2026-02-02", "2026-03-02", 30)  # from Saturday the 31st on
    assert by_time[0.6][0] == "2026-01-12"
    assert sum(n for _, _, n in by_time.values()) == 50
    tests = load_market(home / "warehouse.duckdb", measured.market_id)["market_reaction"]
    assert {row["cell_id"] for row in tests} == {None}
    assert any(row["p_holm"] is not None for row in tests)


def test_the_page_of_all_studies_has_each_measurement_and_is_written_again_after_one(home: Path) -> None:
    answer_all(home)
    measured = measure()
    assert not (home / "reports").exists()
    (home / "reports").mkdir()  # as a report of a study does
    page = write_index(Home(home))
    text = page.read_text(encoding="utf-8")
    assert text.count("champions, each in its time") == 1
    finding = summarise_market(load_market(home / "warehouse.duckdb", measured.market_id)["market_reaction"])
    assert f">{finding}</td>" in text
    assert f">{measured.market_id}</code>" in text
    measure_alone(home)
    assert measure().market_id == measured.market_id
    text = page.read_text(encoding="utf-8")
    assert text.index(measured.market_id) < text.index(">alone</code>")
    assert 'data-label="sentiment of"><code class="whole">first</code></td>' in text
    assert ">nothing can be said</td>" in text


def test_a_cell_is_still_measured_alone_beside_the_champions(home: Path) -> None:
    answer_all(home)
    together = measure()
    again = measure()
    assert together.market_id == again.market_id
    measure_alone(home)
    counts = "SELECT market_id = 'alone', sum(n) FROM daily_sentiment WHERE instrument IS NOT NULL GROUP BY ALL"
    assert sorted(ask(home, counts)) == [(False, 50), (True, 55)]


def test_a_reign_is_of_one_temperature_and_ends_before_the_next(home: Path) -> None:
    warehouse = home / "warehouse.duckdb"
    decide(warehouse, "promoted", "second", 40, temperature=1.0)  # all answers are at .1
    answer(warehouse, "first", ("at the change", 30, None, "NWD"), ("before", 29.9, None, "NWD"))
    answer(warehouse, "second", ("at the change", 30, None, "NWD"), ("later", 41, None, "NWD"))
    rows = ask(home, "SELECT cell_id, text FROM dated_answers WHERE by_champion ORDER BY ALL")
    assert rows == [("first", "before"), ("second", "at the change")]
    assert count_answers(warehouse, None).unanswered == 1
    assert count_answers(warehouse, None).cells == 2


def test_the_champion_is_told_from_those_before_it_by_cell_and_temperature(home: Path) -> None:
    warehouse = home / "warehouse.duckdb"
    assert not has_former_champions(warehouse, Champion("second", 0.1))
    answer(warehouse, "first", *NEWS)
    assert has_former_champions(warehouse, Champion("second", 0.1))  # it has no answers of its own yet
    assert not has_former_champions(warehouse, Champion("first", 0.1))
    assert has_former_champions(warehouse, Champion("first", 1))


@pytest.mark.parametrize("deleted", ["first", "both"])
def test_of_a_champion_whose_study_was_deleted_nobody_knows_what_it_learned_from(home: Path, deleted: str) -> None:
    answer_all(home)
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM cells WHERE ? IN (cell_id, 'both')", [deleted])
    if deleted == "both":
        with pytest.raises(InputError, match="none of their 50 answers with a date counts, since their studies were"):
            measure()
    else:
        assert (
            "left out: 20 of a cell whose study was deleted, so that nobody knows what it learned from"
            in measure().notes
        )


def test_prices_of_another_time_name_until_when_the_champions_learned(home: Path) -> None:
    answer_all(home)
    days = pd.date_range("2024-01-01", "2024-03-01")
    pd.DataFrame({"date": days, "instrument": "NWD", "close": 100.0}).to_csv("prices.csv", index=False)
    with pytest.raises(InputError, match=r"the champions learned from headlines up to 2025-01-01$"):
        measure()


def test_headlines_that_only_another_cell_answered_are_left_out_and_counted(home: Path) -> None:
    answer(home / "warehouse.duckdb", "second", *NEWS)
    measured = measure()
    assert "sentiment of 1 champion: " in measured.notes[0]
    assert "left out: 20 headlines that the champion of their time has not answered at its temperature" in " ".join(
        measured.notes
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "no headline with a date was answered by the cell that was champion"), (NEWS, "none of their 50 answers")],
)
def test_without_answers_of_champions_nothing_is_measured(
    home: Path, rows: list[tuple[str, float, None, str]], message: str
) -> None:
    if rows:
        answer_all(home)
        with writing(home / "warehouse.duckdb") as connection:
            connection.execute("UPDATE sources SET ingested_at = TIMESTAMP '2026-06-01'")
    with pytest.raises(InputError, match=re.escape(message)):
        measure()


def test_champions_have_temperatures_of_their_own() -> None:
    with pytest.raises(ValueError, match="each champion has its own"):
        MarketSettings(prices="prices.csv", model="champions", temperature=1.0)
