"""What the report counts in SQL: intervals as in Python, cells that share a training, and acting on sure answers."""

from itertools import pairwise

import pandas as pd
import pytest

from learning.study.intervals import accuracy_interval
from schemas.report import Chosen
from storage.cell_progress import save_training_log
from storage.cells import add_cells
from storage.report_queries import report_queries
from storage.splits import save_split
from storage.warehouse import writing
from tests.asking import ask
from tests.storage.conftest import HEADLINE_IDS
from tests.storage.replacing import replace_evaluations


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 7), (1, 900), (899, 900)])
def test_the_interval_of_a_share_is_that_of_an_accuracy(warehouse, hits, n):
    [bounds] = ask(warehouse, f"SELECT hits_low({hits}, {n}), hits_high({hits}, {n})")
    assert bounds == pytest.approx(accuracy_interval(hits, n))


def test_cells_share_a_training_where_settings_but_epochs_and_losses_agree(finished, cell):
    training = {"loss": "completion", "learning_rate": 1e-3}
    for cell_id, epochs, losses in (("short", 1, [3.0, 2.0]), ("long", 2, [3.0, 2.0, 1.0]), ("other", 3, [3.0, 2.5])):
        settings = {"training": {**training, "epochs": epochs}}
        add_cells(finished, "study", [cell(cell_id=cell_id, name=cell_id, epochs=epochs, hyperparameters=settings)])
        log = {"cell_id": cell_id, "step": range(1, len(losses) + 1), "epoch": 1, "loss": losses, "grad_norm": 1.0}
        rest = {"learning_rate": 1e-3, "examples_per_second": 1, "logged_at": "2026-01-01"}
        save_training_log(finished, pd.DataFrame({**log, **rest}), whole=True)
    rows = ask(finished, "SELECT cell_id, training_cell_id FROM ledger.trainings WHERE study_id = 'study'")
    assert {("short", "long"), ("long", "long"), ("other", "other")} <= set(rows)


def test_a_base_model_that_is_spelled_differently_is_the_same_one(finished, cell):
    for cell_id, epochs, name in (
        ("short", 1, "models/gemma"),
        ("long", 2, "/data/models/gemma"),
        ("odd", 1, "models/gemma"),
    ):
        settings = {"base_model": {"name": name}, "training": {"learning_rate": 1e-3, "epochs": epochs}}
        revision = "other files" if cell_id == "odd" else "files"
        record = cell(cell_id=cell_id, name=cell_id, epochs=epochs, hyperparameters=settings, base_revision=revision)
        add_cells(finished, "study", [record])
        log = {
            "cell_id": cell_id,
            "step": range(1, epochs + 1),
            "epoch": 1,
            "loss": [3.0, 2.0][:epochs],
            "grad_norm": 1.0,
        }
        rest = {"learning_rate": 1e-3, "examples_per_second": 1, "logged_at": "2026-01-01"}
        save_training_log(finished, pd.DataFrame({**log, **rest}), whole=True)
    rows = ask(finished, "SELECT cell_id, training_cell_id FROM ledger.trainings WHERE study_id = 'study'")
    assert {("short", "long"), ("long", "long"), ("odd", "odd")} <= set(rows)


def test_acting_on_surer_answers_counts_those_of_at_least_that_confidence(finished):
    columns = "SELECT threshold, n, coverage, accuracy FROM acting WHERE study_id = 'study' AND part = 'test'"
    rows = ask(finished, f"{columns} AND cell_id = 'tuned' AND temperature = 1 ORDER BY threshold")
    assert [row[0] for row in rows] == pytest.approx([step / 100 for step in range(100)])
    [sizes] = ask(
        finished,
        "SELECT count(*), count(*) FILTER (confidence >= 0.5) FROM ledger.answers WHERE study_id = 'study' AND"
        " part = 'test' AND cell_id = 'tuned' AND temperature = 1",
    )
    assert (rows[0][1], rows[50][1]) == sizes
    assert all(later[1] <= row[1] for row, later in pairwise(rows))


def test_the_headlines_of_each_fold_are_counted_by_part(finished):
    parts = {"train": HEADLINE_IDS[:3], "validation": HEADLINE_IDS[3:4], "test": HEADLINE_IDS[4:6]}
    save_split(finished, "first", "snapshot", parts, {})
    with writing(finished) as connection:
        connection.execute("INSERT INTO split_folds VALUES ('split', 1, 'first')")
    query = report_queries("study", Chosen("tuned", "lr=2e-04 epochs=3", 1), (), 0.9)["fold_sizes"]
    assert ask(finished, query) == [(1, 3, 1, 2)]


def test_the_confidence_of_a_mistake_is_that_of_the_calibration(finished, evaluation):
    """What is unparsed counts as neutral: .5 and .2 are a confidence of .7 in neutral, which is wrong."""
    rows = {"evaluation_id": "tuned at 1", "headline_id": HEADLINE_IDS[:3], "predicted": "neutral"}
    sure = {"p_negative": 0.2, "p_neutral": 0.5, "p_positive": 0.1, "p_unparsed": 0.2}
    replace_evaluations(finished, [evaluation("tuned", 1)], pd.DataFrame(rows | sure))
    query = report_queries("study", Chosen("tuned", "lr=2e-04 epochs=3", 1), (), 0.9)["mistakes"]
    wrong = ask(finished, query)
    assert [row[1:3] for row in wrong] == [("positive", "neutral"), ("negative", "neutral")]
    assert {row[3] for row in wrong} == {0.7}
