"""Who races in a study: trainings that are compared at the end of each epoch. Loads no heavy library."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from learning.study.grid import split_apart
from learning.training.schedule import count_steps, count_trained_steps
from schemas.cell import WITHOUT_EFFECT, CellSettings
from schemas.plan import ModelCell

Field = Hashable
"""The same for racers that are compared: they have one schedule and cells of the same lengths."""


@dataclass(frozen=True)
class Racer:
    """The cells of one training: what is dropped at the end of an epoch are those that are longer."""

    cells: tuple[ModelCell, ...]
    """At least one, the shorter first; with a cosine schedule one alone."""

    @property
    def field(self) -> Field:
        """Whom it is compared with.

        A cosine falls over the whole training, so a state on its way is compared with others of the same length only.
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
        """The cells that go on after this epoch, the shorter first."""
        return tuple(cell for cell in self.cells if cell.settings.training.epochs > epoch)


def line_up(cells: Iterable[ModelCell]) -> list[Racer]:
    """The racers of a grid, in its running order."""
    return [Racer(tuple(own)) for own in split_apart(cells)]


def meet(racers: Iterable[Racer], epoch: int) -> list[list[Racer]]:
    """The racers that are compared at the end of an epoch, by their field: at least two that go on."""
    fields: dict[Field, list[Racer]] = {}
    for racer in racers:
        if racer.last > epoch:
            fields.setdefault(racer.field, []).append(racer)
    return [own for own in fields.values() if len(own) > 1]


def count_tests(racers: Sequence[Racer]) -> int:
    """The tests that a race may make at most: each two racers of a field at the end of each epoch but the last."""
    last = max(racer.last for racer in racers)
    fields = [own for epoch in range(1, last) for own in meet(racers, epoch)]
    return sum(len(own) * (len(own) - 1) // 2 for own in fields)


def count_most_saved(cells: Iterable[CellSettings], examples: int) -> int:
    """The steps that a race saves at most: where all but one racer of each field are dropped after the first epoch.

    Args:
        cells: The grid.
        examples: Headlines of the train part.
    """
    racers: dict[str, list[CellSettings]] = {}
    for cell in sorted(cells, key=lambda cell: cell.training.epochs):
        is_alone = cell.training.schedule == "cosine"
        apart = {"training": {*WITHOUT_EFFECT, *(() if is_alone else ("epochs",))}}
        racers.setdefault(cell.model_dump_json(exclude=apart), []).append(cell)
    saved: dict[Field, list[int]] = {}
    for own in racers.values():
        saved.setdefault(_field_of(own), []).append(_steps_after_first(own, examples))
    return sum(sum(own) - min(own) for own in saved.values())


def _steps_after_first(cells: Sequence[CellSettings], examples: int) -> int:
    """The steps of one training that come after its first epoch."""
    first = count_steps(examples, cells[0].training.batch_size, 1)
    short = [cell for cell in cells if cell.training.epochs == 1]
    return count_trained_steps(cells, examples) - max(first, count_trained_steps(short, examples))


def _field_of(cells: Sequence[CellSettings]) -> Field:
    return cells[0].training.schedule, tuple(sorted({cell.training.epochs for cell in cells}))
