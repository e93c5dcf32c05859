"""How `retrain` runs the cells of a grid: group after group on this machine, in parallel on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from prefect.client.schemas.objects import State

from learning.study.grid import family_of, group_cells, split_apart
from learning.training.schedule import added_steps
from operations.pace import CellWork, Pace, pacing
from operations.worker import run_side_by_side
from schemas.errors import InputError
from schemas.plan import ModelCell, StudyPlan
from storage.home import Home
from storage.splits import count_train
from tasks.evaluation import score_cell
from tasks.progress import announce, format_seconds, note
from tasks.training import train_cell, train_side_by_side

Groups = Sequence[Sequence[ModelCell]]
"""Cells that are trained side by side, group after group."""


def run_cells(
    study: StudyPlan, cells: Sequence[ModelCell], most: Mapping[str, int], bases: Sequence[ModelCell] = ()
) -> None:
    """Train and score cells; a cell that fails does not stop the others.

    Args:
        study: The study of the cells.
        cells: The cells to run.
        most: How many cells of each family are trained side by side; 1 for a family that is missing.
        bases: Untouched base models, which are scored first.
    """
    pace = plan_pace(study, cells, most, bases)
    do_all(study, [*score_bases(study, bases, pace), *divide(study, cells, most, partial(run_in_turn, study, pace))])


def do_all(study: StudyPlan, calls: Sequence[Callable[[], None]]) -> None:
    """Make the calls one after the other on this machine, in parallel on a cluster."""
    if study.config.runner.kind == "local":
        for call in calls:
            call()
    elif calls:
        run_side_by_side(calls)


def divide(
    study: StudyPlan, cells: Sequence[ModelCell], most: Mapping[str, int], run: Callable[[Groups], None]
) -> list[Callable[[], None]]:
    """The calls of `run` that together run all cells; no two of them share a training."""
    return [partial(run, groups) for groups in _split(study, cells, most)]


def _split(study: StudyPlan, cells: Sequence[ModelCell], most: Mapping[str, int]) -> list[Groups]:
    """The groups of cells that each call runs."""
    if study.config.runner.kind != "local":
        return [[[cell] for cell in chunk] for chunk in split_apart(cells)]
    return [group_cells(cells, lambda cell: most.get(family_of(cell), 1))]


def score_bases(study: StudyPlan, bases: Sequence[ModelCell], pace: Pace) -> list[Callable[[], None]]:
    """The calls that score untouched base models."""
    return [partial(_score_base, study, base, pace) for base in bases]


def plan_pace(
    study: StudyPlan, cells: Sequence[ModelCell], most: Mapping[str, int], bases: Sequence[ModelCell] = ()
) -> Pace:
    """The pace of a run of cells in their order, after any bases; see `run_cells`."""
    chunks = _split(study, cells, most)
    order = [cell for groups in chunks for group in groups for cell in group]
    train = count_train(Home.from_environment().warehouse, study.split_id)
    steps = added_steps([cell.settings for cell in order], train)
    measured = {
        cell.name: CellWork(str(cell.base.folder), added, cell.settings.training.batch_size)
        for cell, added in [*((base, 0) for base in bases), *zip(order, steps, strict=True)]
    }
    lanes = 1 if study.config.runner.kind == "local" else len(chunks)
    return Pace(measured, [cell.name for cell in order], lanes)


def _score_base(study: StudyPlan, cell: ModelCell, pace: Pace) -> None:
    retries = study.config.training.retries
    with pacing(pace):
        went_well(cell, score_cell.with_options(retries=retries)(study, cell, return_state=True))


def run_in_turn(study: StudyPlan, pace: Pace, groups: Groups) -> None:
    """Train and score the groups one after the other; a cell that fails does not stop the others."""
    for group in groups:
        with pacing(pace), pace.running([cell.name for cell in group]):
            _run_group(study, place_cells(group, pace))
        _report_pace(pace)


def place_cells(cells: Sequence[ModelCell], pace: Pace) -> dict[ModelCell, str]:
    """The position of each cell, as in `cell 2/6 `."""
    return {cell: f"cell {pace.order.index(cell.name) + 1}/{len(pace.order)} " for cell in cells}


def _run_group(study: StudyPlan, cells: Mapping[ModelCell, str]) -> None:
    """Train cells, side by side if there are several, and score them; `cells` has their positions."""
    retries = study.config.training.retries
    train, score = train_cell.with_options(retries=retries), score_cell.with_options(retries=retries)
    trained = _train_together(study, cells) if len(cells) > 1 else frozenset[str]()
    for cell, position in cells.items():
        if cell.cell_id in trained or went_well(cell, train(study, cell, position, return_state=True)):
            went_well(cell, score(study, cell, position, return_state=True))


def _train_together(study: StudyPlan, cells: Mapping[ModelCell, str]) -> frozenset[str]:
    """Train cells side by side and return their ids; none if that failed, and they must be trained one by one."""
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


def _report_pace(pace: Pace) -> None:
    """Announce how many cells are done and how long the others will take, if any are left and there is an estimate."""
    seconds = pace.seconds_left()
    if pace.done < len(pace.order) and seconds is not None:
        left = format_seconds(seconds)
        announce(f"{pace.done} of {len(pace.order)} cells done, about {left} left", left=left)


def went_well(cell: ModelCell, state: State[Any]) -> bool:
    """Whether a task of the cell succeeded; an error in the input, which would fail every cell, ends the study."""
    if state.is_completed():
        return True
    error = state.result(raise_on_failure=False)
    if isinstance(error, InputError):
        raise error
    note(f"{cell.name} failed", cell=cell.name, state="failed", result="failed")
    return False
