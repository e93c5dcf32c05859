"""The records of a race: how trainings answered validation at the end of an epoch, and the cells that it dropped."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.named_rows import as_row
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

_EVALUATED = (
    "WITH by_label AS (SELECT evaluation_id, label, avg(CASE label WHEN 'negative' THEN p_negative"
    " WHEN 'positive' THEN p_positive ELSE with_unparsed(p_neutral, p_unparsed) END) AS expected"
    " FROM ledger.predictions JOIN headlines USING (headline_id) WHERE list_contains($ids, evaluation_id) GROUP BY ALL)"
    " SELECT evaluation_id, list(predicted = label ORDER BY headline_id) AS is_right,"
    " (SELECT avg(expected) FROM by_label WHERE by_label.evaluation_id = own.evaluation_id) AS balanced_accuracy"
    " FROM ledger.predictions AS own JOIN headlines USING (headline_id) WHERE list_contains($ids, evaluation_id)"
    " GROUP BY evaluation_id"
)
_PAUSED = "SELECT pause_id, is_right, balanced_accuracy FROM ledger.pauses WHERE list_contains($ids, pause_id)"


@dataclass(frozen=True)
class PauseRecord:
    """How a training answered validation at the end of an epoch at which no cell ends."""

    pause_id: str
    cell_id: str
    epoch: int
    temperature: float
    is_right: list[bool]
    """In the order of the ids of the headlines."""
    balanced_accuracy: float
    seconds: float


@dataclass(frozen=True)
class DropRecord:
    """A cell that a race dropped; the columns of `ledger.drops` describe the fields."""

    cell_id: str
    epoch: int
    best_cell_id: str
    n: int
    accuracy: float
    best_accuracy: float
    p_value: float
    bound: float


@dataclass(frozen=True)
class DroppedCell:
    """A cell that a race dropped, with its name."""

    name: str
    drop: DropRecord


def load_answers(warehouse: Path, ids: Sequence[str]) -> "dict[str, tuple[NDArray[np.bool_], float]]":
    """Which headlines were answered right, in the order of their ids, and the balanced accuracy.

    Args:
        warehouse: The DuckDB file.
        ids: Ids of evaluations on validation and of pauses. Unknown ones are left out.
    """
    import numpy as np

    with reading(warehouse) as connection:
        rows = [row for query in (_EVALUATED, _PAUSED) for row in _fetch(connection, query, ids)]
    return {identifier: (np.array(right, bool), balanced) for identifier, right, balanced in rows}


def _fetch(connection: "duckdb.DuckDBPyConnection", query: str, ids: Sequence[str]) -> list[Any]:
    rows: list[Any] = connection.execute(query, {"ids": list(ids)}).fetchall()
    return rows


def save_pause(warehouse: Path, pause: PauseRecord) -> None:
    """Save how a paused training answered, unless it is known."""
    values = {**asdict(pause), "evaluated_at": utc_now()}
    with writing(warehouse) as connection:
        connection.execute(f"INSERT OR IGNORE INTO ledger.pauses BY NAME {as_row(values)}", values)


def save_drops(warehouse: Path, study_id: str, drops: Iterable[DropRecord]) -> None:
    """Save the cells that a race drops, except those that the study has evaluated or that are dropped already."""
    with writing(warehouse) as connection:
        for drop in drops:
            values = {**asdict(drop), "study_id": study_id, "dropped_at": utc_now()}
            connection.execute(
                f"INSERT INTO ledger.drops BY NAME {as_row(values)} WHERE NOT EXISTS"
                " (FROM ledger.study_evaluations JOIN evaluations USING (evaluation_id) WHERE study_id = $study_id"
                " AND cell_id = $cell_id) ON CONFLICT DO NOTHING",
                values,
            )


def load_drops(warehouse: Path, study_id: str) -> list[DroppedCell]:
    """The cells that the race of a study dropped, in the order of the study."""
    columns = "cell_id, epoch, best_cell_id, n, accuracy, best_accuracy, p_value, bound"
    with reading(warehouse) as connection:
        rows = connection.execute(
            f"SELECT cell_name, {columns} FROM dropped_cells WHERE study_id = ?",  # noqa: S608 (our own names)
            [study_id],
        ).fetchall()
    return [DroppedCell(name, DropRecord(*values)) for name, *values in rows]


def explain_drop(connection: "duckdb.DuckDBPyConnection", cell_id: str) -> str | None:
    """Why a cell that a race dropped has no evaluation on test, with the remedy; None if none dropped it."""
    found = connection.execute("SELECT study_id FROM ledger.drops WHERE cell_id = ? LIMIT 1", [cell_id]).fetchone()
    if not found:
        return None
    return f"the race of study {found[0]} dropped it before the end; `fintone run --set search=all` trains every cell"
