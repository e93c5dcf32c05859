"""The table of champions: who is champion, who was, and every decision about it, in the order of their numbers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import FailureError, InputError
from schemas.identity import content_id
from schemas.promotion import Champion
from storage.named_rows import as_row, named_row
from storage.order import next_number
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    import duckdb

Decided = Literal["promoted", "kept", "rolled back"]


class ChampionChangedError(FailureError):
    """Another decision was made in the meantime."""


class NoChampionError(InputError):
    """There is no champion, or none before it."""


@dataclass(frozen=True)
class Decision:
    """A decision that is to be recorded; figures are None where no cells were compared."""

    decision: Decided
    decided_by: Literal["gate", "person"]
    reason: str
    study_id: str
    cell_id: str
    temperature: float
    n: int | None = None
    accuracy: float | None = None
    previous_accuracy: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_value: float | None = None
    level: float | None = None
    promotion_level: float | None = None
    look: float | None = None
    evaluation_id: str | None = None
    """The evaluation on test that the gate judged by; None if there was none."""
    person: str | None = None
    """Who decided; None for the gate."""


def load_champion(warehouse: Path) -> Champion | None:
    """The champion now."""
    with reading(warehouse) as connection:
        return read_champion(connection)


def load_champion_before(warehouse: Path) -> Champion:
    """Who was champion before the present one was promoted: a promotion that was rolled back counts as never made.

    Raises:
        NoChampionError: There was no earlier champion.
    """
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT decision, champion_cell_id, champion_temperature FROM champions WHERE decision <> 'kept'"
            " ORDER BY number"
        ).fetchall()
    line: list[Champion] = []
    for decision, cell_id, temperature in rows:
        champion = Champion(cell_id, temperature)
        if decision == "rolled back":
            line = line[: _last_place(line, champion)]
        line.append(champion)
    if len(line) <= 1:
        there = f"{line[0].cell_id} is the first one" if line else "no cell has been promoted"
        raise NoChampionError(f"champion: {there}, so that there is no earlier one to go back to")
    return line[-2]


def save_decision(
    warehouse: Path,
    decision: Decision,
    before: Champion | None,
    latest_number: int | None = None,
    *,
    of_known_cell: bool = False,
) -> None:
    """Record a decision that was made while `before` was champion.

    Args:
        warehouse: The DuckDB file.
        decision: The decision.
        before: The champion before it.
        latest_number: Number of the latest decision that it takes into account; None if that does not matter.
        of_known_cell: Check that the cell is still in a study: while a person decides, the study may be deleted.

    Raises:
        ChampionChangedError: Another decision was made in the meantime, or the cell was deleted.
    """
    with writing(warehouse) as connection:
        present, number = read_champion(connection), next_number(connection, "champions")
        if present != before:
            other = present.cell_id if present else "nobody"
            raise ChampionChangedError(f"champion: {other} became it in the meantime; the same command decides again")
        if latest_number not in {None, number - 1}:
            raise ChampionChangedError(
                "champion: another study was judged in the meantime; the same command decides again"
            )
        judged = Champion(decision.cell_id, decision.temperature)
        if of_known_cell and not _is_in_study(connection, judged.cell_id):
            raise ChampionChangedError(f"cell {judged.cell_id}: was deleted in the meantime; choose another cell")
        after = before if decision.decision == "kept" else judged
        known = connection.execute("SELECT snapshot_id FROM studies WHERE study_id = ?", [decision.study_id]).fetchone()
        row = {
            **asdict(decision),
            "champion_id": content_id({"cell": decision.cell_id, "number": number}),
            "number": number,
            "champion_cell_id": after.cell_id if after else None,
            "champion_temperature": after.temperature if after else None,
            "previous_cell_id": before.cell_id if before else None,
            "previous_temperature": before.temperature if before else None,
            "decided_at": utc_now(),
            "snapshot_id": known[0] if known else None,
        }
        connection.execute(f"INSERT INTO champions BY NAME {as_row(row)}", row)


def _is_in_study(connection: "duckdb.DuckDBPyConnection", cell_id: str) -> bool:
    return bool(connection.execute("FROM study_cells WHERE cell_id = ? LIMIT 1", [cell_id]).fetchall())


def load_decision(warehouse: Path, study_id: str) -> dict[str, Any] | None:
    """The gate's latest decision on a study, as a row of `champions`."""
    with reading(warehouse) as connection:
        cursor = connection.execute(
            "FROM champions WHERE study_id = ? AND decided_by = 'gate' ORDER BY number DESC LIMIT 1", [study_id]
        )
        return named_row(cursor)


def _last_place(line: list[Champion], champion: Champion) -> int:
    """The last place of a champion in the line; the end if it never was champion."""
    return max((place for place, earlier in enumerate(line) if earlier == champion), default=len(line))


def read_champion(connection: "duckdb.DuckDBPyConnection") -> Champion | None:
    """The champion now, within a transaction."""
    rows = connection.execute(
        "SELECT champion_cell_id, champion_temperature FROM champions ORDER BY number DESC LIMIT 1"
    ).fetchall()
    return Champion(*rows[0]) if rows and rows[0][0] is not None else None
