"""The flow `retrain`: from a source of labelled headlines to a leaderboard of fine-tunes."""

from collections.abc import Callable, Mapping

from prefect import flow

from flows.cells import run_cells
from flows.credentials import provide_hub_token
from flows.deployment import begin_flow
from flows.folds import run_folds
from flows.race import run_race
from flows.run_names import add_study_id, name_run
from operations.missing import describe_lost_cells
from operations.models import lacks_adapters
from schemas.config import StudyConfig
from schemas.plan import IngestedSource, StudyPlan
from schemas.stored import write_stored
from storage.cells import load_missing
from storage.home import Home
from storage.locks import holding, registered_run
from storage.opening import waiting_without_end
from storage.studies import finish_study, is_answered, start_study
from storage.warehouse import prepare_warehouse
from tasks.cluster import dispatching_jobs
from tasks.comparison import compare_cells
from tasks.data import ingest_source, publish_data_report, split_snapshot
from tasks.evaluation import evaluate_baseline
from tasks.progress import announce
from tasks.promotion import judge_challenger
from tasks.publication import publish_leaderboard, publish_report
from tasks.study import plan_epoch_curve, plan_study
from tasks.training import check_bases, drop_checkpoints, report_ignored_number


@flow(name="retrain", flow_run_name=name_run)
def retrain(config: StudyConfig) -> str:
    """Ingest, split, fine-tune every cell of the grid, evaluate, compare, judge, and publish the leaderboard.

    Args:
        config: The study. What an earlier run finished is not done again; a finished study ends the flow.

    Returns:
        The study's id. Where cells failed, the study is incomplete, and its next run tries them again.
    """
    begin_flow()
    provide_hub_token()
    home = Home.from_environment()
    home.create()
    with registered_run(home.warehouse), waiting_without_end():
        prepare_warehouse(home.warehouse)
        with dispatching_jobs(config.runner):
            return _run(home, config)


def _run(home: Home, config: StudyConfig) -> str:
    ingested = ingest_source(config.data)
    publish_data_report(ingested)
    split_id = split_snapshot(ingested, config)
    study = plan_study(config, ingested, split_id)
    add_study_id(study.study_id)
    with holding(home.warehouse, "study", study.study_id):
        _complete(home, study, ingested)
    return study.study_id


def _complete(home: Home, study: StudyPlan, ingested: IngestedSource) -> None:
    """Do what the study lacks: nothing if it is finished, for example by a process that ran it until now."""
    if is_answered(home.warehouse, study.study_id) and not lacks_adapters(home, study.study_id):
        announce(f"nothing new: study {study.study_id} is finished")
        if not home.report(study.study_id).exists():  # it was killed at its very end; then checkpoints are left too
            _publish_report(study)
        _drop_checkpoints(study)
        return
    _answer(study, ingested)
    missing = load_missing(home.warehouse, study.study_id)
    if missing:
        announce(f"study {study.study_id} is incomplete, {describe_lost_cells(missing)}")
    else:
        _drop_checkpoints(study)


def _drop_checkpoints(study: StudyPlan) -> None:
    for run in study.runs:
        drop_checkpoints(run)


def _answer(study: StudyPlan, ingested: IngestedSource) -> None:
    """Evaluate the baselines and the bases, run all cells, compare them, judge the best, and publish the results."""
    warehouse = Home.from_environment().warehouse
    start_study(warehouse, study.study_id, write_stored(study.config))
    check = check_bases if study.config.runner.kind == "local" else _leave_to_nodes
    try:
        most = check(study.runs[0])
        for run in study.runs:
            for baseline in run.baselines:
                evaluate_baseline(run, baseline)
        if study.folds:
            run_folds(study, most)
        elif study.config.races:
            run_race(study, most)
        else:
            run_cells(study, study.cells, most, study.base_cells)
        if study.config.curve_epochs:
            _run_curve(study, most, check)
        compare_cells(study.study_id)
        judge_challenger(study)
        publish_leaderboard(study, ingested)
        finish_study(warehouse, study.study_id, "incomplete" if load_missing(warehouse, study.study_id) else "finished")
    except BaseException as error:
        finish_study(warehouse, study.study_id, "failed" if isinstance(error, Exception) else "interrupted")
        raise
    _publish_report(study)  # it shows how the study ended


def _run_curve(study: StudyPlan, most: Mapping[str, int], check: Callable[[StudyPlan], Mapping[str, int]]) -> None:
    """Run the cells of the epoch curve through the cell that is best on validation.

    Args:
        study: The study.
        most: How many cells of each base run side by side; empty if the bases have not been checked, as when the grid
            was evaluated before.
        check: Checks the bases, and returns that.
    """
    curve = plan_epoch_curve(study)
    most = most or check(study.runs[0])
    if study.folds:
        run_folds(curve, most)
    else:
        run_cells(study, curve.cells, most)


def _leave_to_nodes(study: StudyPlan) -> dict[str, int]:
    """On a cluster each node checks its own copy of a base, and trains one cell at a time."""
    for cell in {cell.base.name: cell for cell in study.cells}.values():
        report_ignored_number(cell, 1)
    return {}


def _publish_report(study: StudyPlan) -> None:
    """Write the report. If that fails, the study is still complete, and `fintone report` writes it later."""
    publish_report(study.study_id, return_state=True)
