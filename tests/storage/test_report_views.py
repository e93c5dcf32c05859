"""What the report counts in SQL: intervals as in Python, cells that share a training, and acting on sure answers."""

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


def test_acting_on_surer_answers_counts_those_of_at_least_that_confidence(finished, evaluation):
    """The likeliest answers are negative .7, neutral .6 with what is unparsed, and negative .55, which is wrong."""
    probabilities = {
        "p_negative": [0.7, 0.3, 0.55],
        "p_neutral": [0.1, 0.2, 0.25],
        "p_positive": [0.1, 0.1, 0.1],
        "p_unparsed": [0.1, 0.4, 0.1],
    }
    rows = {"evaluation_id": "tuned at 1", "headline_id": HEADLINE_IDS[:3], "predicted": "neutral"}
    replace_evaluations(finished, [evaluation("tuned", 1)], pd.DataFrame(rows | probabilities))
    columns = "SELECT threshold, n, coverage, hits, accuracy, accuracy_low, accuracy_high FROM acting"
    found = ask(finished, f"{columns} WHERE part = 'test' AND cell_id = 'tuned' AND temperature = 1 ORDER BY threshold")
    counts = [(3, 2)] * 56 + [(2, 2)] * 5 + [(1, 1)] * 10 + [(0, 0)] * 29
    expected = [
        (step / 100, n, n / 3, hits, *((hits / n, *accuracy_interval(hits, n)) if n else (None, None, None)))
        for step, (n, hits) in enumerate(counts)
    ]
    assert [pytest.approx(row) for row in expected] == found


def test_a_mix_up_is_positive_for_negative_or_negative_for_positive(finished, evaluation):
    """The labels are negative, neutral, positive, and the same again."""
    answers = ["positive", "negative", "positive", "neutral", "neutral", "negative"]
    rows = pd.DataFrame({"evaluation_id": "tuned at 1", "headline_id": HEADLINE_IDS, "predicted": answers})
    replace_evaluations(
        finished,
        [evaluation("tuned", 1)],
        rows.assign(p_negative=0.25, p_neutral=0.25, p_positive=0.25, p_unparsed=0.25),
    )
    columns = "n, mix_ups, mix_up_rate, mix_up_rate_low, mix_up_rate_high, right_calls, right_calls_per_mix_up"
    found = "SELECT {} FROM ledger.mix_ups WHERE evaluation_id = 'tuned at {}'"
    assert ask(finished, found.format(columns, 1)) == [pytest.approx((6, 2, 1 / 3, *accuracy_interval(2, 6), 1, 0.5))]
    assert ask(finished, found.format("mix_ups, right_calls_per_mix_up", 10)) == [(1, 1.0)]


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
