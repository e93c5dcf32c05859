"""Sentiment of the champions and prices: of each headline, the answer of the cell that was champion at the time."""

import re
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from operations.market import measure_market
from schemas.errors import InputError
from schemas.market import MarketSettings, Measured
from storage.market import load_market
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


def test_a_cell_is_still_measured_alone_beside_the_champions(home: Path) -> None:
    answer_all(home)
    together = measure()
    again = measure()
    assert together.market_id == again.market_id
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(
            "INSERT INTO markets BY NAME SELECT * REPLACE ('alone' AS market_id, 'first' AS cell_id, .1 AS temperature)"
            " FROM markets"
        )
        for table in ("sessions", "prices"):
            connection.execute(
                f"INSERT INTO ledger.market_{table} SELECT * REPLACE ('alone' AS market_id) FROM ledger.market_{table}"
            )
    counts = "SELECT market_id = 'alone', sum(n) FROM daily_sentiment WHERE instrument IS NOT NULL GROUP BY ALL"
    assert sorted(ask(home, counts)) == [(False, 50), (True, 55)]


def test_headlines_that_only_another_cell_answered_are_left_out_and_counted(home: Path) -> None:
    answer(home / "warehouse.duckdb", "second", *NEWS)
    measured = measure()
    assert "sentiment of 1 champion: " in measured.notes[0]
    assert "left out: 20 headlines that other cells have answered" in " ".join(measured.notes)


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
