"""Answers that a market is compared with: each headline once, of one decoding, later than what a cell learned from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.cells import add_cells
from storage.deletion import delete_study
from storage.splits import save_split
from storage.studies import save_study
from storage.warehouse import writing
from tests.asking import ask
from tests.reigns import answer, decide


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


def test_answers_of_a_cell_whose_study_was_deleted_stay_and_do_not_count(finished: Path) -> None:
    answer(finished, "tuned", ("a", 400, None))
    delete_study(finished, "study")
    rows = "SELECT text, in_sample, trained_to, counts, before_cutoff, timezone FROM dated_answers"
    assert ask(finished, rows) == [("a", False, None, False, None, "UTC")]


def test_a_date_was_read_in_the_zone_of_its_scoring_or_else_of_the_latest_study_of_the_cell(
    finished: Path, study: Callable[..., Any], cell: Callable[..., Any]
) -> None:
    answer(finished, "tuned", ("a", 400, None))
    answer(finished, "tuned", ("b", 400, None), source="again")
    with writing(finished) as connection:
        connection.execute("UPDATE scorings SET timezone = 'Asia/Tokyo' WHERE source = 'again'")
    zones = []
    for number, zone in enumerate(("Europe/Berlin", "Europe/Athens", "localtime")):
        save_study(finished, study(study_id=f"{number}", config={"data": {"timezone": zone}}))
        add_cells(finished, f"{number}", [cell()])
        zones.append(ask(finished, "SELECT timezone FROM dated_answers WHERE origin = 'scored' ORDER BY text"))
    of_again = ("Asia/Tokyo",)
    assert zones == [[("Europe/Berlin",), of_again], [("Europe/Athens",), of_again], [("UTC",), of_again]]


def test_a_champion_answers_at_its_own_temperature_and_while_it_is_champion(finished: Path) -> None:
    decide(finished, "promoted", "tuned", 10, temperature=1)
    answer(finished, "tuned", ("a", 11, None))
    rows = "SELECT by_champion FROM dated_answers WHERE origin = 'scored' ORDER BY published_at"
    assert ask(finished, rows) == [(False,)]
    decide(finished, "promoted", "tuned", 20)
    decide(finished, "promoted", "base", 30)
    answer(finished, "tuned", ("b", 20, None), ("c", 29, None), ("d", 30, None), source="again")
    assert ask(finished, rows) == [(False,), (True,), (True,), (False,)]


def test_of_folds_each_headline_is_compared_with_what_the_model_of_its_fold_learned_from(finished: Path) -> None:
    first, second, third = (f"{number:016d}" for number in range(3))
    save_split(finished, "fold 1", "snapshot", {"train": [second, third], "test": [first]}, {})
    save_split(finished, "fold 2", "snapshot", {"train": [first], "test": [second, third]}, {})
    with writing(finished) as connection:
        connection.execute("INSERT INTO split_folds VALUES ('split', 1, 'fold 1'), ('split', 2, 'fold 2')")
        for headline, day in ((first, 10), (second, 5), (third, 12)):
            connection.execute(
                "UPDATE headlines SET published_at = ? WHERE headline_id = ?", [f"2026-01-{day:02d}", headline]
            )
    rows = ask(
        finished,
        "SELECT right(headline_id, 1), origin, in_sample, day(trained_to), counts FROM dated_answers JOIN headlines"
        " USING (text) WHERE cell_id = 'tuned' AND temperature = 1 ORDER BY headline_id",
    )
    assert rows == [("0", "test", False, 12, False), ("1", "test", False, 10, False), ("2", "test", False, 10, True)]


def test_of_a_headline_that_was_tested_and_scored_the_answer_of_the_test_stays(finished: Path) -> None:
    with writing(finished) as connection:
        connection.execute("UPDATE headlines SET published_at = TIMESTAMP '2026-01-05' WHERE headline_id LIKE '%0'")
    answer(finished, "tuned", ("Sales of firm 5 rose .", 4, None))
    rows = "SELECT text, origin, p_positive FROM dated_answers WHERE cell_id = 'tuned' AND temperature = 0.1"
    assert ask(finished, rows) == [("Sales of firm 5 rose .", "test", 0.25)]


def test_of_two_zones_a_headline_has_the_one_in_which_it_is_a_date_without_a_time(finished: Path) -> None:
    """It is then known at the end of that day, which is the later of the two times."""
    zones = ("America/New_York", "Europe/Berlin", "Asia/Tokyo")
    for zone in zones:
        answer(finished, "tuned", ("a", 4 + 23 / 24, None), source=zone)
    with writing(finished) as connection:
        connection.execute("UPDATE scorings SET timezone = source")
    assert ask(finished, "SELECT timezone FROM dated_answers WHERE text = 'a'") == [("Europe/Berlin",)]
