"""What analysts see over time: which headlines count in a period, and what the champion of the time answered."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from learning.study.intervals import accuracy_interval
from schemas.promotion import Champion
from storage.accuracy_drops import load_fresh_counts
from storage.cells import add_cells
from storage.champions import load_champion
from storage.deletion import delete_study
from storage.query import query
from storage.splits import save_split
from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask
from tests.reigns import JANUARY, Row, answer, decide

CONTRACT = {
    "accuracy_over_time": "origin, study_id, cell_id, cell_name, kind, model, temperature, period, begins, n, accuracy,"
    " accuracy_low, accuracy_high, n_before_cutoff, decoding_id",
    "champion_history": "cell_id, cell_name, model, temperature, reigned_from, reigned_until, published_at, text,"
    " instrument, label, confidence, true_label, is_right, in_sample, origin",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_analysts_find_the_columns_of_the_contract(warehouse: Path, name: str) -> None:
    assert ", ".join(query(warehouse, f"FROM {name}").columns) == CONTRACT[name]


def select(warehouse: Path, what: str) -> list[tuple[Any, ...]]:
    return ask(warehouse, f"SELECT {what} FROM champion_history")


def test_a_headline_is_answered_by_who_was_champion_when_it_was_published(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 10)
    decide(finished, "kept", "weak", 15)  # which ends no reign
    decide(finished, "promoted", "base", 20)
    decide(finished, "rolled back", "tuned", 30)
    news = [(f"day {day}", day, None) for day in (9, 10, 16, 19, 20, 29, 30, 40)]
    for cell_id in ("tuned", "base", "svm"):
        answer(finished, cell_id, *news)
    answer(finished, "tuned", ("no date", None, "positive"), source="undated")
    days = "date_diff('day', DATE '2026-01-01', {})"
    columns = [f"cell_id, {', '.join(days.format(each) for each in ('reigned_from', 'reigned_until'))}, text, origin"]
    assert select(finished, *columns) == [
        ("tuned", 10, 20, "day 10", "scored"),
        ("tuned", 10, 20, "day 16", "scored"),
        ("tuned", 10, 20, "day 19", "scored"),
        ("base", 20, 30, "day 20", "scored"),
        ("base", 20, 30, "day 29", "scored"),
        ("tuned", 30, None, "day 30", "scored"),
        ("tuned", 30, None, "day 40", "scored"),
    ]
    assert select(finished, "DISTINCT cell_name, model, temperature")[0] == ("lr=2e-04 epochs=3", "tiny-llama", 0.1)


def test_another_temperature_is_another_reign_and_the_same_one_is_not(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    decide(finished, "promoted", "tuned", 10)
    decide(finished, "promoted", "tuned", 20, temperature=1.0)
    assert load_champion(finished) == Champion("tuned", 1.0)
    answer(finished, "tuned", ("early", 5, None), ("late", 15, None), ("hot", 25, None))
    assert select(finished, "text, reigned_from = TIMESTAMP '2026-01-01'") == [("early", True), ("late", True)]


def test_the_latest_label_shows_whether_the_champion_was_right_and_without_one_it_is_unknown(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    answer(finished, "tuned", ("a", 1, "neutral"), ("b", 2, "neutral"), ("c", 3, None))
    answer(finished, "tuned", ("a", 1, "positive"), ("b", 2, None), source="again")
    rows = select(finished, "text, label, confidence, true_label, is_right, in_sample")
    assert rows == [
        ("a", "positive", 0.7, "positive", True, False),
        ("b", "positive", 0.7, "neutral", False, False),
        ("c", "positive", 0.7, None, None, False),
    ]


def test_a_headline_of_test_is_there_once_with_its_label_also_where_it_was_scored(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    with writing(finished) as connection:
        connection.execute("UPDATE headlines SET published_at = TIMESTAMP '2026-01-05' WHERE label <> 'neutral'")
        its = "evaluation_id = 'tuned at 0.1'"
        connection.execute(f"UPDATE ledger.predictions SET p_neutral = 0.1, p_unparsed = 0.4 WHERE {its}")
        connection.execute(f"UPDATE evaluations SET evaluated_at = evaluated_at + INTERVAL 1 DAY WHERE NOT {its}")
        text_ids = connection.execute("SELECT text_id FROM headlines WHERE headline_id LIKE '%0'").fetchall()
    answer(finished, "tuned", (text_ids[0][0], 4, None), ("new", 4, None))
    rows = select(finished, "origin, true_label, is_right, label, confidence")
    assert sorted(rows, key=str) == [
        ("scored", None, None, "positive", 0.7),
        ("test", "negative", False, "unparsed", 0.25),
        ("test", "positive", False, "unparsed", 0.25),
    ]  # what is unparsed is the likeliest answer, and as neutral it is wrong


def test_what_the_champion_learned_from_is_marked(finished: Path, cell: Callable[..., Any]) -> None:
    with writing(finished) as connection:
        connection.execute("UPDATE headlines SET published_at = TIMESTAMP '2026-01-05'")
    save_split(finished, "later", "snapshot", {"train": ["0000000000000000"], "test": ["0000000000000001"]}, {})
    add_cells(finished, "study", [cell(cell_id="other", split_id="later", seed=7)])
    with writing(finished) as connection:
        connection.execute("UPDATE evaluations SET cell_id = 'other' WHERE cell_id = 'base'")
    decide(finished, "promoted", "other", 0)
    rows = ask(finished, "SELECT right(headline_id, 1), in_sample FROM champion_history JOIN headlines USING (text)")
    assert sorted(rows) == [("0", True), ("1", False), ("2", False)]


def test_the_answers_of_a_deleted_champion_stay(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    answer(finished, "tuned", ("a", 1, "positive"))
    decide(finished, "promoted", "another", 10)
    delete_study(finished, "study")
    assert select(finished, "text, cell_name, model, is_right") == [("a", None, None, True)]
    weeks = "SELECT kind, n, accuracy FROM accuracy_over_time WHERE origin = 'scored' AND period = 'week'"
    assert ask(finished, weeks) == [(None, 1, 1.0)]
    assert ask(finished, "SELECT text, trained_to, counts FROM dated_answers") == [("a", None, False)]


@pytest.mark.parametrize("zones", [("America/New_York", "Africa/Cairo"), ("Africa/Cairo", "America/New_York")])
def test_of_the_zones_of_a_headline_the_one_in_which_it_has_no_time_counts(finished: Path, zones: list[str]) -> None:
    for zone in zones:
        answer(finished, "tuned", ("a", 5 / 24, None), source=zone)
        with writing(finished) as connection:
            connection.execute("UPDATE scorings SET timezone = ? WHERE source = ?", [zone, zone])
    assert ask(finished, "SELECT timezone FROM dated_answers") == [("America/New_York",)]


def test_a_scored_headline_counts_once_in_its_week_its_month_its_quarter_and_its_year(finished: Path) -> None:
    answer(finished, "tuned", ("a", 4, "positive"), ("a", 4, "positive"), ("b", 40, "neutral"))
    answer(finished, "tuned", ("a", 4, "positive"), ("a", 5, "neutral"), ("c", 4, None), source="again")
    rows = ask(
        finished,
        "SELECT period, strftime(begins, '%m-%d'), n, accuracy FROM accuracy_over_time WHERE origin = 'scored'"
        " ORDER BY list_position(['week', 'month', 'quarter', 'year'], period), begins",
    )
    assert rows == [
        ("week", "01-05", 2, 0.5),
        ("week", "02-09", 1, 0.0),
        ("month", "01-01", 2, 0.5),
        ("month", "02-01", 1, 0.0),
        ("quarter", "01-01", 3, pytest.approx(1 / 3)),
        ("year", "01-01", 3, pytest.approx(1 / 3)),
    ]


def test_the_test_part_is_counted_by_when_it_was_published(finished: Path, cell: Callable[..., Any]) -> None:
    """Every cell answers all three headlines as positive; the day of the cutoff belongs to what it may know."""
    add_cells(finished, "study", [cell(trained_until=date(2026, 1, 5))])
    dates = {"negative": "2026-01-05 23:00:00", "positive": "2026-01-06", "neutral": "2026-04-01"}
    with writing(finished) as connection:
        for label, published_at in dates.items():
            connection.execute("UPDATE headlines SET published_at = ? WHERE label = ?", [published_at, label])
    columns = "strftime(begins, '%m-%d'), n, accuracy, n_before_cutoff"
    counted = f"SELECT period, {columns} FROM accuracy_over_time WHERE origin = 'test' AND cell_id = 'tuned'"
    assert ask(finished, f"{counted} AND temperature = 1 ORDER BY begins DESC, n, period") == [
        ("month", "04-01", 1, 0.0, 0),
        ("quarter", "04-01", 1, 0.0, 0),
        ("week", "03-30", 1, 0.0, 0),
        ("week", "01-05", 2, 0.5, 1),
        ("month", "01-01", 2, 0.5, 1),
        ("quarter", "01-01", 2, 0.5, 1),
        ("year", "01-01", 3, pytest.approx(1 / 3), 1),
    ]
    of_cells = (
        "SELECT cell_id, temperature, n, n_before_cutoff FROM accuracy_over_time WHERE period = 'year' ORDER BY ALL"
    )
    assert ask(finished, of_cells) == [
        *[("base", temperature, 3, None) for temperature in (0.1, 1, 10)],
        ("svm", None, 3, None),
        *[("tuned", temperature, 3, 1) for temperature in (0.1, 1, 10)],
    ]


def count_fresh(warehouse: Path) -> list[tuple[Any, ...]]:
    """Each fresh headline: text, day, instrument, label."""
    columns = "text, strftime(published_at, '%m-%d'), instrument, true_label"
    return ask(warehouse, f"SELECT {columns} FROM ledger.scored_headlines WHERE is_fresh ORDER BY ALL")


def test_a_headline_is_the_same_without_its_time_or_its_instrument_or_in_other_capitals(finished: Path) -> None:
    full = ("a", 4, "positive", "NWD")
    expected = [("a", "01-05", "NWD", "positive")]
    answer(finished, "tuned", full)
    same: list[Row] = [("a", 4, "positive", " nwd"), ("a", None, "positive", "NWD"), ("a", None, "positive")]
    for number, other in enumerate([full, ("a", 4, "positive"), *same]):
        answer(finished, "tuned", other, source=f"again {number}")
        [(text, day, instrument, label)] = count_fresh(finished)
        assert [(text, day, instrument.strip().upper(), label)] == expected


def test_a_time_and_an_instrument_that_only_another_file_has_are_put_together(finished: Path) -> None:
    answer(finished, "tuned", ("a", None, "positive", "NWD"), source="tickers")
    answer(finished, "tuned", ("a", 4, None), source="times")
    assert count_fresh(finished) == [("a", "01-05", "NWD", "positive")]


def test_a_headline_without_a_time_has_the_earliest_one_but_no_time_of_another_instrument(finished: Path) -> None:
    answer(finished, "tuned", ("a", None, "positive"), ("b", None, "positive", "NWD"), source="labels")
    answer(finished, "tuned", ("a", 6, None), ("a", 4, None), ("b", 4, None, "HBF"), source="times")
    assert count_fresh(finished) == [("a", "01-05", None, "positive"), ("b", None, "NWD", "positive")]
    answer(finished, "tuned", ("b", 9, None), ("b", 8, None), ("b", 5, None, "HBF"), source="more times")
    assert count_fresh(finished)[1:] == [("b", "01-09", "NWD", "positive")]


def test_a_day_without_its_time_and_a_time_of_that_day_are_of_one_headline(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    answer(finished, "tuned", ("a", 1, "positive"), source="days")
    answer(finished, "tuned", ("a", 1.4, "positive", "NWD"), source="times")
    assert count_fresh(finished) == [("a", "01-02", "NWD", "positive")]
    assert select(finished, "published_at") == [(JANUARY + timedelta(days=1.4),)]
    assert load_fresh_counts(finished, "times tuned").n == 1


def test_a_text_whose_identity_depends_on_its_instrument_or_its_context_counts_once(finished: Path) -> None:
    """So it is for a model whose prompt shows them; `ledger.scores` has the text of each identity."""
    decide(finished, "promoted", "tuned", 0)
    with writing(finished) as connection:
        connection.execute("UPDATE headlines SET published_at = TIMESTAMP '2026-01-05' WHERE label = 'negative'")
        [(text,)] = connection.execute(
            "SELECT text FROM headlines JOIN splits USING (headline_id) WHERE part = 'test' AND label = 'negative'"
        ).fetchall()
    answer(finished, "tuned", ("with its instrument", 4.4, "negative", "NWD"), source="named")
    answer(finished, "tuned", ("without", 4, "negative"), source="nameless")
    with writing(finished) as connection:
        connection.execute("UPDATE ledger.scores SET text = ?", [text])
    assert len(count_fresh(finished)) == 1
    assert select(finished, "origin, true_label") == [("test", "negative")]


def test_a_headline_whose_time_only_another_file_has_is_before_the_cutoff_if_that_is(
    finished: Path, cell: Callable[..., Any]
) -> None:
    add_cells(finished, "study", [cell(trained_until=date(2026, 1, 31))])
    answer(finished, "tuned", ("a", 1, None), ("b", 30.5, "positive"), ("c", 40, "positive"), source="dated")
    answer(finished, "tuned", ("a", None, "positive"), source="labelled")
    columns = "SELECT n, n_before_cutoff FROM accuracy_over_time WHERE origin = 'scored' AND period = 'year'"
    assert ask(finished, columns) == [(3, 2)]


def test_another_day_or_another_instrument_is_another_headline(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    rows = [("a", 4, "positive", "NWD"), ("a", 5, "neutral", "NWD"), ("a", 4, "positive", "HBF")]
    answer(finished, "tuned", *rows)
    assert len(count_fresh(finished)) == 3
    assert select(finished, "day(published_at), instrument") == [(5, "HBF"), (5, "NWD"), (6, "NWD")]


def test_a_headline_without_an_instrument_is_that_of_the_first_by_name(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 0)
    answer(finished, "tuned", ("a", 4, None, "nwd"), ("a", 4, None, "HBF"), ("a", 4, "positive"))
    assert count_fresh(finished) == [("a", "01-05", "HBF", "positive")]
    assert select(finished, "instrument, true_label") == [("HBF", "positive"), ("nwd", None)]


def test_decodings_are_counted_apart(finished: Path) -> None:
    answer(finished, "tuned", ("a", 4, "positive"), ("b", 4, "neutral"))
    answer(finished, "tuned", ("a", 4, "positive"), source="again", decoding="nucleus")
    counted = "SELECT decoding_id, n FROM accuracy_over_time WHERE origin = 'scored' AND period = 'year'"
    assert ask(finished, counted) == [("nucleus", 1), ("top-50", 2)]


def test_what_an_older_version_scored_of_a_models_own_study_is_not_fresh(make_older_warehouse: Any) -> None:
    path = make_older_warehouse(32)
    with writing(path) as connection:
        for table, values in (
            ("headlines", {"headline_id": "'1'", "text": "'Sales rose .'", "label": "'positive'", "text_id": "'own'"}),
            ("splits", {"split_id": "'split'", "snapshot_id": "'s'", "headline_id": "'1'", "part": "'test'"}),
            ("cells", {"cell_id": "'tuned'", "kind": "'fine-tuned'", "split_id": "'split'", "snapshot_id": "'s'"}),
            ("scorings", {"scoring_id": "'scoring'", "cell_id": "'tuned'", "temperature": "1"}),
            ("ledger.scored_rows", {"scoring_id": "'scoring'", "row_number": "1", "text_id": "'own'"}),
            ("ledger.scored_rows", {"scoring_id": "'scoring'", "row_number": "2", "text_id": "'new'"}),
            ("headlines", {"headline_id": "'2'", "text": "'Left over'", "label": "'neutral'", "text_id": "'left'"}),
            *(("snapshot_headlines", {"snapshot_id": "'s'", "headline_id": name}) for name in ("'1'", "'2'")),
            ("ledger.scored_rows", {"scoring_id": "'scoring'", "row_number": "3", "text_id": "'left'"}),
            ("sources", {"ingest_id": "'i'", "snapshot_id": "'s'"}),
            ("quarantine", {"ingest_id": "'i'", "text_id": "'both'", "resolution": "'dropped'", "label": "'neutral'"}),
            ("ledger.scored_rows", {"scoring_id": "'scoring'", "row_number": "4", "text_id": "'both'"}),
            ("ledger.scored_rows", {"scoring_id": "'scoring'", "row_number": "5", "text_id": "'left in May'"}),
            (
                "ledger.scores",
                {"cell_id": "'tuned'", "temperature": "1", "text_id": "'left in May'", "text": "'Left over'"},
            ),
        ):
            fill(connection, table, values)
    prepare_warehouse(path)
    assert ask(path, "SELECT text_id, part FROM ledger.scored_rows ORDER BY row_number") == [
        ("own", "test"),
        ("new", None),
        ("left", "unplaced"),
        ("both", "unplaced"),
        ("left in May", "unplaced"),
    ]


def fill(connection: Any, table: str, values: dict[str, str]) -> None:
    """Insert a row into a table; a required column that is not given gets a default."""
    schema, _, name = f"main.{table}".rpartition(".")
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND schema_name = ? AND NOT"
        " is_nullable",
        [name, schema.rpartition(".")[2]],
    ).fetchall()
    defaults = {"VARCHAR": "''", "TIMESTAMP": "TIMESTAMP '2026-01-01'", "BOOLEAN": "false", "JSON": "'{}'"}
    row = {**{column: defaults.get(kind, "0") for column, kind in columns}, **values}
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def test_an_interval_of_few_headlines_holds_their_accuracy(finished: Path) -> None:
    answer(finished, "tuned", *((f"right {number}", 4, "positive") for number in range(7)), ("wrong", 40, "neutral"))
    columns = "accuracy, accuracy_low, accuracy_high"
    rows = ask(finished, f"SELECT {columns} FROM accuracy_over_time WHERE period = 'month' ORDER BY begins")
    assert rows == [
        (1, pytest.approx(accuracy_interval(7, 7)[0]), 1),
        (0, 0, pytest.approx(accuracy_interval(0, 1)[1])),
    ]
