"""Comparisons of cells: the table of comparisons, and the ledger read two cells at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schemas.comparison import BaselineVerdict, Difference, Flip
from schemas.errors import InputError
from schemas.label import LABEL_VALUES
from storage.fold_numbers import read_folds
from storage.named_rows import named_rows
from storage.races import explain_drop
from storage.warehouse import reading, utc_now, writing

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

Labels = NDArray[np.int64]


class IncomparableError(InputError):
    """Two cells have no evaluation in common on which they could be compared."""


@dataclass(frozen=True)
class Pairing:
    """Two cells at one temperature on the headlines that both were evaluated on, in the order of their ids.

    The temperature is None for two baselines. `p_holm` is from the view `comparisons`, corrected for its `pairs`; both
    are None where no study compared the two. `folds` has the fold of each headline, from 0, by the split that is
    divided: those of the cells that pool folds with a model for each.
    """

    temperature: float | None
    study_id: str
    other_study_id: str
    evaluation_id: str
    other_evaluation_id: str
    n: int
    other_n: int
    is_sampled_alike: bool
    p_holm: float | None
    pairs: int | None
    labels: Labels
    predicted: Labels
    other_predicted: Labels
    folds: dict[str, Labels]


def load_runs(warehouse: Path, study_id: str, part: str) -> tuple[Labels, dict[tuple[str, float | None], Labels]]:
    """The predictions of every cell of a study on one part.

    Returns:
        The labels of the N headlines in the order of their ids, and (cell, temperature) to the N predictions, in the
        order of the study's cells; both empty if no cell is evaluated.
    """
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT cell_id, temperature, list(list_position($labels, label) - 1 ORDER BY headline_id) AS labels,"
            " list(list_position($labels, predicted) - 1 ORDER BY headline_id) AS predicted"
            " FROM predictions JOIN study_cells USING (study_id, cell_id) WHERE study_id = $study_id AND part = $part"
            " GROUP BY cell_id, temperature, position ORDER BY position, temperature",
            {"labels": LABEL_VALUES, "study_id": study_id, "part": part},
        ).fetchnumpy()
    runs = zip(rows["cell_id"].tolist(), rows["temperature"].tolist(), strict=True)
    labels = rows["labels"][0] if len(rows["labels"]) else []
    return np.asarray(labels, dtype=np.int64), dict(zip(runs, rows["predicted"], strict=True))


def save_comparisons(warehouse: Path, study_id: str, part: str, comparisons: "pd.DataFrame") -> None:
    """Save all comparisons of a study on one part, in one transaction and in place of the earlier ones.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        part: The part of the split.
        comparisons: Columns temperature, cell_id, other_cell_id, and the fields of
            `learning.study.comparison.Comparison`; a row for each pair of cells and temperature.
    """
    incoming = comparisons.assign(study_id=study_id, part=part, compared_at=utc_now())
    with writing(warehouse) as connection:
        connection.register("incoming", incoming)
        connection.execute("DELETE FROM ledger.comparisons WHERE study_id = ? AND part = ?", [study_id, part])
        connection.execute("INSERT INTO ledger.comparisons BY NAME FROM incoming")


def load_verdicts(
    warehouse: Path, study_id: str, cell_id: str, part: str = "test"
) -> dict[float | None, BaselineVerdict]:
    """How a cell of a study compares with its best baseline, by temperature; empty for a baseline itself."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT temperature, baseline_cell_id, baseline, accuracy, baseline_accuracy, beats_baseline,"
            " difference, difference_low, difference_high, p_value, p_holm, pairs FROM baseline_verdicts"
            " WHERE study_id = ? AND cell_id = ? AND part = ? ORDER BY temperature",
            [study_id, cell_id, part],
        ).fetchall()
    return {
        temperature: BaselineVerdict(temperature, baseline_cell_id, baseline, accuracy, other, Difference(*rest), beats)
        for temperature, baseline_cell_id, baseline, accuracy, other, beats, *rest in rows
    }


def load_best_baseline(warehouse: Path, study_id: str, evaluation_id: str) -> tuple[str, str] | None:
    """The baseline of a study that is best on the headlines of an evaluation; None if the study has none.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        evaluation_id: An evaluation on the test part of the study's split, or of a fold of it.

    Returns:
        The baseline's own evaluation on them, and its name.
    """
    with reading(warehouse) as connection:
        found: list[tuple[str, str]] = connection.execute(
            "SELECT evaluation_id, model FROM evaluations JOIN cells USING (cell_id) JOIN study_cells USING (cell_id)"
            " WHERE study_id = ? AND kind = 'baseline' AND (evaluations.split_id, part) ="
            " (SELECT (split_id, part) FROM evaluations WHERE evaluation_id = ?)"
            " ORDER BY accuracy DESC, model LIMIT 1",
            [study_id, evaluation_id],
        ).fetchall()
    return found[0] if found else None


