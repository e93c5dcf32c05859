"""Answers that a market is compared with: each headline once, of one decoding, later than what a cell learned from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.cells import add_cells
from storage.splits import save_split
from storage.warehouse import writing
from tests.asking import ask
from tests.reigns import answer


def test_what_a_cell_learned_from_does_not_count_where_another_study_judged_it(
    finished: Path, cell: Callable[..., Any]
) -> None:
    with writing(finished) as connection:
        connection.execute(
            "UPDATE headlines SET published_at = TIMESTAMP '2026-01-05' + INTERVAL (right(headline_id, 1)::INT) DAY"
        )
    parts = {"train": ["0000000000000000"], "validation": ["0000000000000001"], "test": ["0000000000000002"]}
    save_split(finished, "own", "snapshot", parts, {})
    add_cells(finished, "study", [cell(cell_id="other", split_id="own", seed=7)])
    with writing(finished) as connection:  # judged on the test part of the first study, which has all three
        connection.execute("UPDATE evaluations SET cell_id = 'other' WHERE cell_id = 'base'")
    rows = ask(
        finished,
        "SELECT right(headline_id, 1), in_sample, counts FROM dated_answers JOIN headlines USING (text)"
        " WHERE cell_id = 'other' AND temperature = 1 ORDER BY headline_id",
    )
    assert rows == [("0", True, False), ("1", False, False), ("2", False, True)]


def test_answers_of_an_earlier_decoding_are_left_out(finished: Path) -> None:
    answer(finished, "tuned", ("a", 400, None), ("b", 400, None))
    answer(finished, "tuned", ("a", 400, None), source="again", decoding="nucleus", p_positive=0.6)
    rows = "SELECT text, p_positive FROM dated_answers WHERE cell_id = 'tuned' AND origin = 'scored' ORDER BY text"
    assert ask(finished, rows) == [("a", 0.6)]
    answer(finished, "tuned", ("b", 400, None), source="back")
    assert ask(finished, rows) == [("a", 0.7), ("b", 0.7)]


def test_a_row_without_instrument_is_the_headline_that_another_row_names(finished: Path) -> None:
    answer(finished, "tuned", ("a", 400, None, "NWD"), ("a", 400, None, "nwd "), ("a", 400, None), ("b", 400, None))
    answer(finished, "tuned", ("a", 400, None), ("a", 401, None), source="again")
    rows = "SELECT text, dayofyear(published_at), instrument FROM dated_answers WHERE origin = 'scored' ORDER BY ALL"
    assert ask(finished, rows) == [("a", 36, "NWD"), ("a", 37, None), ("b", 36, None)]
