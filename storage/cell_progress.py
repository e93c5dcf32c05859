"""The progress of cells: started, paused, finished with an outcome, or failed; and their training log."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from storage.cells import DONE, CellOutcome
from storage.lookup import unknown
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    import pandas as pd


def start_cell(warehouse: Path, cell_id: str) -> None:
    """Record that a cell starts to run.

    Raises:
        UnknownIdError: No cell has this id.
    """
    _change_cell(
        warehouse,
        cell_id,
        "UPDATE cells SET status = 'running', reason = NULL, started_at = $now, finished_at = NULL"
        " WHERE cell_id = $cell_id",
        {"now": utc_now()},
    )


def pause_cell(warehouse: Path, cell_id: str) -> None:
    """Record that a cell waits for the others of its race, and goes on later or is dropped.

    Raises:
        UnknownIdError: No cell has this id.
    """
    _change_cell(warehouse, cell_id, "UPDATE cells SET status = 'planned' WHERE cell_id = $cell_id", {})


def finish_cell(warehouse: Path, cell_id: str, outcome: CellOutcome) -> None:
    """Record that a cell finished, and its outcome.

    Raises:
        UnknownIdError: No cell has this id.
    """
    columns = {
        **vars(outcome),
        "environment": json.dumps(outcome.environment),
        "reason": None,
        "finished_at": utc_now(),
    }
    assignments = ", ".join(f"{name} = ${name}" for name in columns)
    update = f"UPDATE cells SET {assignments} WHERE cell_id = $cell_id"  # noqa: S608 (our own names)
    _change_cell(warehouse, cell_id, update, columns)


def save_cost(warehouse: Path, cell_id: str, train_seconds: float, size_bytes: int) -> None:
    """Record how long a baseline took to fit, and its size in bytes.

    Raises:
        UnknownIdError: No cell has this id.
    """
    update = "UPDATE cells SET train_seconds = $train_seconds, size_bytes = $size_bytes WHERE cell_id = $cell_id"
    _change_cell(warehouse, cell_id, update, {"train_seconds": train_seconds, "size_bytes": size_bytes})


def save_adapter_hash(warehouse: Path, cell_id: str, adapter_hash: str | None) -> None:
    """Record the hash of an adapter without one, which an older version trained."""
    with writing(warehouse) as connection:
        connection.execute(
            "UPDATE cells SET adapter_hash = ? WHERE cell_id = ? AND adapter_hash IS NULL", [adapter_hash, cell_id]
        )


def fail_cell(
    warehouse: Path,
    cell_id: str,
    reason: str,
    status: Literal["failed", "interrupted"] = "failed",
    *,
    even_if_done: bool = False,
) -> None:
    """Record that a cell failed, and why.

    Args:
        warehouse: The DuckDB file.
        cell_id: The cell.
        reason: Why.
        status: Its new status.
        even_if_done: Record it even if the cell has an outcome, as when its adapter is gone; else a cell that another
            process finished meanwhile stays unchanged.

    Raises:
        UnknownIdError: No cell has this id.
    """
    _change_cell(
        warehouse,
        cell_id,
        "UPDATE cells SET reason = if(list_contains($done, status), reason, $reason),"
        " finished_at = if(list_contains($done, status), finished_at, $now),"
        " status = if(list_contains($done, status), status, $status) WHERE cell_id = $cell_id",
        {"reason": reason, "now": utc_now(), "status": status, "done": [] if even_if_done else list(DONE)},
    )


def explain_diverged(warehouse: Path, cell_id: str, reason: str) -> bool:
    """Record why a diverged cell has no evaluation; False if the cell has not diverged, which stays unchanged."""
    with writing(warehouse) as connection:
        [(changed,)] = connection.execute(
            "UPDATE cells SET reason = ? WHERE cell_id = ? AND status = 'diverged'", [reason, cell_id]
        ).fetchall()
    return bool(changed)


def explain_unevaluated(warehouse: Path, cell_id: str, reason: str | None) -> None:
    """Record why a finished cell could not be evaluated, or that it was (None); other cells stay unchanged."""
    outdated = "WHERE cell_id = $cell_id AND status = 'finished' AND reason IS DISTINCT FROM $reason"
    values = {"cell_id": cell_id, "reason": reason}
    with reading(warehouse) as connection:
        if not connection.execute(f"FROM cells {outdated}", values).fetchall():
            return
    with writing(warehouse) as connection:
        connection.execute(f"UPDATE cells SET reason = $reason {outdated}", values)  # noqa: S608 (our own names)


def save_training_log(warehouse: Path, rows: "pd.DataFrame", *, whole: bool) -> None:
    """Save steps of the training log of one or more cells.

    Args:
        warehouse: The DuckDB file.
        rows: Columns cell_id, step, epoch, loss, learning_rate, grad_norm, examples_per_second, and logged_at in UTC.
        whole: They are all steps of their cells; else they are added to the existing steps or replace them.
    """
    import pandas as pd

    logged_at = pd.to_datetime(rows["logged_at"], utc=True).dt.tz_localize(None)
    replaced = "cell_id IN (SELECT cell_id FROM incoming)"
    if not whole:
        replaced = "(cell_id, step) IN (SELECT (cell_id, step) FROM incoming)"
    with writing(warehouse) as connection:
        connection.register("incoming", rows.assign(logged_at=logged_at))
        connection.execute(f"DELETE FROM training_log WHERE {replaced}")  # noqa: S608
        connection.execute("INSERT INTO training_log BY NAME FROM incoming")


def _change_cell(warehouse: Path, cell_id: str, update: str, values: dict[str, Any]) -> None:
    with writing(warehouse) as connection:
        [(changed,)] = connection.execute(update, {**values, "cell_id": cell_id}).fetchall()
        if not changed:
            raise unknown("cell", cell_id)
