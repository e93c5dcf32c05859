"""Whether cells train for enough steps to learn anything."""

from collections.abc import Sequence

from schemas.cell import CellSettings
from schemas.split import SplitSettings

LEAST_STEPS = 30
"""Optimiser steps below which a fresh LoRA adapter has hardly moved, at the usual learning rates."""


def warn_of_few_steps(cells: Sequence[CellSettings], train: int, split: SplitSettings) -> str | None:
    """A warning that cells train for too few optimiser steps, and how to give them more; None if none does.

    Args:
        cells: The cells to fine-tune.
        train: Headlines in train.
        split: How they were divided.
    """
    from learning.training.schedule import count_steps

    steps = [count_steps(train, cell.training.batch_size, cell.training.epochs) for cell in cells]
    few = sum(each < LEAST_STEPS for each in steps)
    if not few:
        return None
    which = f"{few} of {len(steps)} cells" if len(steps) > 1 else "the cell"
    return (
        f"{which} will hardly learn, with fewer than {LEAST_STEPS} optimiser steps ({min(steps)} at the least): raise "
        f"{'split.train_per_class or ' if split.is_drawn else ''}training.epochs, or lower training.batch_size"
    )
