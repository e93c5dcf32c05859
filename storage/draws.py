"""The draws of evaluations: which evaluations lack some, what they are drawn from, and their figures."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from storage.warehouse import reading, writing


@dataclass(frozen=True)
class DrawnEvaluation:
    """A sampled evaluation, and how many draws of it the ledger has."""

    evaluation_id: str
    part: str
    temperature: float
    seed: int
    draws: int


def load_drawn(warehouse: Path, cell_id: str, fewer_than: int) -> list[DrawnEvaluation]:
    """The cell's evaluations with fewer draws than this."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT evaluation_id, part, temperature, draw_seed, draws FROM evaluations"
            " WHERE cell_id = ? AND draws < ? ORDER BY ALL",
            [cell_id, fewer_than],
        ).fetchall()
    return [DrawnEvaluation(*row) for row in rows]


def load_distributions(warehouse: Path, evaluation_id: str) -> pd.DataFrame:
    """What an evaluation's draws are drawn from: headline_id, label and `PROBABILITIES`, bit for bit as saved."""
    with reading(warehouse) as connection:
        return connection.execute(
            "SELECT headline_id, label, p_negative, p_neutral, p_positive, p_unparsed FROM ledger.predictions"
            " JOIN headlines USING (headline_id) WHERE evaluation_id = ? ORDER BY headline_id",
            [evaluation_id],
        ).df()


def save_draws(warehouse: Path, draws: pd.DataFrame) -> None:
    """Add draws, with the columns of `ledger.draws`, to evaluations that have those before them; known ones stay."""
    with writing(warehouse) as connection:
        connection.register("drawn", draws)
        connection.execute(
            "INSERT INTO ledger.draws BY NAME FROM drawn ANTI JOIN ledger.draws USING (evaluation_id, draw)"
        )
        connection.execute(
            "UPDATE evaluations SET draws = (SELECT count(*) FROM ledger.draws"
            " WHERE ledger.draws.evaluation_id = evaluations.evaluation_id)"
            " WHERE evaluation_id IN (SELECT evaluation_id FROM drawn)"
        )
