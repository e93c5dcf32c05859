"""The ledger of folds, read as one: what the cells of all folds answered on a part."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.label import PROBABILITIES
from schemas.split import Repeats, find_repeats
from storage.named_rows import named_row
from storage.warehouse import reading

if TYPE_CHECKING:
    import pandas as pd


def load_fold_answers(warehouse: Path, split_id: str, part: str, evaluations: Sequence[str]) -> "pd.DataFrame":
    """What evaluations answered on a part of each fold, each headline once.

    Args:
        warehouse: The DuckDB file.
        split_id: The split of all folds together.
        part: validation or test.
        evaluations: Their ids: one of each fold, or one of all.

    Returns:
        Columns headline_id, label, predicted, parsed, argmax, argmax_parsed, `PROBABILITIES` and fold, from 0.
    """
    columns = ", ".join(PROBABILITIES)
    with reading(warehouse) as connection:
        return connection.execute(
            f"SELECT headline_id, label, predicted, parsed, argmax, argmax_parsed, {columns}, fold - 1 AS fold"  # noqa: S608 (our own names)
            " FROM ledger.predictions JOIN headlines USING (headline_id) JOIN splits USING (headline_id)"
            " JOIN split_folds ON split_folds.fold_split_id = splits.split_id"
            " WHERE list_contains($ids, evaluation_id) AND split_folds.split_id = $split_id AND splits.part = $part"
            " ORDER BY fold, headline_id",
            {"ids": list(evaluations), "split_id": split_id, "part": part},
        ).df()


def load_fold_curves(warehouse: Path, part: str, evaluations: Sequence[str]) -> list[tuple[float, float, float]]:
    """The curve over temperature of evaluations of a part together: (temperature, expected accuracy, unparsed rate)."""
    with reading(warehouse) as connection:
        rows: list[tuple[float, float, float]] = connection.execute(
            "SELECT at_temperature, sum(curve.expected_accuracy * n) / sum(n), sum(curve.unparsed_rate * n) / sum(n)"
            " FROM ledger.temperature_curves AS curve JOIN evaluations USING (evaluation_id)"
            " WHERE list_contains($ids, evaluation_id) AND part = $part GROUP BY at_temperature ORDER BY ALL",
            {"ids": list(evaluations), "part": part},
        ).fetchall()
    return rows


def load_seconds(warehouse: Path, evaluations: Sequence[str]) -> float:
    """Seconds of scoring of evaluations together."""
    with reading(warehouse) as connection:
        [(seconds,)] = connection.execute(
            "SELECT sum(seconds) FROM evaluations WHERE list_contains($ids, evaluation_id)", {"ids": list(evaluations)}
        ).fetchall()
    return float(seconds)


def load_costs(warehouse: Path, study_id: str, cells: Sequence[str]) -> tuple[float | None, int | None]:
    """The mean of the seconds that cells of a study take to train, and of their sizes in bytes; None where unknown."""
    with reading(warehouse) as connection:
        [(seconds, size)] = connection.execute(
            "SELECT avg(prices.train_seconds), avg(size_bytes) FROM ledger.prices AS prices"
            " JOIN cells USING (cell_id) WHERE study_id = $study_id AND list_contains($ids, cell_id)",
            {"study_id": study_id, "ids": list(cells)},
        ).fetchall()
    return seconds, None if size is None else round(size)


def load_repeats(warehouse: Path, study_id: str) -> Repeats | None:
    """The folds or windows of a study; None for a single split."""
    with reading(warehouse) as connection:
        [(folds, windows)] = connection.execute(
            "SELECT (config->>'$.split.folds')::INTEGER, (config->>'$.split.windows')::INTEGER FROM studies"
            " WHERE study_id = ?",
            [study_id],
        ).fetchall()
    return find_repeats(folds, windows)


def load_divisions(warehouse: Path, split_ids: Sequence[str]) -> tuple[Repeats, ...]:
    """The folds or windows that splits have, each once, in the order of the splits."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT list_position($ids, split_id) AS place, any_value((config->>'$.split.folds')::INTEGER),"
            " any_value((config->>'$.split.windows')::INTEGER) FROM studies WHERE list_contains($ids, split_id)"
            " GROUP BY place ORDER BY place",
            {"ids": split_ids},
        ).fetchall()
    return tuple(dict.fromkeys(each for _, folds, windows in rows if (each := find_repeats(folds, windows))))


def load_spread(warehouse: Path, study_id: str, cell_id: str, temperature: float) -> dict[str, Any] | None:
    """The row of `leaderboard_over_folds` of a cell at a temperature; None if its study has no folds."""
    with reading(warehouse) as connection:
        cursor = connection.execute(
            "FROM leaderboard_over_folds WHERE study_id = ? AND cell_id = ? AND temperature = ?",
            [study_id, cell_id, temperature],
        )
        return named_row(cursor)
