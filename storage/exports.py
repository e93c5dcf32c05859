"""What an export needs from the warehouse: the cell's card, and headlines that check what was written."""

from pathlib import Path

import numpy as np

from schemas.model_card import Canaries, CardFigures, CellCard
from storage.cells import StoredCell
from storage.warehouse import reading


def load_card(warehouse: Path, cell: StoredCell) -> CellCard:
    """A fine-tuned cell with its data and its figures on test, from the latest of its studies."""
    record = cell.record
    if record.learning_rate is None or record.epochs is None or record.seed is None or cell.outcome is None:
        raise ValueError(f"cell {record.cell_id} is {record.kind} and {cell.status}: it has no adapter")
    figures = ", ".join(CardFigures.__dataclass_fields__)
    with reading(warehouse) as connection:
        [(study_id, source, synthetic)] = connection.execute(
            "SELECT study_id, source, synthetic FROM studies JOIN ledger.latest_studies USING (study_id)"
            " WHERE cell_id = ?",
            [record.cell_id],
        ).fetchall()
        [(kind,)] = connection.execute(
            "SELECT coalesce(any_value(kind), '') FROM ledger.study_sources WHERE study_id = ?", [study_id]
        ).fetchall()
        sizes = connection.execute(
            "SELECT part, count(*) FROM splits WHERE split_id = ? GROUP BY part", [record.split_id]
        ).fetchall()
        labels = connection.execute(
            "SELECT DISTINCT label FROM splits JOIN headlines USING (headline_id) WHERE split_id = ?", [record.split_id]
        ).fetchall()
        rows = connection.execute(
            f"SELECT {figures} FROM leaderboard WHERE study_id = ? AND cell_id = ? AND part = 'test'"  # noqa: S608
            " ORDER BY temperature",
            [study_id, record.cell_id],
        ).fetchall()
    return CellCard(
        cell_id=record.cell_id,
        status=cell.status,
        base_model=record.model,
        base_revision=record.base_revision or "",
        base_folder=record.base_folder,
        learning_rate=record.learning_rate,
        epochs=record.epochs,
        seed=record.seed,
        hyperparameters=record.hyperparameters,
        environment=cell.outcome.environment,
        source=source,
        source_kind=kind,
        synthetic=synthetic,
        snapshot_id=record.snapshot_id,
        part_sizes=dict(sizes),
        labels=tuple(label for (label,) in labels),
        figures=tuple(CardFigures(*row) for row in rows),
    )


def load_canaries(warehouse: Path, cell_id: str, most: int) -> Canaries | None:
    """Headlines of test with the cell's answers in the ledger, at the temperature nearest to 1.

    If evaluations differ in their sampling, that of the latest study is taken.

    Returns:
        At most `most`, spread evenly over the part; None where the cell has not been evaluated.
    """
    with reading(warehouse) as connection:
        evaluations = connection.execute(
            "SELECT evaluation_id, temperature, top_k, top_p, coalesce(environment->>'$.dtype', '') FROM evaluations"
            " JOIN cells USING (cell_id) LEFT JOIN ledger.study_evaluations USING (evaluation_id)"
            " LEFT JOIN studies USING (study_id) WHERE cell_id = ? AND part = 'test'"
            " ORDER BY abs(ln(temperature)), number DESC NULLS LAST LIMIT 1",
            [cell_id],
        ).fetchall()
        if not evaluations:
            return None
        [(evaluation_id, temperature, top_k, top_p, computed_in)] = evaluations
        rows = connection.execute(
            "SELECT text, context, instrument, p_negative, p_neutral, p_positive, p_unparsed"
            " FROM ledger.predictions JOIN headlines USING (headline_id) WHERE evaluation_id = ? ORDER BY headline_id",
            [evaluation_id],
        ).fetchall()
    chosen = [rows[int(place)] for place in np.linspace(0, len(rows) - 1, min(most, len(rows)))]
    texts, contexts, instruments, *columns = zip(*chosen, strict=True)
    probabilities = np.stack(columns, axis=1, dtype=np.float64)
    return Canaries(temperature, top_k, top_p, texts, probabilities, computed_in, contexts, instruments)
