"""The table of cells: what each is, and how it is found; `storage.cell_progress` records its progress."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from storage.lookup import SHORTEST_PREFIX, find_entry, unknown
from storage.named_rows import as_row, named_rows
from storage.warehouse import reading, reading_together, writing

if TYPE_CHECKING:
    import duckdb

CellKind = Literal["base", "baseline", "fine-tuned"]
CellStatus = Literal["planned", "running", "finished", "diverged", "failed", "interrupted"]
DONE: tuple[CellStatus, ...] = ("finished", "diverged")
"""The states of a cell that has an outcome."""
_NAMED_CELLS = "SELECT cells.*, name FROM cells LEFT JOIN ledger.latest_studies USING (cell_id)"


@dataclass(frozen=True)
class CellRecord:
    """A cell as it is known before it runs; learning rate, epochs and seed are None unless it is fine-tuned."""

    cell_id: str
    kind: CellKind
    model: str
    name: str
    """Its readable name, from its latest study unless a study is given."""
    snapshot_id: str
    split_id: str
    hyperparameters: dict[str, Any]
    """Its resolved settings (`schemas.stored.write_stored`)."""
    learning_rate: float | None = None
    epochs: int | None = None
    seed: int | None = None
    base_revision: str | None = None
    base_folder: str | None = None
    """The folder of its base model; None for a baseline."""
    kind_of_model: str | None = None
    """As `causal` or `encoder`; None for a baseline, and where an older version recorded the cell."""
    training_id: str | None = None
    """The id of a fine-tuned cell's training; None where an older version recorded the cell."""
    size_bytes: int | None = None
    """Bytes of the weights of an untouched base; other cells have a size once they are fitted or trained."""
    trained_until: date | None = None
    """The last day of the texts that its base model was pretrained on, where the study gives it."""


@dataclass(frozen=True)
class CellOutcome:
    """The outcome of running a cell; only a fine-tuned one has steps and an adapter. `environment`: versions, device.

    A fine-tuned one is `diverged` if its loss was NaN or infinite or exploded; it has an adapter nevertheless.
    """

    steps: int | None = None
    train_seconds: float | None = None
    examples_per_second: float | None = None
    peak_memory_bytes: int | None = None
    adapter_path: str | None = None
    environment: dict[str, Any] = field(default_factory=dict)
    first_step: int | None = None
    tokens_per_second: float | None = None
    status: Literal["finished", "diverged"] = "finished"
    adapter_hash: str | None = None
    size_bytes: int | None = None
    """Bytes of the files that it answers with: those of its fine-tune and, for an adapter, its base model's weights."""


@dataclass(frozen=True)
class StoredCell:
    """A cell as the warehouse knows it; `reason` if it failed, `outcome` if it finished or diverged."""

    record: CellRecord
    status: CellStatus
    reason: str | None
    outcome: CellOutcome | None

    @property
    def answers_nothing(self) -> bool:
        """Whether its training diverged and left logits that are NaN or infinite; `reason` says so."""
        return self.status == "diverged" and self.reason is not None


Record = TypeVar("Record", CellRecord, CellOutcome)