def load_pairings(warehouse: Path, cell_id: str, other_cell_id: str, part: str) -> list[Pairing]:
    """Two cells side by side at each temperature that both have, ascending.

    Evaluations of one study are preferred to those of two, then evaluations with the same sampling, then the latest
    study. If the two were evaluated on different headlines, those that they share count.

    Raises:
        IncomparableError: One has no evaluation on the part, or they share no temperature or no headline.
    """
    with reading(warehouse) as connection:
        pair = {"cell_id": cell_id, "other_cell_id": other_cell_id, "part": part}
        cursor = connection.execute(
            "SELECT p.temperature, p.study_id, other_study_id, evaluation_id, other_evaluation_id, p.n, other_n,"
            " is_sampled_alike, p_holm, pairs FROM ledger.pairings AS p LEFT JOIN comparisons AS c"
            " ON c.study_id = p.study_id AND c.study_id = p.other_study_id AND c.part = p.part"
            " AND c.cell_id = p.cell_id AND c.other_cell_id = p.other_cell_id"
            " AND c.temperature IS NOT DISTINCT FROM p.temperature"
            " WHERE p.cell_id = $cell_id AND p.other_cell_id = $other_cell_id AND p.part = $part"
            " QUALIFY row_number() OVER (PARTITION BY p.temperature ORDER BY p.study_id = other_study_id DESC,"
            " is_sampled_alike DESC, p_holm IS NULL, p.number DESC, p.study_id, other_study_id) = 1"
            " ORDER BY p.temperature",
            pair,
        )
        rows = named_rows(cursor)
        if not rows:
            raise IncomparableError(_nothing_shared(connection, pair))
        pairings = [_read_pairing(connection, row) for row in rows]
    if not all(len(pairing.labels) for pairing in pairings):
        raise IncomparableError(
            f"cells {cell_id} and {other_cell_id}: their studies share no {part} headline; compare cells of one split"
        )
    return pairings


def load_flips(warehouse: Path, pairings: Sequence[Pairing], most: int) -> list[list[Flip]]:
    """For each pairing, headlines on which the two cells differ: in turn one that each, or neither, has right.

    Args:
        warehouse: The DuckDB file.
        pairings: Two cells at some temperatures.
        most: The most headlines for each pairing.
    """
    flips = (
        "SELECT headline_id, text, label, own.predicted, other.predicted"
        " FROM ledger.predictions AS own JOIN ledger.predictions AS other USING (headline_id)"
        " JOIN headlines USING (headline_id)"
        " WHERE own.evaluation_id = ? AND other.evaluation_id = ? AND own.predicted <> other.predicted"
        " ORDER BY row_number() OVER (PARTITION BY own.predicted = label, other.predicted = label"
        " ORDER BY headline_id), own.predicted = label DESC, other.predicted = label DESC LIMIT ?"
    )
    with reading(warehouse) as connection:
        return [
            [Flip(*row) for row in connection.execute(flips, [*evaluations, most]).fetchall()]
            for evaluations in ((pairing.evaluation_id, pairing.other_evaluation_id) for pairing in pairings)
        ]


def load_match(warehouse: Path, evaluation_id: str, other_evaluation_id: str) -> tuple[Labels, Labels, Labels]:
    """Two evaluations on their common headlines, except those with a masked copy that the other cell learned from.

    Returns:
        Labels, predictions and the other's predictions of the N headlines, in the order of their ids.
    """
    unlearnt = (
        " AND NOT EXISTS (SELECT 1 FROM evaluations JOIN cells USING (cell_id)"
        " JOIN splits ON splits.split_id = cells.split_id"
        " JOIN headlines AS learnt ON learnt.headline_id = splits.headline_id"
        " WHERE evaluation_id = $other AND splits.part <> 'test' AND learnt.masked_id = headlines.masked_id)"
    )
    with reading(warehouse) as connection:
        return _read_match(connection, evaluation_id, other_evaluation_id, unlearnt)


def _read_match(
    connection: "duckdb.DuckDBPyConnection", evaluation_id: str, other_evaluation_id: str, condition: str = ""
) -> tuple[Labels, Labels, Labels]:
    arrays = connection.execute(
        "SELECT list_position($labels, label) - 1 AS label, list_position($labels, own.predicted) - 1 AS own,"  # noqa: S608 (our own condition)
        " list_position($labels, other.predicted) - 1 AS other"
        " FROM ledger.predictions AS own JOIN ledger.predictions AS other USING (headline_id)"
        " JOIN headlines USING (headline_id) WHERE own.evaluation_id = $own AND other.evaluation_id = $other"
        f"{condition} ORDER BY headline_id",
        {"labels": LABEL_VALUES, "own": evaluation_id, "other": other_evaluation_id},
    ).fetchnumpy()
    label, own, other = (np.asarray(arrays[name], dtype=np.int64) for name in ("label", "own", "other"))
    return label, own, other


def _read_pairing(connection: "duckdb.DuckDBPyConnection", row: dict[str, Any]) -> Pairing:
    evaluations = row["evaluation_id"], row["other_evaluation_id"]
    labels, predicted, other_predicted = _read_match(connection, *evaluations)
    folds = read_folds(connection, *evaluations)
    return Pairing(**row, labels=labels, predicted=predicted, other_predicted=other_predicted, folds=folds)


def _nothing_shared(connection: "duckdb.DuckDBPyConnection", cells: dict[str, str]) -> str:
    """Why two cells have no pair: one lacks evaluations, or their temperatures differ."""
    temperatures = {}
    for name in ("cell_id", "other_cell_id"):
        rows = connection.execute(
            "SELECT DISTINCT temperature FROM ledger.study_evaluations JOIN evaluations USING (evaluation_id)"
            " WHERE cell_id = ? AND part = ? ORDER BY temperature",
            [cells[name], cells["part"]],
        ).fetchall()
        if not rows and (dropped := explain_drop(connection, cells[name])):
            return f"cell {cells[name]}: no evaluation on {cells['part']}, {dropped}"
        if not rows:
            return f"cell {cells[name]}: no evaluation on {cells['part']} yet; let `fintone run` finish its study"
        temperatures[cells[name]] = ", ".join(f"{temperature:g}" for (temperature,) in rows)
    listed = " and ".join(f"{cell_id} has {values}" for cell_id, values in temperatures.items())
    remedy = "run one with both: `fintone run --temperatures`"
    return f"cells {' and '.join(temperatures)}: no temperature in common, {listed}; {remedy}"
