"""How `retrain` runs a grid as a race: after each epoch the worse cells are dropped."""

from collections.abc import Mapping, Sequence
from functools import partial

from flows.cells import (
    Groups,
    divide,
    do_all,
    place_cells,
    plan_pace,
    run_in_turn,
    score_bases,
    went_well,
)
from learning.training.racers import Racer, group_by_field, list_racers
from operations.pace import Pace, pacing
from operations.race import find_racing, load_dropped
from schemas.plan import ModelCell, StudyPlan
from tasks.race import judge_epoch, pause_cells


def run_race(study: StudyPlan, most: Mapping[str, int]) -> None:
    """Train the cells of the grid an epoch at a time, and drop those that are significantly worse than the best.

    A race that was interrupted, or whose cells failed, goes through the same epochs again. What is finished is not
    done again, and the same answers lead to the same drops.

    Args:
        study: The study.
        most: How many cells of each family are trained side by side; 1 for a family that is missing.
    """
    racers, bases = list_racers(study.cells), study.base_cells
    pace = plan_pace(study, study.cells, most, bases)
    for epoch in range(1, max(racer.last for racer in racers) + 1):
        dropped = load_dropped(study)
        ending = [cell for racer in racers for cell in racer.ending(epoch) if cell.cell_id not in dropped]
        fields = group_by_field(find_racing(study, epoch), epoch)
        calls = divide(study, ending, most, partial(run_in_turn, study, pace))
        calls += divide(study, _find_paused(fields, epoch), most, partial(_pause_in_turn, study, pace, epoch))
        do_all(study, [*(score_bases(study, bases, pace) if epoch == 1 else ()), *calls])
        if fields:
            pace.leave_out(judge_epoch(study, epoch))


def _find_paused(fields: Sequence[Sequence[Racer]], epoch: int) -> list[ModelCell]:
    """The cells whose training pauses, because no cell of their racer ends with this epoch."""
    return [racer.longer(epoch)[0] for field in fields for racer in field if not racer.ending(epoch)]


def _pause_in_turn(study: StudyPlan, pace: Pace, epoch: int, groups: Groups) -> None:
    """Train the groups one after the other to the end of an epoch, and score them on validation."""
    for group in groups:
        with pacing(pace), pace.pausing([cell.name for cell in group]):
            _pause_group(study, place_cells(group, pace), epoch)


def _pause_group(study: StudyPlan, cells: Mapping[ModelCell, str], epoch: int) -> None:
    """Pause cells side by side, or one by one if that fails. A cell that fails does not stop the others."""
    pause = pause_cells.with_options(retries=study.config.training.retries)
    state = pause(study, tuple(cells), tuple(cells.values()), epoch, return_state=True)
    if went_well(next(iter(cells)), state) or len(cells) == 1:
        return
    for cell, position in cells.items():
        went_well(cell, pause(study, (cell,), (position,), epoch, return_state=True))
