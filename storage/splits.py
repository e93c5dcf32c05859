"""The table of splits: which headline of a snapshot is in which part."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from schemas.errors import FailureError
from storage.migrations import is_up_to_date
from storage.named_rows import insert_frame
from storage.order import PART_ORDER
from storage.warehouse import reading, writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class SplitsChangedError(FailureError):
    """Another process saved a split since this one was drawn, so this one may conflict with its test part."""


def count_splits(warehouse: Path) -> int:
    """How many splits there are."""
    with reading(warehouse) as connection:
        return _count_splits(connection)


def _count_splits(connection: "DuckDBPyConnection") -> int:
    [(number,)] = connection.execute("SELECT count(DISTINCT split_id) FROM splits").fetchall()
    return int(number)


def save_split(
    warehouse: Path,
    split_id: str,
    snapshot_id: str,
    parts: dict[str, list[str]],
    settings: Mapping[str, Any],
    drawn_beside: int | None = None,
) -> None:
    """Save which headlines are in which part (train, validation, test); a known split stays unchanged.

    Args:
        warehouse: The DuckDB file.
        split_id: The split.
        snapshot_id: The snapshot that it divides.
        parts: Ids of headlines by part.
        settings: How it was drawn: a `schemas.split.SplitSettings` as JSON would hold it.
        drawn_beside: How many splits there were when it was drawn; None if it does not depend on other splits.

    Raises:
        SplitsChangedError: There are more splits by now.
    """
    with writing(warehouse) as connection:
        if connection.execute("FROM splits WHERE split_id = ? LIMIT 1", [split_id]).fetchall():
            return
        if drawn_beside not in {None, _count_splits(connection)}:
            raise SplitsChangedError(f"split {split_id}: another process saved a split meanwhile; draw it again")
        rows = [(headline_id, part) for part, headline_ids in parts.items() for headline_id in headline_ids]
        frame = pd.DataFrame(rows, columns=["headline_id", "part"])
        insert_frame(connection, "splits", frame, split_id=split_id, snapshot_id=snapshot_id)
        record = "INSERT INTO split_settings (split_id, settings) VALUES (?, ?)"
        connection.execute(record, [split_id, json.dumps(settings)])


def load_earlier_parts(warehouse: Path, seed: int) -> pd.DataFrame:
    """The part in which earlier splits of the method `hashed` with this seed, of any size, put each text.

    Folds do not count: in them each text is in test once.

    Returns:
        Columns text_id, part (`test` if it ever was there) and text; no rows for a warehouse of an older version.
    """
    with reading(warehouse) as connection:
        if not is_up_to_date(connection):
            return pd.DataFrame(columns=["text_id", "part", "text"], dtype="str")
        return connection.execute(
            "SELECT text_id, max_by(part, part = 'test') AS part, any_value(text) AS text"
            " FROM splits JOIN split_settings USING (split_id) JOIN headlines USING (headline_id)"
            " WHERE settings->>'method' = 'hashed' AND (settings->>'seed')::BIGINT = ? AND text_id IS NOT NULL"
            " AND settings->>'folds' IS NULL"
            " GROUP BY text_id",
            [seed],
        ).df()


def save_folds(
    warehouse: Path,
    split_id: str,
    snapshot_id: str,
    folds: Mapping[str, dict[str, list[str]]],
    settings: Mapping[str, Any],
) -> None:
    """Save a split with folds: the split of each fold, and that of all together, with every headline in test.

    Args:
        warehouse: The DuckDB file.
        split_id: The split of all folds together.
        snapshot_id: The snapshot that it divides.
        folds: Ids of headlines by part for each fold, by the id of the fold's split; in order.
        settings: How they were drawn, as for `save_split`.
    """
    for identifier, parts in folds.items():
        save_split(warehouse, identifier, snapshot_id, parts, settings)
    test = [headline for parts in folds.values() for headline in parts["test"]]
    save_split(warehouse, split_id, snapshot_id, {"test": test}, settings)
    with writing(warehouse) as connection:
        rows = [(split_id, number, identifier) for number, identifier in enumerate(folds, start=1)]
        connection.executemany("INSERT INTO split_folds VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)


def load_folds(warehouse: Path, split_id: str) -> list[str]:
    """The ids of the splits of the folds of a split, in order; none where it has no folds."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT fold_split_id FROM split_folds WHERE split_id = ? ORDER BY fold", [split_id]
        ).fetchall()
    return [fold_split_id for (fold_split_id,) in rows]


