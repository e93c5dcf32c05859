"""Steps and learning rates of a training, and the steps that trainings of several lengths share.

Counts only; loads no heavy library and trains nothing.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from schemas.cell import WITHOUT_EFFECT, CellSettings, PromptSettings, TrainingSettings


@dataclass(frozen=True)
class Schedule:
    """The optimiser steps of one training."""

    steps: int
    warmup_steps: int
    decay_steps: int
    """Steps of the decay at the end of a `warmup-stable-decay`; 0 otherwise."""
    shared_steps: int
    """How many first steps are the same in a longer training: all, those before the decay, or none."""


def count_steps(examples: int, batch_size: int, epochs: int) -> int:
    """Optimiser steps of a training; the last batch of an epoch may be short."""
    return math.ceil(examples / batch_size) * epochs


def lay_out_steps(examples: int, training: TrainingSettings) -> Schedule:
    """The steps of a training on `examples` headlines.

    A cosine warms up over a share of all steps, as in the study, so every step depends on their number. The others warm
    up over a share of the first epoch, and a `warmup-stable-decay` (Hu et al. 2024, MiniCPM) falls linearly to zero at
    its end: until then a training does not depend on its length. A warm-up is never the whole of what it is a share of,
    since its first step has a learning rate of 0.
    """
    steps = count_steps(examples, training.batch_size, training.epochs)
    if training.schedule == "cosine":
        return Schedule(steps, _count_warmup(steps, training), 0, 0)
    warmup = _count_warmup(count_steps(examples, training.batch_size, 1), training)
    if training.schedule == "constant":
        return Schedule(steps, warmup, 0, steps)
    decay = min(math.ceil(training.decay_ratio * steps), steps - warmup)
    return Schedule(steps, warmup, decay, steps - decay)


def _count_warmup(steps: int, training: TrainingSettings) -> int:
    """The steps of a warm-up over a share of some steps: less than all of them."""
    return min(math.ceil(training.warmup_ratio * steps), steps - 1)


def count_trained(examples: int, prompt: PromptSettings) -> int:
    """The number of headlines that are trained on: all of train except fixed examples, ignoring their near copies."""
    return examples - (prompt.examples if prompt.examples_by == "fixed" else 0)


def count_trained_steps(cells: Iterable[CellSettings], examples: int) -> int:
    """The steps for training all these cells, with shared steps counted once."""
    return sum(added_steps(cells, examples))


def count_steps_alone(cells: Iterable[CellSettings], examples: int) -> int:
    """The steps for training all these cells if they shared none."""
    return sum(lay_out_steps(count_trained(examples, cell.prompt), cell.training).steps for cell in cells)


def added_steps(cells: Iterable[CellSettings], examples: int) -> list[int]:
    """The steps that each cell adds to those of the cells before it."""
    known: dict[str, set[Schedule]] = {}
    added = []
    for cell in cells:
        others = known.setdefault(_training_of(cell), set())
        before = _count_steps(others)
        others.add(lay_out_steps(count_trained(examples, cell.prompt), cell.training))
        added.append(_count_steps(others) - before)
    return added


def _training_of(cell: CellSettings) -> str:
    """A key that is equal for cells that differ only in epochs, and so share the steps that do not depend on them."""
    return cell.model_dump_json(exclude={"training": {*WITHOUT_EFFECT, "epochs"}})


def _count_steps(lengths: Collection[Schedule]) -> int:
    """The steps for the cells of one training, with shared steps counted once."""
    shared = max((schedule.shared_steps for schedule in lengths), default=0)
    return shared + sum(schedule.steps - schedule.shared_steps for schedule in lengths)
