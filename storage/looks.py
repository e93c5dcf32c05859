"""What the gate reads before it judges: the champion, and the earlier looks at the same test headlines."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.promotion import Champion, Look
from storage.champions import read_champion
from storage.named_rows import named_row
from storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_SAME_LOOK = "evaluation_id, previous_cell_id, previous_temperature"
"""Decisions that agree in these columns of `champions` read the same figures: they are one look."""

_LOOKS = f"""
WITH looks AS (
    SELECT number, promotion_level, snapshot_id
    FROM champions
    WHERE evaluation_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY {_SAME_LOOK} ORDER BY number) = 1
),
keys AS (
    SELECT headline_id, unnest([headline_id, 'text ' || text_id, 'masked ' || masked_id]) AS key FROM headlines
),
test AS (
    SELECT headline_id, key FROM splits JOIN keys USING (headline_id) WHERE split_id = $split_id AND part = 'test'
),
copies AS (
    SELECT DISTINCT test.headline_id AS test_id, keys.headline_id FROM test JOIN keys USING (key)
),
shares AS (
    SELECT snapshot_id, count(DISTINCT test_id) / (SELECT count(DISTINCT headline_id) FROM test) AS share
    FROM copies
    JOIN snapshot_headlines USING (headline_id)
    WHERE snapshot_id IN (SELECT snapshot_id FROM looks)
    GROUP BY snapshot_id
)
SELECT share, promotion_level FROM looks JOIN shares USING (snapshot_id) ORDER BY number
"""  # noqa: S608 (our own names)


@dataclass(frozen=True)
class Standing:
    """What a judgement depends on, besides the figures of the cell."""

    champion: Champion | None
    number: int
    """Number of the latest decision; 0 if there is none."""
    looks: tuple[Look, ...]
    """Each earlier look of the gate at headlines of this test part."""
    same_look: dict[str, Any] | None
    """The decision, as a row of `champions`, that already read the same figures."""


def load_standing(warehouse: Path, split_id: str, evaluation_id: str) -> Standing:
    """The champion, and the looks at the test headlines of a split.

    A test part is identified by its headlines, not by its split. A headline was looked at if the snapshot of an earlier
    look held it, in any part. So another test part from the same snapshot, drawn by another seed, is one more look at
    the same data, while headlines that arrived since are new. If half of a test part is new, an earlier look counts
    1/2. A copy that differs in label, numbers or case is not a new headline.

    Args:
        warehouse: The DuckDB file.
        split_id: The split whose test part is judged on.
        evaluation_id: The evaluation of the challenger on it.
    """
    with reading(warehouse) as connection:
        champion = read_champion(connection)
        [(number,)] = connection.execute("SELECT coalesce(max(number), 0) FROM champions").fetchall()
        looks = connection.execute(_LOOKS, {"split_id": split_id}).fetchall()
        same = _read_same_look(connection, evaluation_id, champion)
    return Standing(champion, number, tuple(Look(*look) for look in looks), same)


def _read_same_look(
    connection: "duckdb.DuckDBPyConnection", evaluation_id: str, champion: Champion | None
) -> dict[str, Any] | None:
    cursor = connection.execute(
        "FROM champions WHERE evaluation_id = $evaluation_id AND previous_cell_id IS NOT DISTINCT FROM $cell_id"
        " AND previous_temperature IS NOT DISTINCT FROM $temperature ORDER BY number LIMIT 1",
        {
            "evaluation_id": evaluation_id,
            "cell_id": champion.cell_id if champion else None,
            "temperature": champion.temperature if champion else None,
        },
    )
    return named_row(cursor)
