"""What the page of all studies shows: a row for each study, and every decision on who is champion."""

from pathlib import Path

from schemas.report import Index
from storage.champions import load_champion
from storage.report import read_table
from storage.warehouse import reading

_STUDIES = (
    "SELECT study_id, profile, source, synthetic, status, started_at, (SELECT count(*) FROM ledger.places AS places "
    "WHERE places.study_id = studies.study_id AND NOT is_of_fold) AS cells, n, baseline FROM studies LEFT JOIN (SELECT "
    "study_id, max(n) AS n, max(accuracy) FILTER (kind = 'baseline') AS baseline FROM leaderboard WHERE part = 'test' "
    "GROUP BY study_id) USING (study_id) ORDER BY studies.number DESC"
)
_JUDGED = (
    "SELECT champions.study_id, champions.cell_id, champions.temperature, decision, accuracy, accuracy_low, "
    "accuracy_high, (SELECT max(accuracy) FROM leaderboard AS bases WHERE bases.study_id = champions.study_id AND "
    "bases.part = 'test' AND bases.kind = 'base' AND bases.temperature = champions.temperature) AS base "
    "FROM (SELECT study_id, cell_id, temperature, decision FROM champions WHERE decided_by = 'gate' "
    "QUALIFY row_number() OVER (PARTITION BY study_id ORDER BY number DESC) = 1) AS champions LEFT JOIN leaderboard ON "
    "leaderboard.study_id = champions.study_id AND leaderboard.cell_id = champions.cell_id AND leaderboard.temperature "
    "= champions.temperature AND part = 'test'"
)
_DECISIONS = (
    "SELECT number, decided_at, decision, decided_by, cell_id, name AS cell_name, temperature, study_id, reason "
    "FROM champions LEFT JOIN ledger.latest_names USING (cell_id) ORDER BY number DESC"
)


def load_index(warehouse: Path) -> Index:
    """Every study, the latest first, what the gate judged in each, and every decision."""
    with reading(warehouse) as connection:
        studies, judged, decisions = (read_table(connection, sql) for sql in (_STUDIES, _JUDGED, _DECISIONS))
    return Index(studies, judged, decisions, load_champion(warehouse))
