"""The contenders that a report compares: the chosen cell, the champion, its base if it has one, the best baseline."""

import json
from typing import TYPE_CHECKING, Any

from schemas.promotion import Champion
from schemas.report import Chosen, Contender, Role
from storage.champions import read_champion

if TYPE_CHECKING:
    import duckdb

_BASES = (
    "SELECT leaderboard.cell_id, temperature, cells.hyperparameters, chosen.hyperparameters FROM leaderboard"
    " JOIN cells USING (cell_id) JOIN cells AS chosen ON chosen.cell_id = $cell_id"
    " WHERE study_id = $study_id AND part = 'test' AND leaderboard.kind = 'base' AND temperature = $temperature"
    " AND cells.model = chosen.model ORDER BY accuracy DESC, place"
)
_ITS_BASELINE = (
    "SELECT cell_id, temperature FROM leaderboard WHERE study_id = $study_id AND part = 'test' AND kind = 'baseline'"
    " AND temperature IS NULL ORDER BY accuracy DESC, model LIMIT 1"
)
_BEFORE = (
    "SELECT previous_cell_id, previous_temperature FROM champions WHERE study_id = $study_id AND decided_by = 'gate'"
    " AND previous_cell_id IS NOT NULL AND previous_cell_id <> $cell_id ORDER BY number DESC LIMIT 1"
)
_EVALUATED = (
    "SELECT evaluation_id, coalesce(study_cells.name, latest.name), study_cells.cell_id IS NOT NULL"
    " FROM evaluations JOIN studies USING (split_id) LEFT JOIN study_cells USING (study_id, cell_id)"
    " JOIN ledger.latest_studies AS latest ON latest.cell_id = evaluations.cell_id"
    " WHERE studies.study_id = $study_id AND evaluations.cell_id = $cell_id AND part = 'test'"
    " AND temperature IS NOT DISTINCT FROM $temperature"
    " AND coalesce(evaluations.decoding_id = studies.decoding_id, true)"
    " ORDER BY evaluated_at DESC LIMIT 1"
)


def read_contenders(connection: "duckdb.DuckDBPyConnection", study_id: str, chosen: Chosen) -> tuple[Contender, ...]:
    """The contenders that answered the study's test headlines, each once, the chosen cell first.

    Args:
        connection: The warehouse.
        study_id: The study.
        chosen: The cell that validation chose.
    """
    values = {"study_id": study_id, "cell_id": chosen.cell_id}
    bases = connection.execute(_BASES, {**values, "temperature": chosen.temperature}).fetchall()
    base = max(bases, key=lambda row: _count_shared(json.loads(row[2]), json.loads(row[3])), default=None)
    baseline = connection.execute(_ITS_BASELINE, {"study_id": study_id}).fetchall()
    champion = read_champion(connection)
    before = connection.execute(_BEFORE, values).fetchall()
    cells: list[tuple[Role, tuple[str, float | None]]] = [("chosen", (chosen.cell_id, chosen.temperature))]
    if champion and champion.cell_id != chosen.cell_id:
        cells.append(("champion", champion))
    elif before:
        cells.append(("champion before", Champion(*before[0])))
    cells += [("base", base[:2])] if base else []
    cells += [("best baseline", row) for row in baseline]
    found = (_read_evaluated(connection, study_id, role, *cell) for role, cell in cells)
    return tuple(contender for contender in found if contender)


def _count_shared(settings: dict[str, Any], chosen: dict[str, Any]) -> int:
    """How many of the settings that an untouched base has are those of the chosen cell: its model, its prompt, ..."""
    shared: list[bool] = [settings[name] == chosen[name] for name in ("base_model", "prompt") if name in settings]
    training, own = settings.get("training", {}), chosen.get("training", {})
    shared += [own.get(name) == value for name, value in training.items()]
    return sum(shared)


def _read_evaluated(
    connection: "duckdb.DuckDBPyConnection", study_id: str, role: Role, cell_id: str, temperature: float | None
) -> Contender | None:
    """A contender, if it answered the test headlines of the study."""
    row = connection.execute(
        _EVALUATED, {"study_id": study_id, "cell_id": cell_id, "temperature": temperature}
    ).fetchone()
    return Contender(role, cell_id, row[1], temperature, row[0], is_of_study=row[2]) if row else None