def load_part(warehouse: Path, split_id: str, part: str) -> pd.DataFrame:
    """A part in the order of its snapshot: columns headline_id, text, label, group_id, context, instrument."""
    with reading(warehouse) as connection:
        return connection.execute(
            "SELECT headline_id, text, label, coalesce(group_id, headline_id) AS group_id,"
            " context, instrument FROM splits"
            " JOIN snapshot_headlines USING (snapshot_id, headline_id)"
            " JOIN headlines USING (headline_id) WHERE split_id = ? AND part = ? ORDER BY position",
            [split_id, part],
        ).df()


def load_parts_of(warehouse: Path, split_id: str, text_ids: Sequence[str]) -> dict[str, str]:
    """For each text, by identity, the part of a split that holds it: train, test or validation.

    A text in several parts has the first of these. One that the split's snapshot has in no part, or that its source
    labelled in several ways, is unplaced; a text that it does not have is left out.
    """
    with reading(warehouse) as connection:
        connection.register("wanted", pd.DataFrame({"text_id": pd.Series(text_ids, dtype="str").unique()}))
        rows = connection.execute(
            "SELECT text_id, coalesce(min_by(part, list_position(['train', 'test', 'validation'], part)), 'unplaced')"
            " FROM wanted JOIN (SELECT snapshot_id, text_id, part FROM headlines JOIN snapshot_headlines"
            " USING (headline_id) LEFT JOIN (FROM splits WHERE split_id = $split_id) USING (snapshot_id, headline_id)"
            " UNION ALL SELECT snapshot_id, text_id, NULL FROM sources JOIN quarantine USING (ingest_id)"
            ") USING (text_id)"
            " WHERE snapshot_id = (SELECT any_value(snapshot_id) FROM splits WHERE split_id = $split_id)"
            " GROUP BY text_id",
            {"split_id": split_id},
        ).fetchall()
    return dict(rows)


def load_split(warehouse: Path, split_id: str) -> dict[str, list[str]]:
    """The ids of the headlines of each part."""
    with reading(warehouse) as connection:
        rows = connection.execute(
            "SELECT part, list(headline_id) FROM splits WHERE split_id = ? GROUP BY part", [split_id]
        ).fetchall()
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    return parts | dict(rows)


def save_long(warehouse: Path, split_id: str, rows: Sequence[tuple[str, str, int, int, str]]) -> None:
    """Record the headlines of a split's study that are longer than a base model takes; known ones stay.

    Args:
        warehouse: The DuckDB file.
        split_id: The split.
        rows: Headline, base model, its tokens, the model's bound, and the resolution.
    """
    if not rows:
        return
    columns = ["headline_id", "base_model", "tokens", "bound", "resolution"]
    with writing(warehouse) as connection:
        connection.register("incoming", pd.DataFrame(rows, columns=columns))
        connection.execute(
            "INSERT INTO long_headlines BY NAME SELECT $split_id AS split_id, * FROM incoming ANTI JOIN"
            " (FROM long_headlines WHERE split_id = $split_id) USING (headline_id, base_model)",
            {"split_id": split_id},
        )


def count_train(warehouse: Path, split_id: str) -> int:
    """How many headlines the train part of a split has."""
    return sum(number for name, _, number in load_split_counts(warehouse, split_id) if name == "train")


def load_leaks(warehouse: Path, split_id: str) -> int:
    """How many test headlines of a split have a copy or near copy in train."""
    with reading(warehouse) as connection:
        [(leaks,)] = connection.execute(
            "SELECT coalesce(sum(in_test), 0)::BIGINT FROM split_leaks WHERE split_id = ? AND in_train > 0", [split_id]
        ).fetchall()
    return int(leaks)


def load_split_counts(warehouse: Path, split_id: str) -> list[tuple[str, str, int]]:
    """How many headlines each part has of each label: (part, label, n), train first and test last."""
    with reading(warehouse) as connection:
        rows: list[tuple[str, str, int]] = connection.execute(
            "SELECT part, label, count(*) FROM ledger.split_parts"  # noqa: S608 (our own names)
            " JOIN headlines USING (headline_id) WHERE split_id = ?"
            f" GROUP BY part, label ORDER BY {PART_ORDER}, label",
            [split_id],
        ).fetchall()
    return rows
