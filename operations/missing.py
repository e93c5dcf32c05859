"""What a study has and lacks: the cell that is best on validation, and cells that failed or have not run yet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import FailureError
from schemas.listing import count
from schemas.report import Chosen

if TYPE_CHECKING:
    from storage.cells import StoredCell


class NothingTrainedError(FailureError):
    """No fine-tuned cell of a study has been evaluated."""


def describe_lost_cells(missing: Sequence["StoredCell"]) -> str:
    """Which cells a study lacks, and why, in a line."""
    named = [f"{cell.record.name} ({describe_lack(cell)})" for cell in missing]
    return f"{count(len(named), 'cell')} missing: " + "; ".join(named)


def describe_lack(cell: "StoredCell") -> str:
    """Why a cell of a study has no evaluation, as far as it is known."""
    evaluated = "trained, and not evaluated" if cell.record.kind == "fine-tuned" else "not evaluated"
    return cell.reason or (cell.status if cell.outcome is None else evaluated)


def find_best(warehouse: Path, study_id: str) -> Chosen:
    """The fine-tuned cell of a study that is best on validation, and the temperature at which it is.

    Raises:
        NothingTrainedError: None has been evaluated.
    """
    from storage.cells import load_missing
    from storage.evaluations import load_best

    best = load_best(warehouse, study_id)
    if best is None:
        missing = load_missing(warehouse, study_id, with_final=True)
        raise NothingTrainedError(f"study {study_id}: no fine-tuned cell is evaluated; {describe_lost_cells(missing)}")
    return best
