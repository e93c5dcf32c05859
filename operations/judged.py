"""How a cell was judged on its own test part: temperature, decoding, accuracy."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import InputError
from schemas.evaluation import DecodingSettings
from schemas.promotion import Champion
from schemas.stored import read_stored

if TYPE_CHECKING:
    from storage.cells import StoredCell


class NotJudgedError(InputError):
    """The cell was not judged on its test part, or not at this temperature."""


class Judged(NamedTuple):
    """A cell's figures on its own test part at one temperature."""

    n: int
    accuracy: float
    low: float | None
    high: float | None
    majority: float
    """Share of the most common label: the accuracy of always answering it."""

    def __str__(self) -> str:
        """Accuracy with its interval, and on how many headlines."""
        from reporting.verdict import format_with_bounds

        return f"accuracy {format_with_bounds(self.accuracy, self.low, self.high)} on {self.n:,} test headlines"

    @property
    def is_chance(self) -> bool:
        """Whether the accuracy is not beyond noise above that of always answering one label."""
        return (self.accuracy if self.low is None else self.low) <= self.majority


def find_judged_temperature(warehouse: Path, cell: "StoredCell", requested: float | None) -> float:
    """The lowest temperature at which a cell was judged on the test part of its study.

    Args:
        warehouse: The DuckDB file.
        cell: The cell.
        requested: A temperature at which it must have been judged, too; None for any.

    Raises:
        NotJudgedError: It was not.
    """
    from storage.cells import load_judged_temperatures
    from storage.races import explain_drop
    from storage.warehouse import reading

    identifier = cell.record.cell_id
    judged = load_judged_temperatures(warehouse, identifier)
    if not judged:
        with reading(warehouse) as connection:
            dropped = explain_drop(connection, identifier)
        raise NotJudgedError(
            f"cell {identifier}: was not judged on test, {dropped or f'it is {cell.status}; run its study'}"
        )
    if requested is not None and requested not in judged:
        temperatures = ", ".join(f"{temperature:g}" for temperature in judged)
        raise NotJudgedError(f"temperature {requested:g}: cell {identifier} was judged at {temperatures}")
    return judged[0]


def choose_decoding(warehouse: Path, cell: Champion) -> DecodingSettings:
    """The decoding settings with which a cell was judged at a temperature, on its own test part.

    Those of its latest study if it was not judged at it.
    """
    from learning.study.identity import decoding_id
    from storage.evaluations import load_test_figures
    from storage.studies import load_config_of

    latest = read_stored(DecodingSettings, "decoding", load_config_of(warehouse, cell.cell_id)["decoding"])
    figures = load_test_figures(warehouse, *cell)
    if figures is None:
        return latest
    drawn = {"top_k": figures["top_k"], "top_p": figures["top_p"], "seed": figures["draw_seed"]}
    judged = latest.model_copy(update=drawn)
    return judged if decoding_id(judged) == figures["decoding_id"] else latest  # else an older version judged it


def load_judged(warehouse: Path, cell: Champion) -> Judged | None:
    """The figures of a cell at a temperature on its own test part; None if there are none, or its study was deleted."""
    from storage.cells import load_cell
    from storage.evaluations import load_test_figures
    from storage.lookup import UnknownIdError
    from storage.splits import load_split_counts
    from storage.warehouse import reading_together

    with reading_together(warehouse):
        try:
            split_id = load_cell(warehouse, cell.cell_id).record.split_id
        except UnknownIdError:
            return None
        figures = load_test_figures(warehouse, *cell)
        if figures is None:
            return None
        counts = [count for part, _, count in load_split_counts(warehouse, split_id) if part == "test"]
    bounds = (figures["accuracy_low"], figures["accuracy_high"])
    return Judged(figures["n"], figures["accuracy"], *bounds, max(counts) / sum(counts))


def describe_answering(temperature: float, judged_at: float, judged: Judged | None) -> str:
    """The temperature at which a cell answers, that at which it was judged, and its accuracy at the first."""
    from reporting.promotion import describe_temperature

    return describe_temperature(temperature, judged_at) + (f": {judged}" if judged else "")


def warn_of_chance(cell_id: str, judged: Judged | None) -> str | None:
    """A warning that a cell is no better than chance; None if it is better."""
    from reporting.verdict import format_ratio

    if judged is None or not judged.is_chance:
        return None
    return (
        f"warning: cell {cell_id} is no better than chance ({judged}; always answering one label gives "
        f"{format_ratio(judged.majority)}): do not rely on these answers; `fintone list cells` shows other cells, and "
        "--model takes one"
    )
