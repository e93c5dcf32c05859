"""Parquet: bytes in, raw rows out. Judges no label."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ingestion.reasons import describe_reason
from ingestion.rows import TableRows
from ingestion.tables import read_table
from schemas.config import DataSettings
from schemas.errors import InputError

_MAGIC = b"PAR1"
_ROWS_AT_ONCE = 1_000


class ParquetError(InputError):
    """A Parquet file is broken."""


def is_parquet(content: bytes) -> bool:
    """Whether the bytes begin like a Parquet file."""
    return content.startswith(_MAGIC)


def read_parquet(content: bytes, source: str, settings: DataSettings) -> TableRows:
    """Give the rows in order, read in small batches, since a few bytes may stand for very many.

    Raises:
        ParquetError: If the file is broken; also while the rows are read.
        MissingColumnError: If it has no column for the text or none for the label.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _told(source):
        file = pq.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
    return read_table(names, _iter_cells(file, source), source, settings)


def _iter_cells(file: Any, source: str) -> Iterator[tuple[Any, ...]]:
    with _told(source):
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextmanager
def _told(source: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ParquetError(
            f"source {source!r} is a Parquet file that cannot be read ({describe_reason(error)}): get it again"
        ) from None
