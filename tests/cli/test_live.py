"""The live view: every cell with its state, the running one with its bar, and no more lines than the terminal has."""

import io

import pytest
from rich.console import Console

from cli.session.live import LINES_ABOVE, LiveView

CELLS = ["majority class", "base model embedded", "lr=1e-03 epochs=1 seed=42", "lr=1e-03 epochs=3 seed=42"]


def draw(view: LiveView, width: int = 100, height: int = 40, encoding: str = "utf-8") -> list[str]:
    """The lines of a terminal, without colours."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, height=height, color_system=None, legacy_windows=False)
    console.print(view)
    stream.seek(0)
    return [line.rstrip() for line in stream.read().splitlines()]


@pytest.fixture
def view() -> LiveView:
    """One cell is done, one failed, one trains, and one is to come."""
    view = LiveView()
    view.take({"cells": CELLS})
    view.take({"cell": CELLS[0], "state": "done", "result": "test accuracy 0.333 [0.303, 0.365]"})
    view.take({"cell": CELLS[1], "state": "failed", "result": "died"})
    view.take({"cell": CELLS[2], "state": "running"})
    progress = {"title": "train", "done": 30, "total": 90, "detail": "loss 0.412, 70 headlines/s", "ends": "0:12 left"}
    view.take({"cell": CELLS[2], **progress})
    view.take({"left": "1:32"})
    return view


def test_nothing_is_drawn_before_the_first_event() -> None:
    assert draw(LiveView()) == []


def test_each_cell_has_its_state_and_the_last_line_counts_them(view: LiveView) -> None:
    lines = draw(view)
    assert [line[0] for line in lines[:2]] == ["✓", "✗"]
    assert "test accuracy 0.333 [0.303, 0.365]" in lines[0]
    assert "30/90, 0:12 left, loss 0.412, 70 headlines/s" in lines[2]
    assert lines[3].startswith(f"· {CELLS[3]}")
    assert lines[4] == "4 cells: 1 done, 1 failed, 1 running, 1 to come, about 1:32 left"


def test_a_narrow_terminal_gets_no_bar_and_no_second_line(view: LiveView) -> None:
    for width in (20, 40, 71, 72, 80):
        lines = draw(view, width)
        assert len(lines) == len(CELLS) + 1
        assert max(map(len, lines)) <= width
        assert ("━" in "".join(lines)) == (width >= 72)
        assert lines[0].startswith("✓ majority")


def test_a_title_of_wide_letters_is_whole_where_there_is_room() -> None:
    view = LiveView()
    view.take({"title": "日本語の見出し.csv", "done": 1, "total": 2, "detail": "", "ends": ""})
    assert draw(view)[0].split()[1] == "日本語の見出し.csv"


def test_a_terminal_without_these_symbols_gets_ascii_ones(view: LiveView) -> None:
    assert [line[0] for line in draw(view, encoding="ascii")[:4]] == ["+", "x", "*", "."]


def test_of_many_cells_those_around_the_running_one_are_shown() -> None:
    view = LiveView()
    titles = [f"cell {number}." for number in range(100)]
    view.take({"cells": titles})
    for title in titles[:50]:
        view.take({"cell": title, "state": "done"})
    view.take({"cell": titles[50], "state": "running"})
    *rows, summary = draw(view, height=24)
    assert len(rows) == 24 - LINES_ABOVE
    assert any("cell 49." in row for row in rows)
    assert any("cell 50." in row for row in rows)
    assert any("cell 51." in row for row in rows)
    assert summary == "100 cells: 50 done, 1 running, 49 to come"


def test_the_bar_of_other_work_disappears_when_it_is_done(view: LiveView) -> None:
    view.take({"title": "score news.csv", "done": 1, "total": 2, "detail": "", "ends": ""})
    assert "score news.csv" in draw(view)[0]
    view.take({"title": "score news.csv", "done": 2, "total": 2, "detail": "", "ends": ""})
    assert "score news.csv" not in "".join(draw(view))


def test_when_all_is_done_no_remaining_time_is_shown(view: LiveView) -> None:
    for title in CELLS:
        view.take({"cell": title, "state": "done"})
    assert draw(view)[-1] == "4 cells: 4 done"


def test_a_cell_that_a_race_dropped_is_not_counted_as_to_come() -> None:
    view = LiveView()
    view.take({"cells": CELLS[:2]})
    view.take({"cell": CELLS[0], "state": "done"})
    view.take({"cell": CELLS[1], "state": "dropped", "result": "dropped after epoch 1"})
    view.take({"left": "1:32"})
    lines = draw(view)
    assert lines[1].startswith(f"- {CELLS[1]}")
    assert lines[1].endswith("dropped after epoch 1")
    assert lines[2] == "2 cells: 1 done, 1 dropped"
    assert draw(view, encoding="ascii")[1].startswith("-")
