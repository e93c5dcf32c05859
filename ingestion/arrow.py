"""Arrow's own format (Feather of version 2, and streams as `datasets` saves them): bytes in, raw rows out."""

from collections.abc import Iterator
from typing import Any

from ingestion.arrow_cells import ROWS_AT_ONCE, arrow_errors, is_text, iter_cells
from ingestion.arrow_size import check_sizes
from ingestion.class_labels import find_class_names
from ingestion.labels import LabelWords
from ingestion.rows import TableRows
from ingestion.tables import read_table
from schemas.errors import InputError
from schemas.source import DataSettings

_MAGIC = b"ARROW1\0\0"
"""How a file begins; a stream follows it."""
_CONTINUATION = b"\xff\xff\xff\xff"
"""How a stream begins."""


class ArrowError(InputError):
    """A file in Arrow's format is broken."""


def is_arrow(content: bytes) -> bool:
    """Whether the bytes begin like a file or a stream of Arrow."""
    return content.startswith((_MAGIC, _CONTINUATION))


def read_arrow(content: bytes, source: str, settings: DataSettings) -> TableRows:
    """Give the rows in order. A file is read as the stream that it holds; the sizes in its headers are checked first.

    Columns are not read if few bytes can stand for very many values of their type.

    Raises:
        ArrowError: If it is broken; also while the rows are read.
        TooLargeError: If it holds more than the bound for its size; also while the rows are read.
        MissingColumnError: If it has no column for the text or none for the label.
    """
    import pyarrow as pa

    stream = pa.py_buffer(content)[len(_MAGIC) if content.startswith(_MAGIC) else 0 :]
    with arrow_errors(ArrowError, f"source {source!r} is an Arrow or Feather file", "save it as Parquet"):
        check_sizes(stream, len(content), source)
        schema = pa.ipc.open_stream(stream).schema
        places = [place for place, field in enumerate(schema) if _is_plain(field.type)]
        names = [schema.field(place).name for place in places]
        others = [f"column {field.name!r} (of type {field.type})" for field in schema if not _is_plain(field.type)]
        classes = find_class_names(schema.metadata)
    table = read_table(names, _iter_rows(stream, places, source, classes, settings), source, settings)
    return table._replace(not_read=(*table.not_read, *others))


def _iter_rows(
    stream: Any, places: list[int], source: str, classes: dict[str, Any], settings: DataSettings
) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each row in the columns that are read, from batches of few rows."""
    import pyarrow as pa

    words = LabelWords(settings.label_map)
    with arrow_errors(ArrowError, f"source {source!r} is an Arrow or Feather file", "save it as Parquet"):
        for batch in pa.ipc.open_stream(stream):
            batch.validate(full=True)  # offsets beyond the buffers would be followed
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                rows = batch.select(places).slice(start, ROWS_AT_ONCE)
                yield from iter_cells(rows, source, stream.size, classes, words)


def _is_plain(kind: Any) -> bool:
    """Whether columns of a type are read: few bytes stand for few values, or `iter_cells` counts the characters."""
    import pyarrow.types as pt

    if pt.is_dictionary(kind):
        return is_text(kind.value_type) or bool(pt.is_primitive(kind.value_type))
    return _is_stored(kind) or bool(pt.is_string_view(kind) or pt.is_binary_view(kind))


def _is_stored(kind: Any) -> bool:
    """Whether a type stores each of its values."""
    import pyarrow.types as pt

    if pt.is_struct(kind):
        return all(_is_stored(field.type) for field in kind)
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return _is_stored(kind.value_type)
    if pt.is_map(kind):
        return _is_stored(kind.key_type) and _is_stored(kind.item_type)
    fixed = pt.is_primitive(kind) or pt.is_decimal(kind) or pt.is_null(kind) or pt.is_fixed_size_binary(kind)
    return bool(fixed) or is_text(kind)
