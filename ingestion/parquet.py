"""Parquet: bytes in, raw rows out. Judges no label."""

from collections.abc import Iterator

from ingestion.reasons import describe_reason
from ingestion.rows import RawRow
from ingestion.tables import read_table
from schemas.config import DataSettings
from schemas.errors import InputError

_MAGIC = b"PAR1"


class ParquetError(InputError):
    """A Parquet file is broken."""


def is_parquet(content: bytes) -> bool:
    """Whether the bytes begin like a Parquet file."""
    return content.startswith(_MAGIC)


def read_parquet(content: bytes, source: str, settings: DataSettings) -> Iterator[RawRow]:
    """Yield the rows in order.

    Raises:
        ParquetError: If the file is broken.
        MissingColumnError: If it has no column for the text or none for the label.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        columns = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ParquetError(
            f"source {source!r} is a Parquet file that cannot be read ({describe_reason(error)}): get it again"
        ) from None
    return read_table(table.column_names, zip(*columns, strict=True), source, settings)
