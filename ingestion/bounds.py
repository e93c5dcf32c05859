"""How much of a source is read: what fits in memory, and at most what is plausible for its size in bytes.

A compressed file of some KB can expand to billions of rows or characters, and each costs time.
"""

from schemas.errors import InputError

MAX_ROWS = 10_000_000
MAX_CHARACTERS = 4 * 1024**3

MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_RATIO = 100
"""A packed file is refused if it expands to more bytes, or by more than this factor; text shrinks by 3 to 20."""

_HARMLESS_BYTES = 1024**2
_HARMLESS_ROWS, _ROWS_PER_BYTE = 100_000, 1
_HARMLESS_VALUES, _VALUES_PER_BYTE = 2_000_000, 16
_HARMLESS_CHARACTERS, _CHARACTERS_PER_BYTE = 64 * 1024**2, 100


class TooLargeError(InputError):
    """A source exceeds a bound on what is read."""


def most_rows(size: int) -> int:
    """The most rows that are read from this many bytes; 0 bytes means that the size is unknown."""
    return min(MAX_ROWS, max(_HARMLESS_ROWS, _ROWS_PER_BYTE * size)) if size else MAX_ROWS


def most_characters(size: int) -> int:
    """The most characters that are read from this many bytes; 0 bytes means that the size is unknown."""
    return min(MAX_CHARACTERS, max(_HARMLESS_CHARACTERS, _CHARACTERS_PER_BYTE * size)) if size else MAX_CHARACTERS


def most_values(size: int) -> int:
    """The most cells of a table that are read from this many bytes."""
    return max(_HARMLESS_VALUES, _VALUES_PER_BYTE * size)


def check(source: str, size: int, *, rows: int = 0, values: int = 0, characters: int = 0) -> None:
    """Check what a source says that it holds.

    Args:
        source: The source, for the error.
        size: Its bytes.
        rows: Its rows.
        values: Its cells.
        characters: Its characters, or its bytes once unpacked.

    Raises:
        TooLargeError: A bound is exceeded.
    """
    for number, most, unit in (
        (rows, most_rows(size), "rows"),
        (values, most_values(size), "values"),
        (characters, most_characters(size), "characters"),
    ):
        if number > most:
            raise too_large(source, size, f"{most:,} {unit}")


def most_unpacked(size: int) -> int:
    """The most bytes to which this many packed bytes may expand."""
    return min(MAX_UNPACKED_BYTES, max(_HARMLESS_BYTES, MAX_RATIO * size))


def describe_unpacked() -> str:
    """The bound on what is unpacked, in words."""
    return f"the bound of {MAX_UNPACKED_BYTES:,} or of {MAX_RATIO:,} times"


def too_large(source: str, size: int, most: str) -> TooLargeError:
    """The error for a source that exceeds a bound, such as `100,000 rows`."""
    return TooLargeError(
        f"source {source!r} has {size:,} bytes and holds over {most}: if you trust it, save it as CSV in files of "
        "fewer rows, and give their folder"
    )
