"""Excel workbooks (.xlsx), opened within bounds: their sheets, and the rows of one as openpyxl reads its cells.

A few bytes may expand to millions of cells, so every part is read through a meter that counts its XML tags. openpyxl
must find defusedxml installed, so that no part can define entities that expand to more.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from ingestion.cells import Uncomputed, is_blank

HARMLESS_TAGS, TAGS_PER_BYTE = 200_000, 3
"""A workbook is refused when it has more XML tags than either allows; a table of zeros has 2 for each of its bytes."""
TAGS_OF_A_PART, BYTES_OF_A_TAG = 10, 100
"""Opening a part counts as this many tags, and this many bytes read count as one, in addition to the tags in it."""
MAX_TAG = 1_000_000
"""Bytes of the longest tag or text; the time of the XML parser grows with its square."""

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref=[\"']([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})[\"']")
_LONGEST_MERGED = 200
_DECLARED = re.compile(rb"^[^>]*\sencoding=[\"'](?!utf-?8|utf-?16|us-ascii)", re.IGNORECASE)
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f])_")
"""A control character in a cell, in the form of ECMA-376 (`ST_Xstring`)."""
_PIECE = 1 << 20


class TooManyTagsError(Exception):
    """A workbook holds more than a file of its size should."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook; its cells are read when its rows are requested."""

    name: str
    is_hidden: bool
    source: Any

    def rows(self, start: int = 1) -> Iterator[list[Any]]:
        """Yield the rows that are not blank, each up to its last cell; merged cells hold the value of their first.

        Rows above the number `start` are left out. An error value comes as its word, as in `#REF!`, and a formula
        without a value as `Uncomputed`.
        """
        merged = _MergedCells(_find_merged(self.source))
        with self.source._get_source() as part:  # noqa: SLF001 (openpyxl fills all rows and columns that are left out)
            for number, found in _make_parser(self.source, part).parse():
                cells = {cell["column"]: cell["value"] for cell in found}
                if is_blank(cells.values()):
                    continue
                merged.fill(number, cells)
                if number >= start:
                    yield [cells.get(column) for column in range(1, max(cells) + 1)]


def open_sheets(content: bytes) -> list[Sheet]:
    """The sheets of a workbook, from its bytes, in order.

    Raises:
        TooManyTagsError: It holds more than it should; also while rows are read.
    """
    from openpyxl.reader.excel import ExcelReader

    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    reader.archive = _MeteredZip(content)
    reader.read_chartsheet = lambda *_: None  # they hold no cells, and openpyxl fails if one has no chart
    reader.read()
    return [Sheet(sheet.title, sheet.sheet_state != "visible", sheet) for sheet in reader.wb.worksheets]


class _MeteredZip(zipfile.ZipFile):
    """An archive that counts the tags of every read, repeated reads included."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self._left = max(HARMLESS_TAGS, TAGS_PER_BYTE * len(content))

    def open(self, name: Any, *args: Any, **settings: Any) -> Any:
        """Open a part."""
        self.count(TAGS_OF_A_PART)
        return _MeteredPart(super().open(name, *args, **settings), self)

    def count(self, tags: int) -> None:
        """Count some tags.

        Raises:
            TooManyTagsError: There are too many.
        """
        self._left -= tags
        if self._left < 0:
            raise TooManyTagsError("more cells and tags than a file of its size holds")


class _MeteredPart:
    """A part of a workbook that is read piece by piece."""

    def __init__(self, part: Any, archive: _MeteredZip) -> None:
        self._part, self._archive, self._since_tag, self._at_start = part, archive, 0, True

    def read(self, size: int = -1) -> bytes:
        """Read a piece."""
        piece: bytes = self._part.read(size)
        self._archive.count(piece.count(b"<") + len(piece) // BYTES_OF_A_TAG)
        after = len(piece) - 1 - piece.rfind(b">")
        self._since_tag = after if after < len(piece) else self._since_tag + len(piece)
        if self._since_tag > MAX_TAG:
            raise TooManyTagsError(f"a tag or text of over {MAX_TAG:,} bytes")
        if self._at_start and _DECLARED.match(piece[:_LONGEST_MERGED]):
            raise TooManyTagsError("a part that is neither in UTF-8 nor in UTF-16")
        self._at_start = False
        return piece

    def close(self) -> None:
        """Close it."""
        self._part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_parser(sheet: Any, part: Any) -> Any:
    """Openpyxl's parser of a sheet, which distinguishes a formula without a value from an empty cell.

    It also reads control characters, which XML cannot hold, such as the carriage return that Excel writes as `_x000D_`.
    """
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    class Parser(WorkSheetParser):  # type: ignore[misc]
        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            if isinstance(cell["value"], str):
                cell["value"] = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), cell["value"])
            if cell["value"] is None and element.get("t") != "str":  # a formula that gave an empty text
                formula = element.find(FORMULA_TAG)
                cell["value"] = None if formula is None else Uncomputed(f"={formula.text or ''}")
            return cell

    book = sheet.parent
    formats = {"date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}  # noqa: SLF001
    return Parser(part, sheet._shared_strings, data_only=True, epoch=book.epoch, **formats)  # noqa: SLF001


def _find_merged(sheet: Any) -> set[tuple[int, int, int]]:
    """The merged cells over several rows: first row, last row, first column. In a sheet's XML they follow its rows."""
    from openpyxl.utils import column_index_from_string

    archive, found, piece = sheet.parent._archive, set(), b""  # noqa: SLF001
    with zipfile.ZipFile.open(archive, sheet._worksheet_path) as part:  # noqa: SLF001 (its tags count when it is parsed)
        while more := part.read(_PIECE):
            archive.count(len(more) // BYTES_OF_A_TAG)
            piece = piece[-_LONGEST_MERGED:] + more
            for letters, first, last in (match.groups() for match in _MERGED.finditer(piece)):
                found.add((int(first), int(last), column_index_from_string(letters.decode())))
    return {(first, last, column) for first, last, column in found if last > first}


class _MergedCells:
    """Cells that are merged with the one above them; rows must come in order."""

    def __init__(self, merged: set[tuple[int, int, int]]) -> None:
        self._ahead = sorted(merged, reverse=True)
        self._open: dict[int, tuple[int, Any]] = {}

    def fill(self, row: int, cells: dict[int, Any]) -> None:
        """Fill the empty cells of a row that are merged with one above."""
        while self._ahead and self._ahead[-1][0] <= row:
            first, last, column = self._ahead.pop()
            self._open[column] = last, cells.get(column) if first == row else None
        for column, (last, value) in list(self._open.items()):
            if last < row:
                del self._open[column]
            elif cells.get(column) is None:
                cells[column] = value
