"""The flow `retrain`: from a source of labelled headlines to a leaderboard of fine-tunes. Knows the order alone."""

import time
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.credentials import provide_hub_token
from learning.grid import running_order
from learning.schedule import added_steps
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.label import LABELS
from schemas.plan import CellPlan, IngestedSource, StudyPlan
from storage.home import Home
from storage.studies import finish_study, is_answered, load_missing, start_study
from storage.warehouse import prepare_warehouse
from tasks.cells import drop_checkpoints, evaluate_baseline, score_cell, train_cell
from tasks.comparison import compare_cells
from tasks.data import ingest_source, publish_data_report, split_snapshot
from tasks.missing import tell_missing
from tasks.progress import announce, format_seconds
from tasks.promotion import judge_challenger
from tasks.publication import publish_leaderboard, publish_report
from tasks.study import plan_epoch_curve, plan_study
from tasks.worker import close_worker, start_worker

SECONDS_OF_A_SKIP = 1.0
"""A cell that takes less was finished before, and tells nothing of how long the others will take."""


@flow(name="retrain", flow_run_name="{config.name} on {config.data.source}")
def retrain(config: StudyConfig) -> str:
    """Ingest, split, fine-tune every cell of the grid, evaluate, compare, judge, and publish the leaderboard.

    Args:
        config: The study. What an earlier run finished is not done again; a finished study ends the flow.

    Returns:
        The study's id. Where cells failed, the study is incomplete, and its next run tries them again.
    """
    provide_hub_token()
    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    start_worker()
    try:
        ingested = ingest_source(config.data)
        publish_data_report(ingested)
        split_id = split_snapshot(ingested, config.split, config.data.near_duplicates)
        study = plan_study(config, ingested, split_id)
        if is_answered(home.warehouse, study.study_id):
            announce(f"nothing new: study {study.study_id} is finished")
            drop_checkpoints(study)  # which are there where it was killed at its very end
            return study.study_id
        _answer(study, ingested)
    finally:
        close_worker()
    missing = load_missing(home.warehouse, study.study_id)
    if missing:
        announce(f"study {study.study_id} is incomplete, {tell_missing(missing)}")
    else:
        drop_checkpoints(study)
    return study.study_id


def _answer(study: StudyPlan, ingested: IngestedSource) -> None:
    """Evaluate the baselines and the base, run all cells, compare them, judge the best, and publish what they say."""
    warehouse = Home.from_environment().warehouse
    start_study(warehouse, study.study_id)
    try:
        for baseline in study.baselines:
            evaluate_baseline(study, baseline)
        retries = study.config.training.retries
        _went_well(score_cell.with_options(retries=retries)(study, study.base_cell, return_state=True))
        _run_cells(study, study.cells)
        if study.config.grid.curve_epochs:
            _run_cells(study, plan_epoch_curve(study))
        compare_cells(study.study_id)
        judge_challenger(study)
        publish_leaderboard(study, ingested)
        publish_report(study.study_id, return_state=True)  # without it the study is as good; `fintone report` makes it
    except BaseException:
        finish_study(warehouse, study.study_id, "failed")
        raise


def _run_cells(study: StudyPlan, cells: tuple[CellPlan, ...]) -> None:
    """Train and score one cell after the other; one that fails is left behind.

    Tells how long the others will take, by the steps that each has still to train.
    """
    order, train = running_order(cells), study.config.split.train_per_class * len(LABELS)
    steps = added_steps(order, study.config.training, train)
    seconds, worked = 0.0, 0
    for number, cell in enumerate(order, start=1):
        position, start = f"cell {number}/{len(cells)} ", time.monotonic()
        retries = study.config.training.retries
        if not _went_well(train_cell.with_options(retries=retries)(study, cell, position, return_state=True)):
            continue
        if not _went_well(score_cell.with_options(retries=retries)(study, cell, position, return_state=True)):
            continue
        if time.monotonic() - start > SECONDS_OF_A_SKIP:
            seconds, worked = seconds + time.monotonic() - start, worked + steps[number - 1]
        left = sum(steps[number:])
        if left and worked:
            announce(f"{number} of {len(cells)} cells done, about {format_seconds(seconds / worked * left)} left")


def _went_well(state: State[Any]) -> bool:
    """Whether a task of a cell ended well; input that no other cell could use either ends the study."""
    if state.is_completed():
        return True
    error = state.result(raise_on_failure=False)
    if isinstance(error, InputError):
        raise error
    return False