def load_trained(warehouse: Path, study_id: str) -> list[str]:
    """The ids of a study's cells that have trained an adapter."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT cell_id FROM cells JOIN study_cells USING (cell_id) WHERE study_id = ? AND kind = 'fine-tuned'"
            " AND list_contains(?, status) AND split_id NOT IN (SELECT split_id FROM split_folds)",
            [study_id, list(DONE)],
        ).fetchall()
    return [cell_id for (cell_id,) in rows]


def load_unfinished(warehouse: Path) -> list[CellRecord]:
    """The fine-tuned cells of studies that are not finished."""
    with reading(warehouse) as connection:
        studies = "SELECT study_id FROM studies WHERE status <> 'finished'"
        ids = f"SELECT cell_id FROM study_cells WHERE study_id IN ({studies})"  # noqa: S608 (our own names)
        cells = _read_cells(connection.execute(f"{_NAMED_CELLS} WHERE kind = 'fine-tuned' AND cell_id IN ({ids})"))
    return [cell.record for cell in cells]


def load_finished(warehouse: Path, split_id: str) -> list[CellRecord]:
    """The cells of a split that have an outcome."""
    with reading(warehouse) as connection:
        query = f"{_NAMED_CELLS} WHERE split_id = ? AND list_contains(?, status)"
        cells = _read_cells(connection.execute(query, [split_id, list(DONE)]))
    return [cell.record for cell in cells]


def load_missing(warehouse: Path, study_id: str, *, with_final: bool = False) -> list[StoredCell]:
    """The cells of a study that lack an evaluation, in the order of the study.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        with_final: Also those that no run can evaluate, since their training diverged and left no finite logits.
    """
    query = (
        "SELECT cells.*, study_cells.name FROM cells JOIN study_cells USING (cell_id)"
        " JOIN missing_cells USING (study_id, cell_id) WHERE study_id = $study_id AND (NOT is_final OR $with_final)"
        " ORDER BY position"
    )
    with reading(warehouse) as connection:
        return _read_cells(connection.execute(query, {"study_id": study_id, "with_final": with_final}))


def add_cells(warehouse: Path, study_id: str, cells: Sequence[CellRecord]) -> None:
    """Add cells to a study, after those that it has; a cell that is known keeps its status.

    A run that does not give `trained_until` of a base model keeps that of an earlier run.
    """
    with writing(warehouse) as connection:
        for cell in cells:
            values = {**vars(cell), "hyperparameters": json.dumps(cell.hyperparameters)}
            of_study = {name: values.pop(name) for name in ("name", "trained_until")}
            connection.execute(
                f"INSERT INTO cells BY NAME {as_row(values)}, 'planned' AS status"
                " ON CONFLICT (cell_id) DO UPDATE SET base_folder = excluded.base_folder,"
                " kind_of_model = excluded.kind_of_model, training_id = excluded.training_id,"
                " size_bytes = coalesce(excluded.size_bytes, size_bytes)",
                values,
            )
            connection.execute(
                "INSERT INTO study_cells (study_id, cell_id, position, name, trained_until)"
                " SELECT $study_id, $cell_id, count(*), $name, $trained_until FROM study_cells"
                " WHERE study_id = $study_id"
                " ON CONFLICT (study_id, cell_id) DO UPDATE SET name = excluded.name,"
                " trained_until = coalesce(excluded.trained_until, trained_until)",
                {"study_id": study_id, "cell_id": cell.cell_id, **of_study},
            )


def load_cell(warehouse: Path, cell_id: str) -> StoredCell:
    """A cell, its status and its outcome.

    Raises:
        UnknownIdError: No cell has this id.
    """
    with reading(warehouse) as connection:
        cells = _read_cells(connection.execute(f"{_NAMED_CELLS} WHERE cell_id = ?", [cell_id]))
    if not cells:
        raise unknown("cell", cell_id)
    return cells[0]


def load_judged_temperatures(warehouse: Path, cell_id: str) -> list[float]:
    """The sampling temperatures at which a cell was evaluated on test, ascending; empty for a baseline."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT DISTINCT temperature FROM evaluations WHERE cell_id = ? AND part = 'test'"
            " AND temperature IS NOT NULL ORDER BY temperature",
            [cell_id],
        ).fetchall()
    return [temperature for (temperature,) in rows]


def find_cell(warehouse: Path, text: str) -> StoredCell:
    """The cell with the id or name that a person gave, or the only cell whose id begins with it.

    Raises:
        UnknownIdError: There is none, or it is `champion` and no cell was promoted.
        AmbiguousIdError: There are several, or the text is too short.
    """
    with reading_together(warehouse):
        return load_cell(warehouse, find_entry(warehouse, text, "cell").identifier)


def load_short_ids(warehouse: Path) -> dict[str, str]:
    """For the id of each cell, its shortest beginning that no other id has, as `find_cell` accepts it."""
    with reading(warehouse) as connection:
        ids = [cell_id for (cell_id,) in connection.execute("SELECT cell_id FROM cells ORDER BY cell_id").fetchall()]
    around = zip(["", *ids], ids, [*ids[1:], ""], strict=False)
    return {cell_id: cell_id[: _count_needed(cell_id, before, after)] for before, cell_id, after in around}


def _count_needed(cell_id: str, *others: str) -> int:
    """The number of characters, at least `SHORTEST_PREFIX`, by which the beginning of an id differs from others."""
    lengths = range(SHORTEST_PREFIX, len(cell_id))
    return next(
        (length for length in lengths if not any(other.startswith(cell_id[:length]) for other in others)), len(cell_id)
    )


def _read_cells(cursor: "duckdb.DuckDBPyConnection") -> list[StoredCell]:
    return [
        StoredCell(
            _pick(CellRecord, row, "hyperparameters"),
            row["status"],
            row["reason"],
            _pick(CellOutcome, row, "environment") if row["status"] in DONE else None,
        )
        for row in named_rows(cursor)
    ]


def _pick(record: type[Record], values: dict[str, Any], json_column: str) -> Record:
    """A record from the columns of a row, one of them JSON; a warehouse that is only read may lack new columns."""
    picked: dict[str, Any] = {column.name: values.get(column.name) for column in fields(record)}
    return record(**picked | {json_column: json.loads(values[json_column])})
