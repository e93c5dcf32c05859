"""Turns Arrow columns, as in Parquet and Feather files, into cells."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from ingestion import bounds
from ingestion.class_labels import class_word
from ingestion.labels import LabelWords
from schemas.errors import InputError
from schemas.reasons import describe_reason

ROWS_AT_ONCE = 1_000


@contextmanager
def arrow_errors(error: type[InputError], file: str, remedy: str) -> Iterator[None]:
    """Turn what Arrow raises in the block about a broken file into an error of one line.

    Args:
        error: The class of that error.
        file: The file in words, as in `source 'a' is a Parquet file`.
        remedy: What the user can do.
    """
    import pyarrow as pa

    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as reason:  # a KeyError is a type that Python lacks
        raise error(f"{file} that cannot be read ({describe_reason(reason)}): {remedy}") from None


def is_text(kind: Any) -> bool:
    """Whether a type holds texts, or bytes that may be texts."""
    import pyarrow.types as pt

    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_binary(kind) or pt.is_large_binary(kind))


def iter_cells(
    batch: Any, source: str, size: int, classes: Mapping[str, Sequence[str]], words: LabelWords
) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each row of a batch; numbers of a column of class labels become the names of their classes.

    Args:
        batch: At most `ROWS_AT_ONCE` rows.
        source: The source, for the error.
        size: Its bytes, for the bound on characters.
        classes: The names of the classes of each column that has any.
        words: The label words.

    Raises:
        TooLargeError: If few bytes stand for very many characters.
    """
    columns = [_to_list(column, source, size) for column in batch.columns]
    for place, name in enumerate(batch.schema.names):
        if name in classes:
            columns[place] = [class_word(cell, classes[name], words) for cell in columns[place]]
    yield from zip(*columns, strict=True)


def _to_list(column: Any, source: str, size: int) -> list[Any]:
    """The cells of a column. Texts in a dictionary are counted first, since one long text may be repeated very often.

    Bytes are text if they are UTF-8: old programs did not mark texts as such. A text that is not UTF-8 stays bytes, so
    that only its own row is rejected.
    """
    import pyarrow as pa

    bounds.check(source, size, characters=_count_characters(column))
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if not is_text(column.type):
        return _to_values(column)
    try:
        return list(column.cast(pa.large_string()).to_pylist())
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return [_decode(value) for value in column.cast(pa.large_binary()).to_pylist()]


def _to_values(column: Any) -> list[Any]:
    """The values of a column; those that Python lacks, as times after the year 9999, are Arrow's text of them."""
    try:
        return list(column.to_pylist())
    except OverflowError:
        return [_to_value(column, place) for place in range(len(column))]


def _to_value(column: Any, place: int) -> Any:
    try:
        return column[place].as_py()
    except OverflowError:
        return " ".join(column.slice(place, 1).to_string().split())


def _decode(value: bytes | None) -> str | bytes | None:
    """The text of bytes in UTF-8; other bytes as they are."""
    with suppress(UnicodeDecodeError):
        return None if value is None else value.decode()
    return value


def _count_characters(column: Any) -> int:
    """The bytes of texts that refer to a dictionary or a buffer; 0 for other columns, which repeat no text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if isinstance(column, pa.DictionaryArray) and is_text(column.type.value_type):
        return pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0
    if pt.is_string_view(column.type) or pt.is_binary_view(column.type):
        lengths = np.frombuffer(column.buffers()[1], dtype=np.int32)[::4][column.offset :][: len(column)]
        return int(lengths[column.is_valid().to_numpy(zero_copy_only=False)].sum(dtype=np.int64))
    return 0
