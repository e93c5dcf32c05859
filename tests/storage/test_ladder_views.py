"""The ladder of a study and its accuracy by agreement, against Python, scikit-learn and rows that are easy to count."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef

from learning.study.confusion import count_confusion, macro_f1
from learning.study.intervals import accuracy_interval, macro_f1_interval
from storage.cell_progress import finish_cell, save_cost, save_training_log
from storage.cells import CellOutcome, add_cells
from storage.evaluations import load_best, save_evaluations
from storage.studies import save_study
from storage.warehouse import writing
from tests.asking import ask

LABELS = np.array(["negative", "neutral", "positive"])
LEVELS = {50: "50-65 %", 66: "66-74 %", 75: "75-99 %", 100: "100 %"}


@pytest.fixture
def answer(warehouse, study, cell, evaluation):
    """Puts the answers of one cell into a warehouse: labels, answers and levels of agreement, as numbers."""

    def put(labels, answers, levels):
        ids = [f"{number:016d}" for number in range(len(labels))]
        frame = pd.DataFrame({"headline_id": ids, "label": LABELS[labels], "agreement": levels})
        save_study(warehouse, study())
        add_cells(warehouse, "study", [cell()])
        with writing(warehouse) as connection:
            connection.register("new", frame.assign(agreement=pd.array(levels, dtype="Int64")))
            connection.execute(
                "INSERT INTO headlines BY NAME SELECT headline_id, label, 'x' AS text, 'i' AS first_ingest_id FROM new"
            )
            connection.execute(
                "INSERT INTO snapshot_headlines BY NAME SELECT 'snapshot' AS snapshot_id, headline_id, agreement,"
                " row_number() OVER () AS position, 1 AS copies FROM new"
            )
        predictions = pd.DataFrame({"headline_id": ids, "predicted": LABELS[answers]}).assign(evaluation_id="e")
        save_evaluations(warehouse, [evaluation("tuned", 1, evaluation_id="e", n=len(labels))], predictions)
        return warehouse

    return put


@pytest.mark.parametrize(("seed", "labels_there"), [(1, [0, 1, 2]), (2, [0, 2]), (3, [0, 1, 2])])
def test_accuracy_by_agreement_is_what_python_counts_on_each_level(answer, seed, labels_there):
    random = np.random.default_rng(seed)
    labels, levels = random.choice(labels_there, 400), random.choice([*LEVELS], 400, p=[0.05, 0.15, 0.3, 0.5])
    answers = np.where(random.random(400) < levels / 110, labels, random.integers(0, 3, 400))
    answers[(levels == 100) & (seed == 3)] = labels[(levels == 100) & (seed == 3)]
    rows = ask(answer(labels, answers, levels), "FROM accuracy_by_agreement")
    assert [row[4] for row in rows] == [*LEVELS.values()]
    for level, row in zip(LEVELS, rows, strict=True):
        level_labels, level_answers = labels[levels == level], answers[levels == level]
        counts = count_confusion(level_labels, level_answers)
        n, hits = len(level_labels), int((level_labels == level_answers).sum())
        interval = macro_f1_interval(counts) or (None, None)
        assert row[5:9] == pytest.approx((n, hits / n, *accuracy_interval(hits, n)))
        assert row[9:12] == pytest.approx((macro_f1(counts), *interval))
    assert any(row[10] is not None for row in rows)


def test_headlines_without_a_level_are_not_counted_by_it(answer):
    rows = ask(answer([0, 1, 2], [0, 1, 1], [None, 100, None]), "FROM accuracy_by_agreement")
    assert [(row[4], row[5], row[6]) for row in rows] == [("100 %", 1, 1.0)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_correlation_of_labels_and_answers_is_matthews(answer, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, 300)
    answers = np.where(random.random(300) < 0.3 * seed, labels, random.integers(seed - 1, 3, 300))
    [(mcc,)] = ask(answer(labels, answers, [None] * 300), "SELECT mcc FROM ladder")
    assert mcc == pytest.approx(matthews_corrcoef(labels, answers))


@pytest.mark.parametrize(("labels", "answers"), [([0, 1, 2], [1, 1, 1]), ([0, 0, 0], [0, 1, 2]), ([1, 1], [1, 1])])
def test_one_answer_or_one_label_correlates_with_nothing(answer, labels, answers):
    assert ask(answer(labels, answers, [None] * len(labels)), "SELECT mcc FROM ladder") == [(0.0,)]


def test_the_ladder_goes_from_cheap_to_costly(finished, cell, evaluation, predict):
    unvaried = {"learning_rate": None, "epochs": None, "seed": None}
    add_cells(finished, "study", [cell(cell_id="slow", name="slow", kind="baseline", model="slow", **unvaried)])
    save_evaluations(finished, [evaluation("slow", None)], predict("slow at None"))
    add_cells(finished, "study", [cell(cell_id="base", kind="base", name="base", size_bytes=1000, **unvaried)])
    save_cost(finished, "slow", 20.0, 300)
    save_cost(finished, "svm", 0.5, 4000)
    finish_cell(finished, "tuned", CellOutcome(train_seconds=9.0, size_bytes=1050))
    columns = "rung, cell_id, train_seconds, size_bytes, headlines_per_second"
    rows = ask(finished, f"SELECT {columns} FROM ladder WHERE temperature IS NULL OR temperature = 1")
    assert rows == [
        (1, "svm", 0.5, 4000, 2.0),
        (2, "slow", 20.0, 300, 2.0),
        (3, "base", None, 1000, 2.0),
        (4, "tuned", 9.0, 1050, 2.0),
    ]


def test_a_cell_that_shares_steps_costs_those_of_the_shorter_cells_too(finished, cell, evaluation, predict):
    costs = {"short": (2, 3.0, 0), "long": (4, 4.0, 2), "alone": (6, 9.0, 0)}
    for cell_id, (steps, seconds, first) in costs.items():
        settings = {"training": {"epochs": steps, "learning_rate": 2.0 if cell_id == "alone" else 1.0}}
        add_cells(finished, "study", [cell(cell_id=cell_id, name=cell_id, epochs=steps, hyperparameters=settings)])
        finish_cell(finished, cell_id, CellOutcome(steps=steps, train_seconds=seconds, first_step=first))
        log = {"cell_id": cell_id, "step": range(1, steps + 1), "epoch": 1, "loss": 1.0, "grad_norm": 1.0}
        rest = {"learning_rate": 1e-3, "examples_per_second": 1, "logged_at": "2026-01-01"}
        save_training_log(finished, pd.DataFrame({**log, **rest}), whole=True)
        save_evaluations(finished, [evaluation(cell_id, 1)], predict(f"{cell_id} at 1"))
    rows = ask(finished, "SELECT cell_id, train_seconds FROM ladder WHERE temperature = 1 AND rung > 3")
    assert dict(rows) == {"short": 3.0, "long": 7.0, "alone": 9.0}


def test_a_cell_costs_what_it_continued_from_and_not_what_was_trained_apart_from_it(finished, cell):
    costs = {
        "e1": (10, 10.0, 0),
        "e3": (30, 20.0, 10),
        "e2": (20, 21.0, 0),
        "e4": (40, 10.0, 30),
        "again": (50, 1.0, 50),  # resumed at its very end
        "twin": (50, 2.0, 50),
    }
    for cell_id, (steps, seconds, first) in costs.items():
        settings = {"training": {"epochs": steps}}
        add_cells(finished, "study", [cell(cell_id=cell_id, name=cell_id, epochs=steps, hyperparameters=settings)])
        finish_cell(finished, cell_id, CellOutcome(steps=steps, train_seconds=seconds, first_step=first))
        log = {"cell_id": cell_id, "step": range(1, steps + 1), "epoch": 1, "loss": 1.0, "grad_norm": 1.0}
        rest = {"learning_rate": 1e-3, "examples_per_second": 1, "logged_at": "2026-01-01"}
        save_training_log(finished, pd.DataFrame({**log, **rest}), whole=True)
    rows = ask(finished, "SELECT cell_id, train_seconds FROM ledger.prices")
    found = {cell_id: seconds for cell_id, seconds in rows if cell_id in costs}
    assert found == {"e1": 10.0, "e3": 30.0, "e2": 21.0, "e4": 40.0, "again": 41.0, "twin": 42.0}


def test_the_best_fine_tune_of_a_base_is_the_one_that_validation_chooses(finished, cell, evaluation, predict):
    cells = (
        ("worse", {"epochs": 1}, 0.1),
        ("better", {"epochs": 2}, 0.2),
        ("as good", {"epochs": 5}, 0.2),
        ("other base", {"model": "other"}, 0.05),
    )
    add_cells(finished, "study", [cell(cell_id=cell_id, name=cell_id, **changes) for cell_id, changes, _ in cells])
    made, answers = [], []
    for cell_id, _, right in cells:
        for part, temperature in (("validation", 0.1), ("validation", 1), ("test", 1)):
            name = f"{cell_id} {part} {temperature}"
            made.append(evaluation(cell_id, temperature, part=part, evaluation_id=name))
            answers.append(predict(name, p=right if temperature < 1 else 1 - right))
    save_evaluations(finished, made, pd.concat(answers))
    rows = ask(finished, "SELECT DISTINCT cell_id FROM ladder WHERE is_best_of_base ORDER BY cell_id")
    assert rows == [("better",), ("other base",)]
    assert load_best(finished, "study").cell_id == "better"


@pytest.mark.parametrize("dearer", [{"epochs": 4}, {"learning_rate": 2e-3}, {"seed": 43}, {}])
def test_of_equally_good_cells_validation_chooses_the_cheapest(finished, cell, evaluation, predict, dearer):
    names = ("dear", "cheap") if dearer else ("cheap", "dear")  # alike in cost, the first one is chosen
    usual = {"epochs": 3, "learning_rate": 1e-3, "seed": 42}
    values = {"cheap": usual, "dear": usual | dearer}
    add_cells(finished, "study", [cell(cell_id=name, name=name, **values[name]) for name in names])
    made = [evaluation(name, 0.1, part="validation", evaluation_id=name) for name in names]
    right = {"cheap": 0.3, "dear": 0.1 + 0.2}  # which only rounding makes larger
    save_evaluations(finished, made, pd.concat([predict(name, p=right[name]) for name in names]))
    assert load_best(finished, "study").cell_id == "cheap"
