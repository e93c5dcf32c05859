"""Studies and cells that are recorded as running although their process was killed or ended with its terminal."""

from contextlib import ExitStack, suppress
from pathlib import Path

from storage.locks import holding_if_free
from storage.migrations import is_up_to_date
from storage.opening import WarehouseLockedError
from storage.unfit import WarehouseUnwritableError
from storage.warehouse import reading, writing

CELL_REASON = "interrupted: its process ended before it did"
PATIENCE = 1.0
"""Seconds to wait for the warehouse; the next command marks what this one could not."""
_RUNNING = (
    "SELECT 'study', study_id FROM studies WHERE status = 'running'"
    " UNION ALL SELECT 'cell', cell_id FROM cells WHERE status = 'running'"
)


def mark_interrupted(warehouse: Path) -> None:
    """Record as interrupted what no process runs any more; a warehouse that cannot be written now stays unchanged.

    A running study or cell holds its lock, which ends with its process, even if that is killed.

    Raises:
        InputError: There is no warehouse, or it cannot be used.
        WarehouseLockedError: Another process held it.
    """
    with reading(warehouse) as connection:
        running = connection.execute(_RUNNING).fetchall() if is_up_to_date(connection) else []
    if not running:
        return
    with ExitStack() as stack, suppress(WarehouseUnwritableError, WarehouseLockedError):
        gone = [entry for entry in running if stack.enter_context(holding_if_free(warehouse, *entry))]
        studies, cells = ([name for kind, name in gone if kind == wanted] for wanted in ("study", "cell"))
        if gone:
            _mark(warehouse, studies, cells)


def _mark(warehouse: Path, studies: list[str], cells: list[str]) -> None:
    with writing(warehouse, PATIENCE) as connection:
        connection.execute(
            "UPDATE studies SET status = 'interrupted' WHERE status = 'running' AND list_contains(?, study_id)",
            [studies],
        )
        connection.execute(
            "UPDATE cells SET status = 'interrupted', reason = ?"
            " WHERE status = 'running' AND list_contains(?, cell_id)",
            [CELL_REASON, cells],
        )
