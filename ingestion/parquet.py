"""Parquet: bytes in, raw rows out."""

from collections.abc import Iterator
from typing import Any

from ingestion import bounds
from ingestion.arrow_cells import ROWS_AT_ONCE, arrow_errors, is_text, iter_cells
from ingestion.class_labels import find_class_names
from ingestion.labels import LabelWords
from ingestion.rows import TableRows
from ingestion.tables import read_table
from schemas.errors import InputError
from schemas.source import DataSettings

_MAGIC = b"PAR1"


class ParquetError(InputError):
    """A Parquet file is broken."""


def is_parquet(content: bytes) -> bool:
    """Whether the bytes begin like a Parquet file."""
    return content.startswith(_MAGIC)


def read_parquet(content: bytes, source: str, settings: DataSettings) -> TableRows:
    """Give the rows in order, read in small batches, since a few bytes may expand to very many.

    Numbers of a column that `datasets` wrote as class labels become the names of their classes.

    Raises:
        ParquetError: If the file is broken; also while the rows are read.
        TooLargeError: If it holds more than the bound for its size; also while the rows are read.
        MissingColumnError: If it has no column for the text or none for the label.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with arrow_errors(ParquetError, f"source {source!r} is a Parquet file", "get it again"):
        texts = [field.name for field in pq.read_schema(pa.BufferReader(content)) if is_text(field.type)]
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        names = file.schema_arrow.names
        classes = find_class_names(file.schema_arrow.metadata)
        _check_size(file, len(content), source)
    words = LabelWords(settings.label_map)
    return read_table(names, _iter_cells(file, source, len(content), classes, words), source, settings)


def _check_size(file: Any, size: int, source: str) -> None:
    """Refuse a file whose own metadata says that it holds too much."""
    metadata = file.metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    values = sum(group.column(place).num_values for group in groups for place in range(metadata.num_columns))
    unpacked = sum(group.total_byte_size for group in groups)
    bounds.check(source, size, rows=metadata.num_rows, values=values, characters=unpacked)


def _iter_cells(
    file: Any, source: str, size: int, classes: dict[str, Any], words: LabelWords
) -> Iterator[tuple[Any, ...]]:
    with arrow_errors(ParquetError, f"source {source!r} is a Parquet file", "get it again"):
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from iter_cells(batch, source, size, classes, words)
