"""The flow `retrain`: from a source of labelled headlines to a leaderboard of fine-tunes. Knows the order alone."""

import time

from prefect import flow

from schemas.config import StudyConfig
from schemas.plan import CellPlan, StudyPlan
from storage.home import Home
from storage.studies import finish_study, is_answered, start_study
from storage.warehouse import prepare_warehouse
from tasks.cells import evaluate_baseline, score_cell, train_cell
from tasks.comparison import compare_cells
from tasks.data import ingest_source, publish_data_report, split_snapshot
from tasks.progress import announce, format_seconds
from tasks.study import plan_epoch_curve, plan_study, publish_leaderboard

SECONDS_OF_A_SKIP = 1.0
"""A cell that takes less was finished before, and tells nothing of how long the others will take."""


@flow(name="retrain", flow_run_name="{config.name} on {config.data.source}")
def retrain(config: StudyConfig) -> str:
    """Ingest, split, fine-tune every cell of the grid, evaluate, compare, and publish the leaderboard.

    Args:
        config: The study. What an earlier run finished is not done again; a finished study ends the flow.

    Returns:
        The study's id.
    """
    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    ingested = ingest_source(config.data)
    publish_data_report(ingested)
    split_id = split_snapshot(ingested, config.split, config.data.near_duplicates)
    study = plan_study(config, ingested, split_id)
    if is_answered(home.warehouse, study.study_id):
        announce(f"nothing new: study {study.study_id} is finished")
        return study.study_id
    start_study(home.warehouse, study.study_id)
    try:
        for baseline in study.baselines:
            evaluate_baseline(study, baseline)
        score_cell(study, study.base_cell)
        _run_cells(study, study.cells)
        if config.grid.curve_epochs:
            _run_cells(study, plan_epoch_curve(study))
        compare_cells(study.study_id)
        publish_leaderboard(study, ingested)
    except BaseException:
        finish_study(home.warehouse, study.study_id, "failed")
        raise
    return study.study_id


def _run_cells(study: StudyPlan, cells: tuple[CellPlan, ...]) -> None:
    """Train and score one cell after the other, and tell how long the others will take, by their epochs."""
    seconds, worked, left = 0.0, 0, sum(cell.epochs or 0 for cell in cells)
    for number, cell in enumerate(cells, start=1):
        position, start = f"cell {number}/{len(cells)} ", time.monotonic()
        train_cell(study, cell, position)
        score_cell(study, cell, position)
        left -= cell.epochs or 0
        if time.monotonic() - start > SECONDS_OF_A_SKIP:
            seconds, worked = seconds + time.monotonic() - start, worked + (cell.epochs or 0)
        if left and worked:
            announce(f"{number} of {len(cells)} cells done, about {format_seconds(seconds / worked * left)} left")
