"""Every figure of an evaluation can be computed from the ledger, and so can more draws, without a scoring."""

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from learning.baselines.evaluation import evaluate_baseline, fit_baseline
from learning.baselines.registry import plan_baselines
from learning.kinds.causal import CausalModel
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.scoring.model_evaluation import evaluate_model
from learning.study.grid import plan_study
from learning.study.identity import decoding_id
from learning.study.metrics import measure
from learning.training.recipe import TrainingOutcome
from operations.draws import add_draws
from operations.intake import ingest_and_save
from operations.planning import cell_records, study_record
from operations.records import cell_outcome, load_part, load_parts, save_results
from schemas.cell import CellSettings
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.plan import BaseModelPlan, CellPlan, FoundModel, StudyPlan
from schemas.profiles import build_config, load_profile
from storage.cells import add_cells
from storage.evaluations import forget_evaluations
from storage.studies import StudyRecord, save_study
from tasks.training import _recipe
from tests import asking
from tests.splitting import divide

BASE = BaseModelPlan(
    name="embedded",
    folder=MODEL_FOLDER,
    revision="0123456789abcdef",
    quantization="none",
    kind_of_model="causal",
    training_version=4,
    answers_untouched=True,
)
SMALL = ("split.method=hashed", "split.train_per_class=8", "split.test_per_class=8", "split.validation_per_class=4")
WARM = ("decoding.temperatures=0.1,1,3", "decoding.top_k=null")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    """A home and a source of 120 headlines in it."""
    shutil.copy(prepared, tmp_path)
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path))
    random = Random(5)
    rows = [generate_headline(random) for _ in range(120)]
    with (tmp_path / "headlines.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.sentiment) for row in rows)])
    return tmp_path


def ask(sql: str) -> list[tuple[Any, ...]]:
    return asking.ask(Path(os.environ["FINTONE_HOME"]), sql)


def configure(home: Path, *assignments: str) -> StudyConfig:
    source = f"data.source={home / 'headlines.csv'}"
    return build_config(apply_overrides(load_profile("demo"), [source, *SMALL, *WARM, *assignments]))


def find_base(settings: CellSettings) -> FoundModel:
    return FoundModel(BASE, settings)


def begin(home: Path, *assignments: str) -> StudyPlan:
    """Record a study of the untouched base model and a baseline."""
    config = configure(home, *assignments)
    ingested = ingest_and_save(config.data, lambda _: None)
    split_id = divide(ingested, config.split, config.data.near_duplicates)
    study = plan_study(config, ingested.snapshot_id, split_id, find_base, plan_baselines(config.baselines))
    record = StudyRecord(
        study.study_id, config.name, ingested.snapshot_id, split_id, BASE.name, BASE.revision, ingested.source,
        True, config.model_dump(mode="json"), config.decoding.temperatures, decoding_id(config.decoding),
    )  # fmt: skip
    save_study(home / "warehouse.duckdb", record)
    cells = (study.base_cells[0], study.baselines[1])
    add_cells(home / "warehouse.duckdb", study.study_id, cell_records(study, cells))
    return study


def score(study: StudyPlan, on_headlines: Callable[[int], None] = lambda _: None) -> CellPlan:
    """Score the base model and save the results."""
    results = evaluate_model(
        CausalModel(LoadedBase(BASE.folder, BASE.quantization, choose_device())),
        None,
        load_parts(study),
        prompt=study.config.prompt,
        decoding=study.config.decoding,
        on_headlines=on_headlines,
    )
    save_results(study, study.base_cells[0], results)
    return study.base_cells[0]


DERIVED = """
WITH derived AS (
    SELECT study_id, cell_id, part, temperature,
        count(*) AS n,
        avg((predicted = label)::INT) AS accuracy,
        avg((predicted = label AND parsed)::INT) AS strict_accuracy,
        avg((NOT parsed)::INT) AS unparsed_rate,
        avg((argmax = label)::INT) AS argmax_accuracy,
        coalesce(
            avg(CASE label
                WHEN 'negative' THEN p_negative WHEN 'positive' THEN p_positive ELSE p_neutral + p_unparsed END),
            accuracy
        ) AS expected_accuracy
    FROM predictions GROUP BY ALL
),
f1 AS (SELECT study_id, cell_id, part, temperature, avg(f1) AS macro_f1 FROM class_metrics GROUP BY ALL)
SELECT leaderboard.n, derived.n,
    leaderboard.{0}, {1}.{0}
FROM leaderboard JOIN derived USING (study_id, cell_id, part) JOIN f1 USING (study_id, cell_id, part)
WHERE leaderboard.temperature IS NOT DISTINCT FROM derived.temperature
    AND leaderboard.temperature IS NOT DISTINCT FROM f1.temperature
"""


@pytest.mark.slow
def test_every_figure_follows_from_the_ledger(home: Path) -> None:
    study, done = begin(home), list[int]()
    score(study, done.append)
    assert done == sorted(set(done))
    assert done[-1] == sum(len(part.texts) for part in load_parts(study))
    baseline, train = study.baselines[1], load_part(study, "train")
    fitted = fit_baseline(baseline.model, train, seed=42)
    save_results(study, baseline, evaluate_baseline(fitted.answer, load_parts(study)))
    figures = ("accuracy", "strict_accuracy", "unparsed_rate", "argmax_accuracy", "expected_accuracy", "macro_f1")
    for figure in figures:
        rows = ask(DERIVED.format(figure, "f1" if figure == "macro_f1" else "derived"))
        assert len(rows) == 2 * (3 + 1)
        assert all(shown == counted for shown, counted, *_ in rows)
        assert [row[2] for row in rows] == pytest.approx([row[3] for row in rows])
    [(unparsed, strict_differs)] = ask(
        "SELECT max(unparsed_rate), bool_or(strict_accuracy < accuracy) FROM leaderboard WHERE temperature = 3"
    )
    assert unparsed > 0.1
    assert strict_differs
    assert ask(
        "SELECT count(*) FROM leaderboard WHERE expected_accuracy BETWEEN expected_accuracy_low AND"
        " expected_accuracy_high"
    ) == [(8,)]
    curve = ask(
        "SELECT any_value(expected_accuracy), avg(CASE label WHEN 'negative' THEN p_negative WHEN 'positive' THEN"
        " p_positive ELSE p_neutral + p_unparsed END), any_value(unparsed_rate), avg(p_unparsed) FROM temperature_curve"
        " JOIN predictions USING (study_id, cell_id, part, temperature) GROUP BY part, temperature"
    )
    assert len(curve) == 2 * 2  # at temperatures 0.1 and 1
    for expected, of_label, none, of_unparsed in curve:
        assert (expected, none) == pytest.approx((of_label, of_unparsed))
    first = ask(
        "SELECT draws.accuracy = leaderboard.accuracy AND draws.macro_f1 = leaderboard.macro_f1 AND"
        " draws.strict_accuracy = leaderboard.strict_accuracy AND draws.unparsed_rate = leaderboard.unparsed_rate"
        " FROM draws JOIN leaderboard USING (study_id, cell_id, part, temperature)"
    )
    assert first == [(True,)] * 6


def test_without_probabilities_the_expected_accuracy_is_the_accuracy(home: Path) -> None:
    study = begin(home)
    baseline, parts = study.baselines[1], load_parts(study)
    results = evaluate_baseline(fit_baseline(baseline.model, load_part(study, "train"), seed=42).answer, parts)
    without_probabilities = [
        replace(each, probabilities=None, metrics=measure(each.part.label_numbers, each.outcomes, None))
        for each in results
    ]
    save_results(study, baseline, without_probabilities)
    assert ask("SELECT DISTINCT p_negative, p_neutral, p_positive, p_unparsed FROM predictions") == [(None,) * 4]
    rows = ask(
        "SELECT expected_accuracy = accuracy, expected_accuracy_low = accuracy_low, expected_accuracy_high ="
        " accuracy_high, argmax_accuracy = accuracy, argmax_macro_f1 = macro_f1, unparsed_rate FROM leaderboard"
    )
    assert rows == [(True, True, True, True, True, 0.0)] * 2
    assert ask("SELECT bool_and(parsed AND argmax_parsed AND argmax = predicted) FROM predictions") == [(True,)]
    assert ask("SELECT count(draws) FROM evaluations") == [(0,)]
    assert ask("FROM draws") == ask("FROM calibration") == []


@pytest.mark.slow
def test_more_draws_need_no_scoring_and_equal_those_of_a_new_scoring(home: Path) -> None:
    score(begin(home, "decoding.seed=7", "decoding.draws=2"))
    more = begin(home, "decoding.seed=7", "decoding.draws=5")
    ledger = f"FROM draws WHERE study_id = '{more.study_id}' ORDER BY ALL"
    before = ask("SELECT * EXCLUDE (draws) FROM evaluations ORDER BY ALL"), ask("FROM predictions ORDER BY ALL")
    first = ask(ledger)
    add_draws(more, more.base_cells[0])
    assert (
        ask("SELECT * EXCLUDE (draws) FROM evaluations ORDER BY ALL"),
        ask("FROM predictions ORDER BY ALL"),
    ) == before
    drawn = ask(ledger)
    assert (len(first), len(drawn)) == (6 * 2, 6 * 5)
    assert set(first) < set(drawn)
    add_draws(more, more.base_cells[0])
    assert ask(ledger) == drawn

    forget_evaluations(home / "warehouse.duckdb", more.base_cells[0].cell_id)
    assert ask(ledger) == []
    score(more)
    assert ask(ledger) == drawn
    assert ask("SELECT DISTINCT draws FROM evaluations WHERE temperature IS NOT NULL") == [(5,)]


@pytest.mark.slow
@pytest.mark.parametrize(("attempt", "size"), [(1, None), (2, None), (3, 4), (4, 2), (9, 1)])
def test_a_cell_whose_process_died_twice_has_fewer_headlines_a_pass(home: Path, attempt: int, size: int | None) -> None:
    study = begin(home, "training.batch_size=8")
    recipe = _recipe(study.cells[0], attempt)
    assert (recipe.training.batch_size, recipe.training.micro_batch_size) == (8, size)
    training = recipe.training
    assert (training.learning_rate, training.epochs, training.seed) == (2e-6, 1, 42)


def test_a_cell_that_is_copied_from_a_checkpoint_records_no_micro_batch(home: Path) -> None:
    [cell, *_] = begin(home).cells
    outcome = TrainingOutcome(
        log=(),
        first_step=4,
        seconds=0.0,
        examples_per_second=None,
        tokens_per_second=None,
        peak_memory_bytes=0,
        environment={"device": "cpu"},
        micro_batch_size=8,
        memory_errors=1,
        diverged=False,
        adapter_hash="hash",
    )
    assert cell_outcome(cell, outcome).environment == {"device": "cpu"}
    trained = cell_outcome(cell, replace(outcome, seconds=1.0)).environment
    assert trained == {"device": "cpu", "micro_batch_size": 8, "memory_errors": 1}


def test_cells_are_recorded_with_what_identifies_and_trains_them(home: Path) -> None:
    study = begin(home, "base_model.trained_until=2023-03-01", "training.seed=7")
    base, fine_tune = cell_records(study, (study.base_cells[0], study.cells[-1]))
    weights = (BASE.folder / "model.safetensors").stat().st_size
    assert base.size_bytes == pytest.approx(weights, rel=0.1)
    assert {record.base_revision for record in (base, fine_tune)} == {BASE.revision}
    assert {record.trained_until for record in (base, fine_tune)} == {date(2023, 3, 1)}
    assert (fine_tune.learning_rate, fine_tune.epochs, fine_tune.seed) == (5e-2, 3, 7)
    assert fine_tune.training_id == study.cells[-1].training_id
    assert set(base.hyperparameters["training"]) == {"precision", "attention"}
    assert fine_tune.size_bytes is None
    ingested = ingest_and_save(study.config.data, lambda _: None)
    record = study_record(study, ingested)
    assert (record.base_model, record.base_revision, record.ingest_id) == (
        "embedded",
        BASE.revision,
        ingested.ingest_id,
    )
