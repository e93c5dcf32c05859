"""The flow `retrain`: from a source of labelled headlines to a leaderboard of fine-tunes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.credentials import provide_hub_token
from flows.deployment import close_prefect_of_deployment
from flows.notices import show_notices
from flows.run_names import add_study_id, name_run
from learning.study.grid import family_of, group_cells, split_apart
from learning.training.schedule import added_steps
from operations.missing import tell_missing
from operations.models import lacks_adapters
from operations.pace import CellWork, Pace, pacing
from operations.worker import run_side_by_side
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.label import LABELS
from schemas.plan import IngestedSource, ModelCell, StudyPlan
from schemas.stored import write_stored
from storage.cells import load_missing
from storage.home import Home
from storage.locks import at_work, holding
from storage.opening import waiting_without_end
from storage.studies import finish_study, is_answered, start_study
from storage.warehouse import prepare_warehouse
from tasks.cells import check_bases, drop_checkpoints, evaluate_baseline, score_cell, train_cell, train_side_by_side
from tasks.cluster import having_jobs_done
from tasks.comparison import compare_cells
from tasks.data import ingest_source, publish_data_report, split_snapshot
from tasks.progress import announce, format_seconds, note
from tasks.promotion import judge_challenger
from tasks.publication import publish_leaderboard, publish_report
from tasks.study import plan_epoch_curve, plan_study
from tasks.user_errors import tell_in_one_line


@flow(name="retrain", flow_run_name=name_run)
def retrain(config: StudyConfig) -> str:
    """Ingest, split, fine-tune every cell of the grid, evaluate, compare, judge, and publish the leaderboard.

    Args:
        config: The study. What an earlier run finished is not done again; a finished study ends the flow.

    Returns:
        The study's id. Where cells failed, the study is incomplete, and its next run tries them again.
    """
    close_prefect_of_deployment()
    show_notices()
    tell_in_one_line()
    provide_hub_token()
    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    with at_work(home.warehouse), waiting_without_end(), having_jobs_done(config.runner):
        ingested = ingest_source(config.data)
        publish_data_report(ingested)
        split_id = split_snapshot(ingested, config)
        study = plan_study(config, ingested, split_id)
        add_study_id(study.study_id)
        with holding(home.warehouse, "study", study.study_id):
            _complete(home, study, ingested)
    return study.study_id


def _complete(home: Home, study: StudyPlan, ingested: IngestedSource) -> None:
    """Do what the study lacks; nothing where it is answered, as by a process that ran it until now."""
    if is_answered(home.warehouse, study.study_id) and not lacks_adapters(home, study.study_id):
        announce(f"nothing new: study {study.study_id} is finished")
        if not home.report(study.study_id).exists():  # it was killed at its very end, as where checkpoints are left
            _publish_report(study)
        drop_checkpoints(study)
        return
    _answer(study, ingested)
    missing = load_missing(home.warehouse, study.study_id)
    if missing:
        announce(f"study {study.study_id} is incomplete, {tell_missing(missing)}")
    else:
        drop_checkpoints(study)


def _answer(study: StudyPlan, ingested: IngestedSource) -> None:
    """Evaluate the baselines and the base, run all cells, compare them, judge the best, and publish what they say."""
    warehouse = Home.from_environment().warehouse
    start_study(warehouse, study.study_id, write_stored(study.config))
    check = check_bases if study.config.runner.kind == "local" else _leave_to_nodes
    try:
        most = check(study)
        for baseline in study.baselines:
            evaluate_baseline(study, baseline)
        _do_all(study, _divide(study, study.cells, most, study.base_cells))
        if study.config.curve_epochs:
            curve = plan_epoch_curve(study)
            _do_all(study, _divide(study, curve, most or check(study)))
        compare_cells(study.study_id)
        judge_challenger(study)
        publish_leaderboard(study, ingested)
        finish_study(warehouse, study.study_id, "incomplete" if load_missing(warehouse, study.study_id) else "finished")
        _publish_report(study)  # which tells how the study ended
    except BaseException as error:
        finish_study(warehouse, study.study_id, "failed" if isinstance(error, Exception) else "interrupted")
        raise


def _leave_to_nodes(_: StudyPlan) -> dict[str, int]:
    """On a cluster each node checks its own copy of a base, and trains a cell at a time."""
    return {}


def _publish_report(study: StudyPlan) -> None:
    """Write the report; if that fails the study is as good without it, and `fintone report` makes it."""
    publish_report(study.study_id, return_state=True)


def _do_all(study: StudyPlan, works: Sequence[Callable[[], None]]) -> None:
    """Do works one after the other on this machine, side by side on a cluster."""
    if study.config.runner.kind == "local":
        for work in works:
            work()
    elif works:
        run_side_by_side(works)


def _divide(
    study: StudyPlan, cells: Sequence[ModelCell], most: Mapping[str, int], bases: Sequence[ModelCell] = ()
) -> list[Callable[[], None]]:
    """The works that run all cells, none of which shares a training with another.

    Args:
        study: Theirs.
        cells: All that are to run.
        most: How many cells of a family are trained side by side; 1 where it does not say.
        bases: Untouched base models that are scored before them.
    """
    works = [group_cells(cells, lambda cell: most.get(family_of(cell), 1))]
    if study.config.runner.kind != "local":
        works = [[[cell] for cell in own] for own in split_apart(cells)]
    order = [cell for groups in works for group in groups for cell in group]
    pace = _plan_pace(study, order, bases, lanes=1 if study.config.runner.kind == "local" else len(works))
    return [
        *(partial(_score_base, study, base, pace) for base in bases),
        *(partial(_run_in_turn, study, groups, pace) for groups in works),
    ]


def _plan_pace(study: StudyPlan, order: Sequence[ModelCell], bases: Sequence[ModelCell], lanes: int) -> Pace:
    """What is measured and estimated of cells in their order, and of bases before them."""
    steps = added_steps([cell.settings for cell in order], study.config.split.train_per_class * len(LABELS))
    works = {
        cell.name: CellWork(str(cell.base.folder), own, cell.settings.training.batch_size)
        for cell, own in [*((base, 0) for base in bases), *zip(order, steps, strict=True)]
    }
    return Pace(works, [cell.name for cell in order], lanes)


def _score_base(study: StudyPlan, cell: ModelCell, pace: Pace) -> None:
    retries = study.config.training.retries
    with pacing(pace):
        _went_well(cell, score_cell.with_options(retries=retries)(study, cell, return_state=True))


def _run_in_turn(study: StudyPlan, groups: Sequence[Sequence[ModelCell]], pace: Pace) -> None:
    """Train and score one group of cells after the other; a cell that fails is left behind."""
    for group in groups:
        with pacing(pace), pace.running([cell.name for cell in group]):
            _run_group(study, {cell: f"cell {pace.order.index(cell.name) + 1}/{len(pace.order)} " for cell in group})
        _tell_pace(pace)


def _run_group(study: StudyPlan, cells: Mapping[ModelCell, str]) -> None:
    """Train cells, side by side if there are several, and score them; each has its position, as `cell 2/6 `."""
    retries = study.config.training.retries
    train, score = train_cell.with_options(retries=retries), score_cell.with_options(retries=retries)
    trained = _train_together(study, cells) if len(cells) > 1 else frozenset[str]()
    for cell, position in cells.items():
        if cell.cell_id in trained or _went_well(cell, train(study, cell, position, return_state=True)):
            _went_well(cell, score(study, cell, position, return_state=True))


def _train_together(study: StudyPlan, cells: Mapping[ModelCell, str]) -> frozenset[str]:
    """The ids of the cells that were trained side by side; none where that failed, and each is to be trained alone."""
    train = train_side_by_side.with_options(retries=study.config.training.retries)
    state = train(study, tuple(cells), tuple(cells.values()), return_state=True)
    result: Any = state.result(raise_on_failure=False)
    if isinstance(result, InputError):
        raise result
    if not state.is_completed():
        announce(f"{len(cells)} cells could not be trained side by side: each is trained alone")
        return frozenset()
    trained: frozenset[str] = result
    return trained


def _tell_pace(pace: Pace) -> None:
    """Tell how many cells are done, and how long the others will take, if any are left and that can be told."""
    seconds = pace.seconds_left()
    if pace.done < len(pace.order) and seconds is not None:
        left = format_seconds(seconds)
        announce(f"{pace.done} of {len(pace.order)} cells done, about {left} left", left=left)


def _went_well(cell: ModelCell, state: State[Any]) -> bool:
    """Whether a task of the cell ended well; input that no other cell could use either ends the study."""
    if state.is_completed():
        return True
    error = state.result(raise_on_failure=False)
    if isinstance(error, InputError):
        raise error
    note(f"{cell.name} failed", cell=cell.name, state="failed", result="failed")
    return False
