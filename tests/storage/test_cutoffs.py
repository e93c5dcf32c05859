"""Headlines that a base model may have read in pretraining are counted if a study states when its data end."""

from datetime import date

import pytest

from storage.cells import add_cells
from storage.studies import load_cutoffs, save_study
from storage.warehouse import writing
from tests.asking import ask

CUTOFF = date(2023, 3, 1)
OVER_TIME = (
    "SELECT cell_id, strftime(begins, '%Y-%m'), n, n_before_cutoff FROM accuracy_over_time"
    " WHERE period = 'month' AND (temperature = 1 OR temperature IS NULL) AND study_id = '{}' ORDER BY ALL"
)


@pytest.fixture
def dated(finished):
    """A study of which three test headlines were published before, on and after the last day that its model read."""
    days = ["2023-02-10 09:00", "2023-03-01 23:59:59", "2023-03-02 00:00"]
    with writing(finished) as connection:
        found = connection.execute("SELECT DISTINCT headline_id FROM ledger.predictions ORDER BY 1").fetchall()
        for (headline,), day in zip(found, days, strict=True):
            connection.execute("UPDATE headlines SET published_at = ? WHERE headline_id = ?", [day, headline])
    return finished


def test_headlines_up_to_the_last_day_are_counted_for_each_cell_whose_study_states_that_day(dated, cell):
    assert {row[-1] for row in ask(dated, OVER_TIME.format("study"))} == {None}
    assert load_cutoffs(dated, "study") == []
    add_cells(dated, "study", [cell(trained_until=CUTOFF)])
    assert ask(dated, OVER_TIME.format("study")) == [
        *(("base", "2023-02", 1, None), ("base", "2023-03", 2, None)),
        *(("svm", "2023-02", 1, None), ("svm", "2023-03", 2, None)),
        *(("tuned", "2023-02", 1, 1), ("tuned", "2023-03", 2, 1)),
    ]
    assert load_cutoffs(dated, "study") == [("tiny-llama", CUTOFF, 2, 3)]


def test_a_run_without_a_day_keeps_the_earlier_one_and_another_day_replaces_it(dated, cell):
    add_cells(dated, "study", [cell(trained_until=CUTOFF)])
    add_cells(dated, "study", [cell()])
    assert load_cutoffs(dated, "study") == [("tiny-llama", CUTOFF, 2, 3)]
    add_cells(dated, "study", [cell(trained_until=date(2023, 3, 2))])
    assert load_cutoffs(dated, "study") == [("tiny-llama", date(2023, 3, 2), 3, 3)]


def test_studies_that_share_a_cell_have_a_day_each_and_scores_use_the_latest_one(dated, cell, study):
    add_cells(dated, "study", [cell(trained_until=CUTOFF)])
    save_study(dated, study(study_id="later"))
    add_cells(dated, "later", [cell(trained_until=date(2022, 1, 1))])
    save_study(dated, study(study_id="latest"))
    add_cells(dated, "latest", [cell()])
    assert [row[-1] for row in ask(dated, OVER_TIME.format("later"))] == [0, 0]
    assert [row[-1] for row in ask(dated, OVER_TIME.format("study")) if row[0] == "tuned"] == [1, 1]
    latest = "SELECT trained_until FROM ledger.cutoffs WHERE cell_id = 'tuned'"
    assert ask(dated, latest) == [(date(2022, 1, 1),)]
