"""A small study that walks forward in time, end to end: trained on the past, tested on what comes next."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cli.output.comparison_text import describe_comparison
from flows.retrain import retrain
from operations.comparison import compare_cells
from operations.floors import describe_proposal
from operations.missing import find_best
from operations.promotion import propose
from reporting.index_page import render_index
from reporting.verdict import format_figure
from schemas.overrides import apply_overrides
from schemas.profiles import build_config
from storage.catalogue import list_champions, list_studies
from storage.champions import Decision, save_decision
from storage.report_index import load_index
from tests.asking import ask
from tests.flows.small_study import Study, run_small_study

BY_TIME = ("split.method=temporal", "split.test_share=0.4", "split.validation_share=0.2")
ONE = ("training.learning_rate=1e-2", "training.epochs=1", "lora.r=2", "decoding.temperatures=1", "decoding.top_k=null")
BASELINE = ("baselines.names=TF-IDF + linear SVM",)


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None, few_charts: None
) -> Iterator[Study]:
    assignments = (f"base_model.name={tiny_folder}", *BY_TIME, *ONE, *BASELINE, "split.windows=2")
    dates = {"date": lambda number: str(date(2025, 1, 1) + timedelta(days=number * 37 % 120))}
    with run_small_study(tmp_path_factory.mktemp("windows"), assignments, more=dates) as study:
        yield study


def test_each_window_learns_from_what_was_published_before_it(study: Study) -> None:
    spans = study.ask(
        "SELECT fold, part, min(published_at), max(published_at) FROM splits JOIN headlines USING (headline_id)"
        " JOIN split_folds ON fold_split_id = splits.split_id GROUP BY ALL ORDER BY fold, min(published_at)"
    )
    assert [(fold, part) for fold, part, *_ in spans] == [
        (fold, part) for fold in (1, 2) for part in ("train", "validation", "test")
    ]
    for (fold, _, _, end), (later_fold, _, start, _) in pairwise(spans):
        assert fold != later_fold or end < start
    assert spans[2][2:] == spans[4][2:]  # the test part of the first window is the validation part of the second


def test_the_leaderboard_pools_the_windows_and_shows_each(study: Study) -> None:
    assert study.ask("SELECT count(*) FROM splits JOIN studies USING (split_id) WHERE part = 'test'") == study.ask(
        "SELECT max(n) FROM leaderboard WHERE part = 'test'"
    )
    in_last_window = study.ask(
        "SELECT DISTINCT cell_name FROM leaderboard_by_fold JOIN cells USING (cell_id) WHERE fold = 2"
    )
    assert len(in_last_window) == 3
    trained = study.ask(
        "SELECT name FROM study_cells JOIN cells USING (cell_id) WHERE kind = 'fine-tuned' ORDER BY name"
    )
    assert [name.split()[-1] for (name,) in trained if "window" in name] == ["window=1", "window=2"]
    assert study.ask("FROM champions") == []


def test_a_cell_of_one_window_is_compared_with_the_best_baseline_of_that_window(study: Study) -> None:
    for number in (1, 2):
        name = f"name LIKE '%window={number}'"
        [(cell,)] = study.ask(
            f"SELECT cell_id FROM study_cells JOIN cells USING (cell_id) WHERE kind = 'fine-tuned' AND {name}"
        )
        lines = dict(describe_proposal(propose(cell, "to try it", "me")))
        assert "baseline TF-IDF + linear SVM on" in lines["floors missed"] + lines["floors met"]


def test_a_comparison_says_that_its_figures_allow_for_differences_between_windows(study: Study) -> None:
    [(name,)] = study.ask("SELECT DISTINCT cell_name FROM leaderboard WHERE kind = 'fine-tuned' AND part = 'test'")
    warehouse = study.home / "warehouse.duckdb"
    compared = compare_cells(
        warehouse, name, "baseline: TF-IDF + linear SVM", part="test", temperature=None, most_flips=0
    )
    note = "one model answers each of 2 windows, so p and intervals allow for differences between windows"
    assert ("note", note) in [line for block in describe_comparison(compared) for line in block]


def test_lists_name_the_cell_that_is_best_on_validation_though_nothing_is_judged(study: Study) -> None:
    warehouse = study.home / "warehouse.duckdb"
    best = find_best(warehouse, study.study_id)
    [(accuracy,)] = study.ask(
        f"SELECT accuracy FROM leaderboard WHERE cell_id = '{best.cell_id}' AND part = 'test'"
        f" AND temperature = {best.temperature}"
    )
    listed = list_studies(warehouse)
    row = dict(zip(listed.columns, listed.rows[-1], strict=True))
    assert (row["study"], row["best_cell"], row["accuracy"]) == (study.study_id, best.cell_id, round(accuracy, 3))
    assert [record["accuracy"] for record in load_index(warehouse).chosen.records()] == [accuracy]
    page = render_index(load_index(warehouse), ())
    assert f'{format_figure(accuracy)} <span class="muted">[' in page
    assert "not judged" in page


def test_a_champion_of_one_window_is_listed_with_its_accuracy_there(study: Study, tmp_path: Path) -> None:
    warehouse = Path(shutil.copy(study.home / "warehouse.duckdb", tmp_path))
    [(cell, temperature, accuracy)] = ask(
        warehouse,
        "SELECT cell_id, temperature, accuracy FROM evaluations JOIN study_cells USING (cell_id)"
        " JOIN cells USING (cell_id) WHERE kind = 'fine-tuned' AND name LIKE '%window=2' AND part = 'test'",
    )
    save_decision(warehouse, Decision("promoted", "person", "ours", study.study_id, cell, temperature), None)
    listed = list_champions(warehouse)
    row = dict(zip(listed.columns, listed.rows[0], strict=True))
    assert (row["cell"], row["accuracy"]) == (cell, round(accuracy, 3))


def test_one_split_by_time_is_judged_by_the_gate(study: Study) -> None:
    values = study.config.model_dump(mode="json")
    config = build_config(apply_overrides(values, ["split.windows=null", "split.test_from=2025-03-20"]))
    study_id = retrain(config)
    [(first, last)] = study.ask(
        "SELECT min(published_at) FILTER (part = 'test'), max(published_at) FILTER (part <> 'test') FROM splits"
        f" JOIN studies USING (split_id) JOIN headlines USING (headline_id) WHERE study_id = '{study_id}'"
    )
    assert f"{last:%Y-%m-%d}" < "2025-03-20" <= f"{first:%Y-%m-%d}"
    assert len(study.ask("FROM champions")) == 1
