"""Connects a study's race to storage: how racers answered validation, and which cells are dropped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from operations.records import evaluation_ids
from schemas.plan import CellPlan, StudyPlan
from storage.home import Home

if TYPE_CHECKING:
    from learning.study.evaluation import Evaluation
    from learning.study.race import Drop, Standing
    from learning.training.racers import Racer
    from storage.races import DroppedCell, DropRecord

VALIDATION = "validation"


def load_dropped(study: StudyPlan) -> dict[str, int]:
    """The cells that a study's race dropped so far, each with the epoch at whose end it was dropped."""
    from storage.races import load_drops

    drops = load_drops(Home.from_environment().warehouse, study.study_id)
    return {dropped.drop.cell_id: dropped.drop.epoch for dropped in drops}


def identify_pause(study: StudyPlan, cell: CellPlan, epoch: int) -> str:
    """The id of a cell's answers to validation at a pause of its training, at the end of an epoch."""
    from learning.study.identity import decoding_id, pause_id

    decoding = study.config.decoding
    return pause_id(cell.cell_id, epoch, min(decoding.temperatures), decoding_id(decoding))


def has_answered(study: StudyPlan, cell: CellPlan, epoch: int) -> bool:
    """Whether a cell that pauses at the end of an epoch has answered validation."""
    from storage.races import load_answers

    return bool(load_answers(Home.from_environment().warehouse, [identify_pause(study, cell, epoch)]))


def save_answers(study: StudyPlan, cell: CellPlan, epoch: int, result: "Evaluation") -> None:
    """Save how a cell that pauses at the end of an epoch answered validation, at the lowest temperature."""
    import numpy as np

    from learning.study.unparsed import parsed_labels, true_label_probabilities
    from storage.races import PauseRecord, save_pause

    labels = result.part.label_numbers
    assert result.probabilities is not None
    assert result.temperature is not None
    expected = true_label_probabilities(labels, result.probabilities)
    right = (parsed_labels(result.outcomes) == labels)[np.argsort(np.array(result.part.headline_ids))]
    record = PauseRecord(
        pause_id=identify_pause(study, cell, epoch),
        cell_id=cell.cell_id,
        epoch=epoch,
        temperature=result.temperature,
        is_right=right.tolist(),
        balanced_accuracy=float(np.mean([expected[labels == label].mean() for label in np.unique(labels)])),
        seconds=result.seconds,
    )
    save_pause(Home.from_environment().warehouse, record)


def find_racing(study: StudyPlan, epoch: int) -> "list[Racer]":
    """The racers of a study that were not dropped before the end of an epoch.

    A dropped racer keeps the cells that are evaluated, for example by another study.
    """
    from learning.training.racers import list_racers

    dropped = load_dropped(study)
    return [
        racer
        for racer in list_racers(study.cells)
        if all(dropped.get(cell.cell_id, epoch) >= epoch for cell in racer.cells)
    ]


def drop_cells(study: StudyPlan, epoch: int) -> "list[DroppedCell]":
    """Compare racers by their answers at the end of an epoch, and drop the cells of those that are worse.

    A racer without answers, since it failed or its training diverged, is not compared. A cell that is evaluated, for
    example by another study, stays: dropping it would save nothing.

    Returns:
        The cells that are dropped at the end of this epoch, also by an earlier run.
    """
    from learning.study.race import judge_round
    from learning.training.racers import count_tests, group_by_field, list_racers
    from storage.races import load_drops, save_drops

    warehouse = Home.from_environment().warehouse
    bound = study.config.race.level / count_tests(list_racers(study.cells))
    records: list[DropRecord] = []
    for racers in group_by_field(find_racing(study, epoch), epoch):
        standings = _load_standings(study, sorted(racers, key=_cost), epoch)
        drops = judge_round(standings, bound) if standings else []
        records += [record for drop in drops for record in _record(drop, epoch, bound)]
    save_drops(warehouse, study.study_id, records)
    return [dropped for dropped in load_drops(warehouse, study.study_id) if dropped.drop.epoch == epoch]


def _load_standings(study: StudyPlan, racers: "Sequence[Racer]", epoch: int) -> "list[Standing[Racer]]":
    """How racers answered, in their order; without those that did not."""
    from learning.study.race import Standing
    from storage.races import load_answers

    ids = {_identify_answers(study, racer, epoch): racer for racer in racers}
    answers = load_answers(Home.from_environment().warehouse, list(ids))
    return [Standing(racer, *answers[identifier]) for identifier, racer in ids.items() if identifier in answers]


def _identify_answers(study: StudyPlan, racer: "Racer", epoch: int) -> str:
    """The evaluation of the cell that ends with the epoch, or the pause of the next longer one."""
    for cell in racer.ending(epoch):
        return evaluation_ids(study, cell)[VALIDATION, min(study.config.decoding.temperatures)]
    return identify_pause(study, racer.longer(epoch)[0], epoch)


def _record(drop: "Drop[Racer]", epoch: int, bound: float) -> "list[DropRecord]":
    """The records of the cells that a racer loses."""
    from storage.races import DropRecord

    best = (*drop.best.ending(epoch), *drop.best.longer(epoch))[0].cell_id
    figures = (best, drop.n, drop.accuracy, drop.best_accuracy, drop.p_value, bound)
    return [DropRecord(cell.cell_id, epoch, *figures) for cell in drop.racer.longer(epoch)]


def _cost(racer: "Racer") -> tuple[float, int]:
    """The key that breaks ties, as in `model_selection`."""
    training = racer.cells[0].settings.training
    return training.learning_rate, training.seed
