"""Answers as text: tables that people can read, CSV and JSON that programs can, whatever the values are."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.output import results
from cli.output.results import RepeatedColumnError, deliver
from schemas.files import OutputError
from storage.query import QueryResult, query
from storage.warehouse import prepare_warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "warehouse.duckdb"
    prepare_warehouse(path)
    return path


def render(result: QueryResult, form: str, **options: Any) -> str:
    return "".join(results.render(result, form, **options))


def parse_json(text: str) -> Any:
    """Parse JSON as it is defined, without the NaN and Infinity that Python also takes."""
    return json.loads(text, parse_constant=pytest.fail)


def parse_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("sql", "in_json", "in_csv"),
    [
        ("NULL", None, ""),
        ("''", "", ""),
        ("true", True, "true"),
        ("42", 42, "42"),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1, str(2**127 - 1)),
        ("0.1::DOUBLE + 0.2::DOUBLE", 0.1 + 0.2, "0.30000000000000004"),
        ("1.10::DECIMAL(5, 2)", 1.1, "1.10"),
        ("'nan'::DOUBLE", None, "nan"),
        ("'-inf'::DOUBLE", None, "-inf"),
        ("DATE '2026-01-02'", "2026-01-02", "2026-01-02"),
        ("TIMESTAMP '2026-01-02 03:04:05'", "2026-01-02 03:04:05", "2026-01-02 03:04:05"),
        ("[1, NULL, 3]", [1, None, 3], "[1, null, 3]"),
        ("['nan'::DOUBLE, 0.5]", [None, 0.5], "[null, 0.5]"),
        ("{'p': 0.5, 'label': 'é'}", {"p": 0.5, "label": "é"}, '{"p": 0.5, "label": "é"}'),
        ("MAP {DATE '2026-01-02': 1}", {"2026-01-02": 1}, '{"2026-01-02": 1}'),
        ("'two\nlines, \"quoted\"'", 'two\nlines, "quoted"', 'two\nlines, "quoted"'),
        ("'☃ é'", "☃ é", "☃ é"),
    ],
)
def test_a_value_reaches_a_program_as_what_it_is(warehouse: Path, sql: str, in_json: object, in_csv: str) -> None:
    result = query(warehouse, f"SELECT 1 AS row_number, {sql} AS value")
    assert parse_json(render(result, "json")) == [{"row_number": 1, "value": in_json}]
    assert parse_csv(render(result, "csv")) == [["row_number", "value"], ["1", in_csv]]


@given(st.lists(st.tuples(st.text(), st.floats(), st.none() | st.integers()), max_size=4))
def test_every_text_and_number_survives(rows: list[tuple[Any, ...]]) -> None:
    result = QueryResult(("text", "share", "count"), rows)
    read = parse_json(render(result, "json"))
    assert [(row["text"], row["count"]) for row in read] == [(text, count) for text, _, count in rows]
    assert all(row["share"] is None or row["share"] == share for row, (_, share, _) in zip(read, rows, strict=True))
    table = render(result, "table").split("\n")
    assert len(table) == len(rows) + 4
    assert all(line.isprintable() for line in table)


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), st.floats()), max_size=4))
def test_csv_keeps_every_digit(rows: list[tuple[str, float]]) -> None:
    [_, *read] = parse_csv(render(QueryResult(("text", "share"), rows), "csv", raw=True))
    assert [(text, repr(float(share))) for text, share in read] == [(text, repr(share)) for text, share in rows]


def test_a_table_has_a_line_for_each_row_and_numbers_to_the_right(warehouse: Path) -> None:
    result = query(
        warehouse, "FROM (VALUES ('base', 0.378, NULL), ('fine-tuned', 12.5, 3)) AS t(kind, accuracy, epochs)"
    )
    assert render(result, "table").splitlines() == [
        "kind        accuracy  epochs",
        "----------  --------  ------",
        "base           0.378",
        "fine-tuned    12.500       3",
        "(2 rows)",
    ]


def test_a_table_cuts_nothing(warehouse: Path) -> None:
    text = "word " * 200
    assert text.strip() in render(QueryResult(("text",), [(text,)]), "table")


def test_nothing_in_a_table_steers_the_terminal() -> None:
    table = render(QueryResult(("a\tb",), [("\x1b[31mred\r\nx",)]), "table")
    assert table.splitlines() == ["a\\tb", "-" * 16, "\\x1b[31mred\\r\\nx", "(1 row)"]


def test_an_answer_without_rows_is_still_an_answer(warehouse: Path) -> None:
    result = query(warehouse, "SELECT model, accuracy FROM leaderboard")
    assert render(result, "table").splitlines() == ["model  accuracy", "-----  --------", "(0 rows)"]
    assert render(result, "csv") == "model,accuracy\n"
    assert render(result, "json") == "[]\n"


def test_two_columns_of_one_name_are_refused_where_one_would_be_lost(warehouse: Path) -> None:
    result = query(warehouse, "SELECT 1 AS n, 2 AS n")
    assert parse_csv(render(result, "csv")) == [["n", "n"], ["1", "2"]]
    with pytest.raises(
        RepeatedColumnError, match=r"^sql: 2 columns are named 'n', JSON takes one: rename them with AS$"
    ):
        render(result, "json")


def test_an_answer_is_written_whole(tmp_path: Path) -> None:
    deliver(["é", "☃\n"], tmp_path / "answer")
    assert (tmp_path / "answer").read_text(encoding="utf-8") == "é☃\n"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    output = tmp_path / "nowhere" / "answer"
    with pytest.raises(OutputError, match="does not exist; give another place, or make the folder") as raised:
        deliver(["x"], output)
    assert str(raised.value).startswith(f"output {output}: ")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("up;=cmd|' /C calc'!A0;", "up;'=cmd|' /C calc'!A0;"),
        ("up\n@SUM(A1)\t+1", "up\n'@SUM(A1)\t'+1"),
        ("EPS up; -5% in sales", "EPS up; -5% in sales"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-5", "-5"),
        ("+0.5e-3", "+0.5e-3"),
        ("-1,234.5%", "-1,234.5%"),
        ("Sales = 5", "Sales = 5"),
        ("'quoted", "'quoted"),
    ],
)
def test_no_cell_of_a_csv_is_read_as_a_formula(text: str, written: str) -> None:
    notes: list[str] = []
    result = QueryResult((text, "n"), [(text, -1), (None, -0.5)])
    rows = parse_csv(render(result, "csv", note=notes.append))
    assert rows == [[written, "n"], [written, "-1"], ["", "-0.5"]]
    assert notes == ([] if text == written else [f"2 cells got {FORMULA}; {KEPT}"])
    assert parse_csv(render(result, "csv", raw=True, note=notes.append))[1] == [text, "-1"]
    assert parse_json(render(result, "json"))[0][text] == text


FORMULA = "a ' before what a spreadsheet takes for a formula"
KEPT = "--raw keeps the text as it is"


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_rows_are_rendered_as_they_come(form: str) -> None:
    """An endless answer begins at once, after the rows that set a table's widths."""
    taken = 0

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal taken
        while True:
            taken += 1
            yield (taken, "x" * 100)

    pieces = results.render(QueryResult(("n", "text"), rows()), form)
    assert next(pieces)
    assert taken <= results.ROWS_FOR_WIDTHS


def test_a_wide_value_after_the_first_rows_of_a_table_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "ROWS_FOR_WIDTHS", 1)
    lines = render(QueryResult(("text", "n"), [("a", 1), ("wide value", 2)]), "table").splitlines()
    assert lines == ["text  n", "----  -", "a     1", "wide value  2", "(2 rows)"]
