"""Sentiment and prices, from scored news to figures: what counts, when it counts, and what is refused."""

import shutil
from datetime import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from embedded.grammar import generate_headline
from market.calendar import list_sessions
from market.prices import NO_SESSION, Prices
from operations.answers import choose_model, score_source
from operations.market import _note_common_time, _note_other_days, measure_market
from schemas.errors import InputError
from schemas.market import MarketSettings, Measured
from schemas.plan import StudyPlan
from schemas.score import ScoreSettings
from storage.market import load_market
from storage.warehouse import writing
from tests.asking import ask
from tests.reigns import answer, decide

pytestmark = pytest.mark.usefixtures("session_worker")

FIRST, LAST = "2024-01-02", "2024-06-28"
VALUES = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}


@pytest.fixture(scope="module")
def scored(trained: tuple[Path, str, StudyPlan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cell learned in 2023, and answered news of 2024; prices of two of three instruments follow it."""
    folder = tmp_path_factory.mktemp("market")
    shutil.copytree(trained[0], folder / "home")
    with writing(folder / "home" / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET ingested_at = TIMESTAMP '2023-06-30 12:00'")
    random, rows = Random(3), []
    for number, day in enumerate(pd.date_range("2023-06-01", LAST, freq="D")):
        for name in ("AAA", "bbb", "CCC"):
            headline = generate_headline(random)
            time = f"{day:%Y-%m-%d} {7 + number % 14:02d}:30:00"
            rows.append((time, name, headline.sentiment, headline.text))
    news = pd.DataFrame(rows, columns=["published_at", "ticker", "label", "text"])
    news.to_csv(folder / "news.csv", index=False)
    sessions = list_sessions("XNYS", pd.Timestamp(FIRST), pd.Timestamp(LAST))
    place = sessions["closes_at"].searchsorted(pd.to_datetime(news["published_at"]))
    means = news["label"].map(VALUES).groupby([place, news["ticker"].str.upper()]).mean()
    noise, prices = np.random.default_rng(1), []
    for name in ("AAA", "BBB"):
        close = 50.0
        for number, session in enumerate(sessions["session"]):
            prices.append((session.strftime("%d/%m/%Y"), name.lower(), f"{close:.4f}"))
            close *= 1 + 0.03 * means.get((number, name), 0.0) + noise.normal(0, 0.005)
    pd.DataFrame(prices, columns=["Date", "Symbol", "Close"]).to_csv(folder / "prices.csv", index=False, sep=";")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        settings = ScoreSettings(source=str(folder / "news.csv"), model=trained[1], evaluate=True)
        score_source(settings, choose_model(settings), None)
    return folder


@pytest.fixture
def home(scored: Path, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def cell(trained: Any) -> str:
    return str(trained[1])


def measure(cell: str, **settings: Any) -> Measured:
    return measure_market(MarketSettings(**{"prices": "prices.csv", "model": cell, **settings}))


def test_later_news_is_compared_with_prices_and_what_is_left_out_is_counted(home: Path, cell: str) -> None:
    measured = measure(cell)
    days = len(pd.date_range("2023-06-01", LAST))
    early = len(pd.date_range("2023-06-01", "2023-06-30")) * 3
    [(counting, late)] = ask(
        home, "SELECT count(*) FILTER (counts), count(*) FROM dated_answers WHERE origin = 'scored'"
    )
    assert late == days * 3
    assert counting in range(late - early, late - early + 4)  # the last day of June is partly later
    assert measured.notes[0].startswith(
        f"{counting:,} of {late:,} headlines with a date count: they are later than 2023-06-30"
    )
    assert "prices of 2 instruments; none for CCC" in measured.notes
    found = load_market(home / "warehouse.duckdb", measured.market_id)
    tests = {
        (row["scope"], row["horizon"], row["measure"]): row for row in found["market_reaction"] if not row["instrument"]
    }
    assert tests["panel", 1, "sentiment"]["days"] == tests["panel", 1, "rank correlation"]["days"] > 200
    assert found["market_quantiles"]
    assert {row["session_offset"] for row in found["market_events"]} == set(range(-5, 11))


def test_the_order_in_which_a_mean_is_added_up_has_no_effect_on_ranks(home: Path, cell: str) -> None:
    measure(cell)
    values = (
        "SELECT count(*), count(*) FILTER (sentiment <> round(sentiment, 12) OR dispersion <> round(dispersion, 12))"
    )
    [(days, exact)] = ask(home, f"{values} FROM daily_sentiment WHERE n > 1")
    assert (days > 100, exact) == (True, 0)


def test_a_headline_counts_for_the_first_session_that_closes_after_it(home: Path, cell: str) -> None:
    measure(cell)
    rows = (
        "SELECT session, n FROM daily_sentiment WHERE instrument = 'AAA' AND session BETWEEN {} AND n > 0 ORDER BY ALL"
    )
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE ledger.scored_rows SET published_at = NULL WHERE instrument = 'AAA'")
        times = ("2024-03-07 21:00", "2024-03-07 21:01", "2024-03-09 10:00", "2024-03-11 19:59", "2024-03-12")
        for row, time in enumerate(times, start=1):
            connection.execute(
                "UPDATE ledger.scored_rows SET published_at = ? WHERE instrument = 'AAA' AND row_number = ?",
                [time, 3 * row - 2],
            )
    found = ask(home, rows.format("'2024-03-01' AND '2024-03-31'"))
    assert [(f"{session:%d}", n) for session, n in found] == [("07", 1), ("08", 1), ("11", 2), ("13", 1)]


def test_a_date_without_a_time_is_in_the_given_zone_or_in_which_it_was_read(home: Path, cell: str) -> None:
    with writing(home / "warehouse.duckdb") as connection:  # midnight of the 12th in Lisbon, in summer
        connection.execute(
            "UPDATE ledger.scored_rows SET published_at ="
            " CASE WHEN row_number = 1 THEN TIMESTAMP '2024-06-11 23:00' END"
        )
    rows = "SELECT strftime(session, '%d') FROM daily_sentiment WHERE instrument IS NULL AND n > 0"
    for zone, day in ((None, "12"), ("Europe/Lisbon", "13")):
        measure(cell, timezone=zone)
        assert ask(home, rows) == [(day,)]
    study = 'UPDATE studies SET config = json_merge_patch(config, \'{"data": {"timezone": "Europe/Lisbon"}}\')'
    scoring = "UPDATE scorings SET timezone = ?"
    # by the scoring, and where an older version scored, by the study
    for zone, statement, day in (("Europe/Lisbon", "", "13"), ("UTC", study, "12"), (None, study, "13")):
        with writing(home / "warehouse.duckdb") as connection:
            connection.execute(scoring, [zone])
            if statement:
                connection.execute(statement)
        measure(cell)
        assert ask(home, rows) == [(day,)]
    assert ask(home, "SELECT DISTINCT timezone FROM markets") == [(None,)]


def test_the_day_of_a_price_is_that_of_its_exchange(home: Path, cell: str) -> None:
    lines = [f"2024-01-{day:02d} 00:00:00+09:00,AAA,{5 + day}" for day in (2, 3, 4)]
    Path("p.csv").write_text("\n".join(["Date,Ticker,Close", *lines, "2024-01-05T15:30:00-05:00,AAA,9", ""]))
    measure(cell, prices="p.csv")
    assert [day for (day,) in ask(home, "SELECT strftime(session, '%d') FROM ledger.market_prices ORDER BY ALL")] == [
        "02",
        "03",
        "04",
        "05",
    ]


def test_news_that_the_base_model_may_have_read_is_counted(home: Path, cell: str) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE study_cells SET trained_until = DATE '2024-01-31' WHERE cell_id = ?", [cell])
    [note] = [note for note in measure(cell).notes if "trained_until" in note]
    days = len(pd.date_range("2023-07-01", "2024-01-31"))
    assert int(note.split()[0].replace(",", "")) in range(3 * days, 3 * days + 4)
    [(marked,)] = ask(home, "SELECT sum(n_before_cutoff) FROM daily_sentiment WHERE instrument IS NULL")
    assert 0 < marked < 3 * days  # those in the time of the prices


def test_a_failure_leaves_the_earlier_measurement(home: Path, cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(cell)
    before = ask(home, "FROM market_reaction")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("market.reaction.study_events", fail)
    with pytest.raises(KeyboardInterrupt):
        measure(cell)
    assert ask(home, "FROM market_reaction") == before


def test_a_repeated_measurement_replaces_the_first(home: Path, cell: str) -> None:
    first, again = measure(cell), measure(cell)
    assert first == again
    assert ask(home, "SELECT count(*) FROM markets") == [(1,)]
    other = measure(cell, calendar="24/7")
    assert other.market_id != first.market_id
    assert ask(home, "SELECT count(*) FROM markets") == [(2,)]
    assert not any("replaces" in note for note in again.notes)
    assert measure(cell, horizons="2").notes[-1].startswith("replaces the results for 1d, 5d: Holm's correction")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("date,ticker,close\n2024-01-02,AAA,5\n", "prices p.csv: have 1 session, a return of 1 needs 2 or more"),
        (
            "date,ticker,close\n2024-01-02,XXX,5\n2024-01-03,XXX,5\n",
            r"none of the instruments of the headlines \(AAA, BBB",
        ),
        ("date,ticker,close\nsoon,AAA,5\n", "prices p.csv: no date of 1 row can be read"),
        ("date,ticker,close\n2024-01-06,AAA,5\n", "no price that can be used, the exchange had no session on that day"),
        ("date,ticker,close\n03/04/2024,AAA,5\n05/06/2024,AAA,5\n", "may be dmy or mdy; write dates as 2025-03-04"),
        ("when,ticker,close\n2024-01-02,AAA,5\n", "prices p.csv: has no column date; its columns are 'when'"),
        ("date,ticker,close\n", "prices p.csv: has no rows"),
        ("", "prices p.csv: cannot be read"),
        ("date,ticker,close\n2020-01-02,AAA,5\n2020-01-03,AAA,5\n", "no headline that counts is in their time"),
    ],
)
def test_prices_that_cannot_be_used_are_refused(home: Path, cell: str, content: str, message: str) -> None:
    Path("p.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        measure(cell, prices="p.csv")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prices": "nowhere.csv"}, r"prices 'nowhere\.csv' does not exist in /.*: give the path of a file"),
        ({"prices": "data/nowhere.csv"}, r"prices 'data/nowhere\.csv' does not exist in /.*: give"),
        ({"prices": "~/nowhere.csv"}, r"prices '~/nowhere\.csv' does not exist as /.*/nowhere\.csv: give"),
        ({"prices": "home"}, "prices 'home' is a folder: give the path of a file"),
        ({"prices": "news.doc"}, r"must end in one of \.csv"),
        ({"calendar": "XXXX"}, "calendar 'XXXX': no exchange has this code"),
        ({"price_column": "open"}, "has no column 'open'"),
        ({"temperature": 3.0}, "temperature 3: cell .* was judged at"),
    ],
)
def test_a_wrong_setting_is_refused(home: Path, cell: str, settings: dict[str, Any], message: str) -> None:
    Path("news.doc").write_text("")
    with pytest.raises(InputError, match=message):
        measure(cell, **settings)


def test_without_answers_that_count_nothing_is_measured(home: Path, cell: str) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET ingested_at = TIMESTAMP '2025-01-01'")
    with pytest.raises(InputError, match=r"none of its 1,182 answers with a date counts: .* --model CELL"):
        measure(cell)
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM ledger.scored_rows")
    with pytest.raises(InputError, match="has answered no headline with a date at temperature"):
        measure(cell)


@pytest.mark.parametrize("horizons", ["1d,x", "0d", "99d", ""])
def test_a_horizon_is_a_number_of_sessions(horizons: str) -> None:
    with pytest.raises(ValueError, match="horizons"):
        MarketSettings(prices="p.csv", horizons=horizons)  # type: ignore[arg-type]
    assert MarketSettings(prices="p.csv", horizons="5d,1").horizons == (1, 5)  # type: ignore[arg-type]


def test_dates_without_a_time_that_were_read_in_another_zone_are_noted(home: Path, cell: str) -> None:
    assert not [note for note in measure(cell).notes if "--timezone" in note]
    with writing(home / "warehouse.duckdb") as connection:
        day = "date_trunc('day', published_at)"
        connection.execute(f"UPDATE ledger.scored_rows SET published_at = {day} + INTERVAL 5 HOUR")
    [note] = [note for note in measure(cell).notes if "--timezone" in note]
    assert " of those that count came at 05:00 UTC, and count from that time on: " in note
    assert not [note for note in measure(cell, timezone="Etc/GMT+5").notes if "--timezone" in note]


def test_a_few_headlines_of_one_time_are_no_sign_of_dates_without_one() -> None:
    assert list(_note_common_time((4, time(20, 58)), 4)) == []
    assert len(list(_note_common_time((5, time(20, 58)), 25))) == 1
    assert list(_note_common_time((5, time(20, 58)), 26)) == []


def test_prices_of_days_without_a_session_are_told_when_they_are_many() -> None:
    frame = pd.DataFrame({"price": range(80)})
    for number, expected in ((19, 0), (20, 1)):
        prices = Prices(frame, pd.Series({NO_SESSION: number}), "close")
        assert len(list(_note_other_days(prices, "XETR"))) == expected


def test_the_champion_of_today_is_measured_alone_and_the_earlier_ones_are_named(home: Path, cell: str) -> None:
    warehouse = home / "warehouse.duckdb"
    decide(warehouse, "promoted", "earlier", -700)  # in 2024
    answer(warehouse, "earlier", ("Nordwind raises its forecast", -690, None))
    decide(warehouse, "promoted", cell, -680)
    with writing(warehouse) as connection:
        connection.execute("INSERT INTO cells BY NAME SELECT * REPLACE ('earlier' AS cell_id) FROM cells LIMIT 1")
    advice = "earlier champions have answers of their time, too: `fintone market --model champions`"
    assert any(note.startswith(advice) for note in measure("champion").notes)
    assert not any("champions" in note for note in measure(cell).notes)
    with writing(warehouse) as connection:
        connection.execute("DELETE FROM ledger.scored_rows")
        connection.execute("UPDATE headlines SET published_at = NULL")
    answer(warehouse, "earlier", ("Nordwind raises its forecast", -690, None), source="again")
    with pytest.raises(InputError, match=f"{cell}: has answered no headline .*; {advice}"):
        measure("champion")
