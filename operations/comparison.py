"""Compares two cells side by side, for `fintone compare`. Loads no heavy library."""

from dataclasses import dataclass
from pathlib import Path

from learning.study.comparison import Comparison, compare
from schemas.comparison import BaselineVerdict, Difference, Flip
from schemas.errors import InputError
from schemas.split import Repeats
from storage.cells import CellRecord, find_cell
from storage.comparisons import Pairing, load_flips, load_pairings, load_verdicts
from storage.examples import flips_query
from storage.folds import load_divisions
from storage.warehouse import reading_together


class NotComparedError(InputError):
    """The cells cannot be compared as requested."""


@dataclass(frozen=True)
class ComparedRun:
    """Two cells at one temperature, with some headlines that they predict differently.

    A verdict is None for a baseline, and in a study without comparisons yet.
    """

    pairing: Pairing
    comparison: Comparison
    verdict: BaselineVerdict | None
    other_verdict: BaselineVerdict | None
    flips: list[Flip]

    @property
    def difference(self) -> Difference:
        """The difference of accuracy."""
        comparison = self.comparison
        figures = (comparison.difference, comparison.difference_low, comparison.difference_high, comparison.p_value)
        return Difference(*figures, self.pairing.p_holm, self.pairing.pairs)

    @property
    def flipped(self) -> int:
        """How many headlines the two predict differently."""
        return int((self.pairing.predicted != self.pairing.other_predicted).sum())


@dataclass(frozen=True)
class CellComparison:
    """Two cells on one part of their splits, at each temperature that both have, ascending.

    `repeats` are the folds or windows that they pool with a model for each, at the first temperature: of no, one or two
    splits.
    """

    cell: CellRecord
    other: CellRecord
    part: str
    runs: list[ComparedRun]
    repeats: tuple[Repeats, ...]

    @property
    def query(self) -> str:
        """The query for all headlines that flipped."""
        return flips_query(self.runs[0].pairing, self.cell.cell_id, self.other.cell_id, self.part)


def compare_cells(
    warehouse: Path, cell: str, other: str, *, part: str, temperature: float | None, most_flips: int
) -> CellComparison:
    """Compare two cells on the headlines that both were evaluated on, whether or not one study holds both.

    Args:
        warehouse: The DuckDB file.
        cell: The id of a cell, or its beginning.
        other: The id of the other cell, or its beginning.
        part: validation or test.
        temperature: One temperature; None for all that both have.
        most_flips: How many flipped headlines to show at each temperature, at most.

    Raises:
        InputError: A cell is not known, or the two have nothing in common.
    """
    with reading_together(warehouse):
        record, other_record = (find_cell(warehouse, text).record for text in (cell, other))
        if record == other_record:
            raise NotComparedError(f"cell {record.cell_id}: is on both sides; give two cells")
        pairings = load_pairings(warehouse, record.cell_id, other_record.cell_id, part)
        chosen = [pairing for pairing in pairings if temperature in {None, pairing.temperature}]
        if not chosen:
            shared = ", ".join(f"{pairing.temperature:g}" for pairing in pairings if pairing.temperature is not None)
            shared = shared or "none, as neither samples"
            raise NotComparedError(f"temperature {temperature:g}: the two cells share {shared}")
        verdicts = load_verdicts(warehouse, chosen[0].study_id, record.cell_id, part)
        other_verdicts = load_verdicts(warehouse, chosen[0].other_study_id, other_record.cell_id, part)
        flipped = load_flips(warehouse, chosen, most_flips)
        divisions = load_divisions(warehouse, list(chosen[0].folds))
    runs = [
        ComparedRun(
            pairing,
            compare(pairing.labels, pairing.predicted, pairing.other_predicted, *pairing.folds.values()),
            verdicts.get(pairing.temperature),
            other_verdicts.get(pairing.temperature),
            flips,
        )
        for pairing, flips in zip(chosen, flipped, strict=True)
    ]
    return CellComparison(record, other_record, part, runs, divisions)
