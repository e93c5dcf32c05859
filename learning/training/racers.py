"""The racers of a study: trainings that are compared at the end of each epoch. Loads no heavy library."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from learning.study.grid import split_apart
from learning.training.schedule import count_steps, count_trained, lay_out_steps
from schemas.cell import WITHOUT_EFFECT, CellSettings
from schemas.plan import ModelCell

Field = Hashable
"""A key that is equal for racers that are compared: they have the same schedule and cells of the same lengths."""


@dataclass(frozen=True)
class Racer:
    """The cells of one training; a drop at the end of an epoch affects those that are longer."""

    cells: tuple[ModelCell, ...]
    """At least one, shorter ones first; with a cosine schedule only one."""

    @property
    def field(self) -> Field:
        """The key of the racers that it is compared with.

        A cosine decays over the whole training, so an intermediate state is only compared with others of the same
        length.
        """
        return _field_of([cell.settings for cell in self.cells])

    @property
    def last(self) -> int:
        """The epochs of its longest cell."""
        return self.cells[-1].settings.training.epochs

    def ending(self, epoch: int) -> tuple[ModelCell, ...]:
        """The cell that ends with this epoch, if it has one."""
        return tuple(cell for cell in self.cells if cell.settings.training.epochs == epoch)

    def longer(self, epoch: int) -> tuple[ModelCell, ...]:
        """The cells that continue after this epoch, shorter ones first."""
        return tuple(cell for cell in self.cells if cell.settings.training.epochs > epoch)


def list_racers(cells: Iterable[ModelCell]) -> list[Racer]:
    """The racers of a grid, in its running order."""
    return [Racer(tuple(of_training)) for of_training in split_apart(cells)]


def group_by_field(racers: Iterable[Racer], epoch: int) -> list[list[Racer]]:
    """The racers that are compared at the end of an epoch, by field: at least two that continue."""
    fields: dict[Field, list[Racer]] = {}
    for racer in racers:
        if racer.last > epoch:
            fields.setdefault(racer.field, []).append(racer)
    return [field for field in fields.values() if len(field) > 1]


def count_tests(racers: Sequence[Racer]) -> int:
    """The most tests that a race may make: all pairs of racers of a field at the end of each epoch except the last."""
    last = max(racer.last for racer in racers)
    fields = [field for epoch in range(1, last) for field in group_by_field(racers, epoch)]
    return sum(len(field) * (len(field) - 1) // 2 for field in fields)


def count_most_saved(cells: Iterable[CellSettings], examples: int) -> int:
    """The most steps that a race can save: all racers of each field except one are dropped after the first epoch.

    Args:
        cells: The cells of the grid.
        examples: Number of headlines in the train part.
    """
    racers: dict[str, list[CellSettings]] = {}
    for cell in cells:
        is_alone = cell.training.schedule == "cosine"
        apart = {"training": {*WITHOUT_EFFECT, *(() if is_alone else ("epochs",))}}
        racers.setdefault(cell.model_dump_json(exclude=apart), []).append(cell)
    saved: dict[Field, list[int]] = {}
    for racer in racers.values():
        saved.setdefault(_field_of(racer), []).append(_steps_after_first(racer, examples))
    return sum(sum(steps) - min(steps) for steps in saved.values())


def _steps_after_first(cells: Sequence[CellSettings], examples: int) -> int:
    """The steps of one training that come after its first epoch, with shared steps counted once."""
    trained, batch_size = count_trained(examples, cells[0].prompt), cells[0].training.batch_size
    first = count_steps(trained, batch_size, 1)
    lengths = {lay_out_steps(trained, cell.training) for cell in cells}
    shared = max(length.shared_steps for length in lengths)
    own = (length.steps - max(length.shared_steps, first) for length in lengths)
    return max(shared - first, 0) + sum(max(steps, 0) for steps in own)


def _field_of(cells: Sequence[CellSettings]) -> Field:
    return cells[0].training.schedule, tuple(sorted({cell.training.epochs for cell in cells}))
