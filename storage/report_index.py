"""What the page of all studies shows: a row for each study, decision on who is champion, and comparison with prices."""

from pathlib import Path

from schemas.report import Index
from storage.champions import load_champion
from storage.chosen import CHOSEN, read_unjudged
from storage.report import read_table
from storage.warehouse import reading, reading_together

_STUDIES = (
    "SELECT study_id, name, tags, profile, source, synthetic, status, started_at, (SELECT count(*) FROM "
    "ledger.places AS places WHERE places.study_id = studies.study_id AND NOT is_of_fold) AS cells, n, "
    "baseline FROM studies LEFT JOIN (SELECT study_id, max(n) AS n, max(accuracy) FILTER (kind = 'baseline') AS "
    "baseline FROM leaderboard WHERE part = 'test' GROUP BY study_id) USING (study_id) ORDER BY studies.number DESC"
)
_CHOSEN = (
    f"{CHOSEN} SELECT chosen.study_id, chosen.cell_id, chosen.temperature, decision, "  # noqa: S608 (our own text)
    "accuracy, accuracy_low, accuracy_high, (SELECT max(accuracy) FROM leaderboard AS bases WHERE "
    "bases.study_id = chosen.study_id AND bases.part = 'test' AND bases.kind = 'base' "
    "AND bases.temperature = chosen.temperature) AS base "
    "FROM chosen LEFT JOIN leaderboard ON leaderboard.study_id = chosen.study_id AND leaderboard.cell_id = "
    "chosen.cell_id AND leaderboard.temperature = chosen.temperature AND part = 'test'"
)
_DECISIONS = (
    "SELECT champions.number, decided_at, decision, decided_by, cell_id, name AS cell_name, temperature, "
    "champions.study_id, reason "
    "FROM champions LEFT JOIN ledger.latest_studies USING (cell_id) ORDER BY champions.number DESC"
)
_MEASUREMENTS = (
    "SELECT market_id, measured_at, cell_id, name AS cell_name, temperature, prices, calendar, horizons "
    "FROM markets LEFT JOIN ledger.latest_studies USING (cell_id) ORDER BY measured_at DESC, market_id"
)
_MARKET_TESTS = (
    "SELECT market_id, scope, horizon, estimate, p_holm, reason FROM market_reaction WHERE scope <> 'instrument'"
)


def load_index(warehouse: Path) -> Index:
    """Every study, the latest first, the cell that stands for each, every decision, and every measurement."""
    with reading_together(warehouse), reading(warehouse) as connection:
        return Index(
            studies=read_table(connection, _STUDIES),
            chosen=read_table(connection, _CHOSEN, unjudged=read_unjudged(connection)),
            decisions=read_table(connection, _DECISIONS),
            champion=load_champion(warehouse),
            measurements=read_table(connection, _MEASUREMENTS),
            market_tests=read_table(connection, _MARKET_TESTS),
        )
