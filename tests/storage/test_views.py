"""What analysts see in the views."""

from dataclasses import replace

import pandas as pd
import pytest

from schemas.report import Chosen
from storage.cell_progress import fail_cell
from storage.cells import add_cells
from storage.champions import Decision, load_champion, save_decision
from storage.evaluations import save_evaluations
from storage.headlines import save_ingestion
from storage.query import query
from storage.report_queries import report_queries
from storage.studies import save_study
from storage.warehouse import writing
from tests.asking import ask

CONTRACT = {
    "leaderboard": "study_id, cell_id, kind, model, learning_rate, epochs, seed, part, temperature, n, accuracy,"
    " accuracy_low, accuracy_high, macro_f1, macro_f1_low, macro_f1_high, expected_accuracy, unparsed_rate,"
    " is_champion, finished_at, strict_accuracy, expected_accuracy_low, expected_accuracy_high, argmax_accuracy,"
    " argmax_macro_f1, evaluation_id, cell_name, settings, place",
    "predictions": "study_id, cell_id, part, temperature, headline_id, label, predicted, p_negative, p_neutral,"
    " p_positive, p_unparsed, parsed, argmax, argmax_parsed, evaluation_id",
    "rejected_rows": "ingest_id, source, row_number, reason, raw",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_analysts_find_the_columns_of_the_contract(warehouse, name):
    assert ", ".join(query(warehouse, f"FROM {name}").columns) == CONTRACT[name]


def test_predictions_are_shown_with_the_label(finished):
    rows = ask(finished, "SELECT headline_id, label, predicted FROM predictions WHERE cell_id = 'svm' ORDER BY 1")
    assert rows == [
        ("0000000000000000", "negative", "positive"),
        ("0000000000000001", "neutral", "positive"),
        ("0000000000000002", "positive", "positive"),
    ]


def test_studies_share_a_cell_and_each_sees_its_own_temperatures(finished, study, cell, evaluation, predict):
    save_study(finished, study(study_id="cold", temperatures=(0.1, 0.5)))
    add_cells(finished, "cold", [cell(), cell(cell_id="svm", kind="baseline")])
    half = evaluation("tuned", 0.5)
    save_evaluations(finished, [half], predict(half.evaluation_id))
    rows = ask(finished, "SELECT cell_id, temperature FROM leaderboard WHERE study_id = 'cold' ORDER BY ALL")
    assert rows == [("svm", None), ("tuned", 0.1), ("tuned", 0.5)]
    assert ask(finished, "SELECT count(*) FROM predictions WHERE study_id = 'cold'") == [(9,)]
    assert ask(finished, "SELECT count(*) FROM leaderboard WHERE study_id = 'study'") == [(7,)]


def test_an_evaluation_with_another_decoding_is_not_one_of_the_study(finished, evaluation, predict):
    greedy = evaluation("tuned", 1, evaluation_id="greedy", decoding_id="top-1")
    save_evaluations(finished, [greedy], predict("greedy"))
    assert ask(finished, "SELECT count(*) FROM leaderboard WHERE cell_id = 'tuned'") == [(3,)]


def test_the_champion_is_the_cell_that_was_promoted_last(finished):
    champions = "SELECT DISTINCT cell_id FROM leaderboard WHERE is_champion"
    assert ask(finished, champions) == []
    for cell_id, decided in [("base", "promoted"), ("tuned", "promoted"), ("base", "kept")]:
        save_decision(finished, Decision(decided, "gate", "tested", "study", cell_id, 1.0), load_champion(finished))
    assert ask(finished, champions) == [("tuned",)]


def test_published_figures_are_shown_with_measured_ones(finished):
    measured = (
        "SELECT kind, temperature, accuracy_difference, accuracy_in_interval, macro_f1_in_interval FROM reproduction"
    )
    rows = ask(finished, f"{measured} WHERE learning_rate = 2e-4 AND epochs = 3 ORDER BY temperature")
    assert rows == [
        ("fine-tuned", 0.1, pytest.approx(0.83 - 0.842), True, False),
        ("fine-tuned", 1, pytest.approx(0.83 - 0.841), True, False),
        ("fine-tuned", 10, pytest.approx(0.83 - 0.392), False, False),
    ]
    assert len(ask(finished, f"{measured} WHERE kind = 'base' AND accuracy_difference IS NOT NULL")) == 3
    assert ask(finished, "SELECT count(*), count(study_id) FROM reproduction") == [(22, 6)]


def test_a_prompt_with_examples_is_not_the_published_one(finished):
    with writing(finished) as connection:
        connection.execute(
            'UPDATE cells SET hyperparameters = json_merge_patch(hyperparameters, \'{"prompt": {"examples": 4}}\')'
            " WHERE cell_id = 'tuned'"
        )
    rows = ask(finished, "SELECT DISTINCT kind FROM reproduction WHERE study_id IS NOT NULL")
    assert rows == [("base",)]


def test_synthetic_headlines_reproduce_nothing(finished):
    with writing(finished) as connection:
        connection.execute("UPDATE studies SET synthetic = true")
    assert ask(finished, "SELECT count(*), count(study_id) FROM reproduction") == [(22, 0)]


def test_the_epoch_curve_has_fine_tuned_cells_on_test_only(finished, cell, evaluation, predict):
    add_cells(finished, "study", [cell(cell_id="short", epochs=1)])
    on_test = [evaluation("short", 0.1), evaluation("short", 1)]
    on_validation = evaluation("short", 0.1, evaluation_id="validation", part="validation")
    saved = [*on_test, on_validation]
    save_evaluations(finished, saved, pd.concat([predict(each.evaluation_id) for each in saved]))
    rows = ask(finished, "SELECT temperature, epochs, accuracy FROM epoch_curve")
    assert rows == [(0.1, 1, 0.83), (0.1, 3, 0.83), (1, 1, 0.83), (1, 3, 0.83), (10, 3, 0.83)]


def test_the_name_over_seeds_is_that_of_a_cell_without_its_seed(finished, cell, evaluation, predict):
    names = {"first": "seed=1 r=4", "middle": "lr=2e-04 seed=1 r=4", "last": "lr=2e-04 seed=1", "only": "seed=1"}
    for cell_id, name in names.items():
        add_cells(finished, "study", [cell(cell_id=cell_id, name=name, epochs=9, hyperparameters={"r": cell_id})])
        record = evaluation(cell_id, 1)
        save_evaluations(finished, [record], predict(record.evaluation_id))
    rows = ask(finished, "SELECT cell_name FROM leaderboard_over_seeds WHERE part = 'test' AND epochs = 9 ORDER BY 1")
    assert rows == [("any seed",), ("lr=2e-04",), ("lr=2e-04 r=4",), ("r=4",)]


def test_cells_that_differ_only_in_their_seed_are_one_row(finished, cell, evaluation, predict):
    other = cell(cell_id="seed 2", seed=2)
    add_cells(finished, "study", [other])
    better = evaluation("seed 2", 1, accuracy=0.87, macro_f1=0.86, expected_accuracy=0.84)
    save_evaluations(finished, [better], predict(better.evaluation_id))
    rows = ask(
        finished,
        "SELECT temperature, seeds, accuracy_mean, accuracy_sd, accuracy_min, accuracy_max FROM leaderboard_over_seeds"
        " WHERE part = 'test' ORDER BY temperature",
    )
    assert [(temperature, seeds) for temperature, seeds, *_ in rows] == [(0.1, 1), (1, 2), (10, 1)]
    assert rows[1][2:] == (pytest.approx(0.85), pytest.approx(0.04 / 2**0.5), 0.83, 0.87)
    assert rows[0][3] is None
    others = "macro_f1_mean, macro_f1_sd, expected_accuracy_mean, expected_accuracy_sd"
    [figures] = ask(finished, f"SELECT {others} FROM leaderboard_over_seeds WHERE part = 'test' AND seeds = 2")
    assert figures == pytest.approx((0.83, 0.06 / 2**0.5, 0.835, 0.01 / 2**0.5))


@pytest.fixture
def grid(finished, study, cell, evaluation, predict):
    """Ranks 16 and 4, in this order, with two learning rates, lengths and seeds each, on test at temperature 1."""
    save_study(finished, study(study_id="grid", temperatures=(1,)))
    points = [(r, rate, epochs, seed) for rate in (2e-3, 1e-3) for r in (16, 4) for epochs in (3, 1) for seed in (2, 1)]
    for r, rate, epochs, seed in points:
        training = {"learning_rate": rate, "epochs": epochs, "seed": seed, "loss": "completion"}
        names = {
            "cell_id": f"{r} {rate:g} {epochs} {seed}",
            "name": f"r={r} lr={rate:g} epochs={epochs} seed={seed}",
        }
        settings = {"hyperparameters": {"lora": {"r": r}, "training": training}}
        add_cells(finished, "grid", [cell(learning_rate=rate, epochs=epochs, seed=seed, **names, **settings)])
        record = evaluation(names["cell_id"], 1)
        save_evaluations(finished, [record], predict(record.evaluation_id))
    return finished


def test_cells_that_differ_only_in_rate_epochs_and_seed_are_together_in_the_order_of_the_grid(grid):
    rows = ask(grid, "SELECT cell_name FROM leaderboard WHERE study_id = 'grid' ORDER BY place")
    points = [(r, rate, epochs, seed) for r in (16, 4) for rate in (1e-3, 2e-3) for epochs in (1, 3) for seed in (1, 2)]
    assert rows == [(f"r={r} lr={rate:g} epochs={epochs} seed={seed}",) for r, rate, epochs, seed in points]


def test_seeds_are_one_row_and_other_settings_are_not(grid):
    rows = ask(grid, "SELECT seeds, cell_name FROM leaderboard_over_seeds WHERE study_id = 'grid' ORDER BY ALL")
    points = [(r, rate, epochs) for r in (16, 4) for rate in (1e-3, 2e-3) for epochs in (1, 3)]
    assert sorted(rows) == sorted((2, f"r={r} lr={rate:g} epochs={epochs}") for r, rate, epochs in points)


def test_a_curve_is_of_cells_that_differ_only_in_their_epochs(grid):
    curves = "SELECT list(epochs ORDER BY epochs) FROM epoch_curve WHERE study_id = 'grid' GROUP BY settings"
    assert ask(grid, curves) == [([1, 3],)] * 8
    chosen = Chosen("4 0.001 3 1", "r=4 lr=0.001 epochs=3 seed=1", 1.0)
    shown = ask(grid, report_queries("grid", chosen, (), 0.9)["epochs"])
    assert [row[:3] for row in shown] == [(1.0, 1, 2), (1.0, 3, 2)]


def test_a_cell_without_all_its_evaluations_is_missing(finished, cell, evaluation, predict):
    """A model needs each temperature on test and on validation, a baseline each part; base lacks one of six."""
    add_cells(finished, "study", [cell(cell_id="late", seed=3)])
    every = {"tuned": (0.1, 1, 10), "base": (0.1, 1), "svm": (None,)}
    records = [
        evaluation(cell_id, each, part="validation", evaluation_id=f"{cell_id} at {each} on validation")
        for cell_id, temperatures in every.items()
        for each in temperatures
    ]
    save_evaluations(finished, records, pd.concat([predict(each.evaluation_id) for each in records]))
    fail_cell(finished, "late", "out of memory")
    rows = ask(finished, "SELECT cell_id, status, reason, is_final FROM missing_cells WHERE study_id = 'study'")
    assert rows == [("base", "finished", None, False), ("late", "failed", "out of memory", False)]


def test_a_study_is_reported_with_the_ingestion_that_it_read(finished, source, accepted, rejected, quarantined, study):
    """Another file of the same name held the same headlines later, and more rows that were rejected."""
    save_study(finished, study(study_id="exact", ingest_id="ingest"))
    later = replace(source, ingest_id="later", kind="json", rows_read=99)
    save_ingestion(finished, later, accepted, rejected, quarantined)
    found = ask(finished, "SELECT study_id, ingest_id, kind FROM ledger.study_sources ORDER BY ALL")
    assert found == [("exact", "ingest", "csv"), ("study", "later", "json")]  # the second study names no ingestion
