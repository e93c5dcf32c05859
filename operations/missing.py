"""What a study lacks, in words: cells that failed, or have not run yet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.errors import FailureError
from schemas.plan import StudyPlan, name_cell

if TYPE_CHECKING:
    from storage.studies import StoredCell


class NothingTrainedError(FailureError):
    """Every cell of a study's grid failed."""


def tell_missing(missing: Sequence["StoredCell"]) -> str:
    """Which cells a study lacks, and why, in a line."""
    named = [f"{name_stored(cell)} ({cell.reason or _tell_status(cell)})" for cell in missing]
    return f"{len(named)} cell{'' if len(named) == 1 else 's'} missing: " + "; ".join(named)


def _tell_status(cell: "StoredCell") -> str:
    return cell.status if cell.outcome is None else "trained, and not evaluated"


def nothing_trained(study: StudyPlan) -> NothingTrainedError:
    """The error of a study of which no fine-tune has been evaluated."""
    from storage.home import Home
    from storage.studies import load_missing

    missing = load_missing(Home.from_environment().warehouse, study.study_id, with_final=True)
    return NothingTrainedError(f"study {study.study_id}: no cell could be trained; {tell_missing(missing)}")


def name_stored(cell: "StoredCell") -> str:
    """A cell as people see it in a table."""
    record = cell.record
    return name_cell(record.kind, record.model, record.learning_rate, record.epochs, record.seed)
