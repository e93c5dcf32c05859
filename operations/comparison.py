"""Two cells side by side: what `fintone compare` answers. Loads no heavy library."""

from dataclasses import dataclass
from pathlib import Path

from learning.study.comparison import Comparison, compare
from schemas.comparison import BaselineVerdict, Difference, Flip
from schemas.errors import InputError
from storage.cells import CellRecord, find_cells
from storage.comparisons import Pairing, load_flips, load_pairings, load_verdicts
from storage.examples import flips_query


class NotComparedError(InputError):
    """What was asked for cannot be compared."""


@dataclass(frozen=True)
class ComparedRun:
    """Two cells at one temperature, with some headlines that they predict otherwise.

    A verdict is None for a baseline, and where the study is not compared yet.
    """

    pairing: Pairing
    comparison: Comparison
    verdict: BaselineVerdict | None
    other_verdict: BaselineVerdict | None
    flips: list[Flip]

    @property
    def difference(self) -> Difference:
        """The difference of accuracy."""
        own = self.comparison
        figures = (own.difference, own.difference_low, own.difference_high, own.p_value)
        return Difference(*figures, self.pairing.p_holm, self.pairing.pairs)

    @property
    def flipped(self) -> int:
        """Headlines that the two predict otherwise."""
        return int((self.pairing.predicted != self.pairing.other_predicted).sum())


@dataclass(frozen=True)
class CellComparison:
    """Two cells on one part of their splits, at each temperature that both have, ascending."""

    cell: CellRecord
    other: CellRecord
    part: str
    runs: list[ComparedRun]

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
        other: That of another one.
        part: validation or test.
        temperature: One temperature; None for all that both have.
        most_flips: Headlines to show at each temperature.

    Raises:
        InputError: A cell is not known, or the two have nothing in common.
    """
    own, others = (found.record for found in find_cells(warehouse, [cell, other]))
    if own == others:
        raise NotComparedError(f"cell {own.cell_id}: is on both sides; give two cells")
    pairings = load_pairings(warehouse, own.cell_id, others.cell_id, part)
    chosen = [each for each in pairings if temperature in {None, each.temperature}]
    if not chosen:
        shared = ", ".join(f"{each.temperature:g}" for each in pairings if each.temperature is not None)
        shared = shared or "none, as neither samples"
        raise NotComparedError(f"temperature {temperature:g}: the two cells share {shared}")
    verdicts = load_verdicts(warehouse, chosen[0].study_id, own.cell_id, part)
    other_verdicts = load_verdicts(warehouse, chosen[0].other_study_id, others.cell_id, part)
    runs = [
        ComparedRun(
            each,
            compare(each.labels, each.predicted, each.other_predicted),
            verdicts.get(each.temperature),
            other_verdicts.get(each.temperature),
            flips,
        )
        for each, flips in zip(chosen, load_flips(warehouse, chosen, most_flips), strict=True)
    ]
    return CellComparison(own, others, part, runs)
