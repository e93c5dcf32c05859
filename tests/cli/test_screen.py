"""A table on a terminal is cut to its width and to a number of rows, and says what was cut; a pipe gets everything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.output import results
from cli.output.screen import LEAST_WIDTH, MOST_ROWS, Screen, fit_columns
from storage.query import QueryResult
from tests.cli.test_cli_plain import spawn, spawn_on_terminal

LONG = "Orlo said that its profit rose again in the third quarter of the year, and that costs fell at last"


def render(result: QueryResult, width: int) -> list[str]:
    return "".join(results.render(result, "table", screen=Screen(width))).splitlines()


def make_result(rows: int = 3, columns: int = 3) -> QueryResult:
    names = ("id", "text", *(f"figure_{number}" for number in range(columns - 2)))
    return QueryResult(names, [(row, LONG, *[0.123456] * (columns - 2)) for row in range(rows)])


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("columns", [2, 3, 12])
def test_no_line_is_wider_than_the_terminal(width: int, columns: int) -> None:
    assert max(map(len, render(make_result(columns=columns), width))) <= width


def test_text_is_cut_before_numbers_and_the_table_says_what_was_cut() -> None:
    header, rule, first, *_, rows, cut, remedy = render(make_result(), 60)
    assert header.split() == ["id", "text", "figure_0"]
    assert len(rule) == len(first) == 60
    assert "…" in first
    assert first.endswith("0.123456")
    assert rows == "(3 rows)"
    assert cut == "cut to fit: text"
    assert remedy.startswith("to get all: --format csv")


def test_a_date_is_shown_whole_or_not_at_all() -> None:
    row = (LONG, datetime(2026, 11, 27, 9, 30, 5, tzinfo=UTC).replace(tzinfo=None), None, LONG)
    columns = ("text", "since", "until", "reason")
    for width in (30, 40, 60):
        header, _, first, *more = render(QueryResult(columns, [row]), width)
        assert ("since" in header.split()) == ("2026-11-27 09:30:05" in first) == ("since" not in " ".join(more))


def test_columns_without_room_are_left_out_and_named() -> None:
    lines = render(make_result(columns=9), 50)
    assert lines[0].split() == ["id", "text", *(f"figure_{number}" for number in range(3))]
    assert "left out for lack of room: 4 columns, figure_3," in " ".join(lines)


def test_rows_beyond_the_limit_are_counted_and_not_shown() -> None:
    lines = render(QueryResult(("n",), iter([(number,) for number in range(1_000)])), 80)
    assert lines[MOST_ROWS + 1] == f"{MOST_ROWS - 1:>2}"
    assert lines[-2:] == [
        f"(1,000 rows, the first {MOST_ROWS} shown)",
        "to get all: --format csv, --output FILE, or | less -S",
    ]


def test_a_table_that_fits_is_shown_whole_without_a_note() -> None:
    lines = render(make_result(), 200)
    assert LONG in lines[2]
    assert lines[-1] == "(3 rows)"


def test_wide_letters_are_cut_at_the_columns_that_they_take() -> None:
    lines = render(QueryResult(("text",), [("日本語の見出し" * 4,)]), 20)
    assert lines[2] == "日本語の見出し日本…"


def test_each_text_keeps_some_characters() -> None:
    fitted = fit_columns([300, 300, 5], [False, False, True], 2 * LEAST_WIDTH + 9)
    assert fitted == (LEAST_WIDTH, LEAST_WIDTH, 5)


def test_a_terminal_is_fitted_and_a_pipe_is_not(warehouse: Path) -> None:
    query: Any = ("sql", f"SELECT range AS n, '{LONG}' AS text FROM range(50)")
    on_terminal = spawn_on_terminal(*query, COLUMNS="60").decode().splitlines()
    assert max(map(len, on_terminal)) <= 60
    assert f"(50 rows, the first {MOST_ROWS} shown)" in on_terminal
    piped = spawn(*query, COLUMNS="60").stdout.splitlines()
    assert len(piped) == 53
    assert all(LONG in line for line in piped[2:-1])
