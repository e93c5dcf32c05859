"""From the bytes of one file to raw rows: its kind, by its content, and the reader for that kind."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ingestion import phrasebank
from ingestion.archives import ArchiveError, describe_files, describe_others, is_zip, list_files, open_zip, read_member
from ingestion.arrow import is_arrow, read_arrow
from ingestion.delimited import read_delimited
from ingestion.encodings import Text, decode, escape_bytes, has_foreign_bytes
from ingestion.excel import is_workbook, read_workbook
from ingestion.foreign import refuse_foreign, refuse_foreign_zip
from ingestion.json_array import is_json_array, read_json_array
from ingestion.json_document import begins_as_json, is_json_document, read_json_document
from ingestion.json_lines import is_json_lines, read_json_lines
from ingestion.labels import LabelWords
from ingestion.layouts import recognise_layout
from ingestion.packed import PackedError, Packer, find_packer, unpack
from ingestion.parquet import is_parquet, read_parquet
from ingestion.parts import part_of_file
from ingestion.plain_lines import check_lines, is_plain, read_lines
from ingestion.rows import RawRow, TableRows, broken_row, give_part
from schemas.columns import NO_COLUMNS, ReadColumns, join_columns
from schemas.errors import InputError
from schemas.formats import Format
from schemas.source import DataSettings

_UNICODE = "utf-8"
"""The encoding that is recorded for formats that define their own."""


class EmptyFileError(InputError):
    """A file holds nothing but white space."""


class WrongFormatError(InputError):
    """A file is not of the format that the settings name."""


class Content(NamedTuple):
    """A file that was recognised: its kind, its encoding, its rows, which can be read once, and their columns.

    `not_read` names what else the file holds, such as the sheets of a workbook that are not read, each with the reason.
    """

    kind: str
    encoding: str
    rows: Iterator[RawRow]
    columns: ReadColumns = NO_COLUMNS
    not_read: tuple[str, ...] = ()


def read_content(content: bytes, source: str, settings: DataSettings) -> Content:
    """Recognise a file of any kind, by its content and never by its name, and begin to read it.

    Args:
        content: The bytes.
        source: The file, for errors.
        settings: How it is read; `format` names its kind if it should not be detected.

    Raises:
        InputError: If it is empty, unsafe, broken, or of no kind that is known; also while the rows are read.
    """
    if is_zip(content):
        return _read_zip(content, source, settings)
    packer = find_packer(content)
    return _read_packed(content, packer, source, settings) if packer else _read_file(content, source, settings)


def _read_packed(content: bytes, packer: Packer, source: str, settings: DataSettings) -> Content:
    """Read the file that was packed, of any kind except an archive."""
    inner = unpack(content, packer, source)
    refuse_packed_twice(inner, packer, source)
    found = read_content(inner, source, settings)
    return found._replace(kind=f"{found.kind} in {packer.name}")


def refuse_packed_twice(inner: bytes, packer: Packer, source: str) -> None:
    """Refuse a packed file whose content is an archive or is packed again.

    Raises:
        PackedError: It is.
    """
    if _is_packed(inner, source):
        raise PackedError(f"source {source!r} is packed twice by {packer.name}: unpack it and give what it holds")


def _is_packed(content: bytes, source: str) -> bool:
    """Whether the bytes are an archive or a packed file; a workbook is a zip and is neither."""
    return find_packer(content) is not None or (is_zip(content) and not is_workbook(open_zip(content, source)))


def _read_zip(content: bytes, source: str, settings: DataSettings) -> Content:
    """A workbook, FinancialPhraseBank, or the one file that the archive holds, which may be a workbook."""
    archive = open_zip(content, source)
    refuse_foreign_zip(archive.namelist(), source)
    if is_workbook(archive):
        _check_format("excel", source, settings)
        return Content("excel", _UNICODE, *read_workbook(content, source, settings))
    if phrasebank.is_archive(archive):
        _check_format("phrasebank", source, settings)
        levels = phrasebank.read_archive(archive, source, settings.agreement)
        text = decode(levels.pop(settings.agreement), source, settings, phrasebank.ENCODING)
        rows = phrasebank.read_phrasebank_text(text, settings.agreement)
        table = TableRows(phrasebank.raise_agreement(rows, levels))
        return _from_text("financial-phrasebank zip", text, table)._replace(not_read=describe_others(archive))
    files = list_files(archive)
    if len(files) > 1 and all(map(part_of_file, files)):
        return _read_parts(archive, files, source, settings)
    return _read_only_member(archive, files, source, settings)


def _read_parts(archive: zipfile.ZipFile, files: Sequence[str], source: str, settings: DataSettings) -> Content:
    """An official split: files that are named train, validation and test; rows are numbered through all of them."""
    found = [_read_member(archive, name, source, settings) for name in files]
    parts = [None if settings.split_column else part_of_file(name) for name in files]
    return Content(
        f"{', '.join(sorted({each.kind for each in found}))} in a zip",
        ", ".join(sorted({each.encoding for each in found})),
        chain.from_iterable(give_part(each.rows, part) for each, part in zip(found, parts, strict=True)),
        join_columns(each.columns for each in found),
        (*describe_others(archive), *(name for each in found for name in each.not_read)),
    )


def _read_only_member(archive: zipfile.ZipFile, files: Sequence[str], source: str, settings: DataSettings) -> Content:
    if len(files) != 1:
        raise ArchiveError(
            f"source {source!r} is a zip that is neither an Excel workbook nor the archive of FinancialPhraseBank and "
            f"holds not one data file but {describe_files(files or describe_others(archive))}: "
            "unpack it and give the folder or a file"
        )
    found = _read_member(archive, files[0], source, settings)
    return found._replace(kind=f"{found.kind} in a zip", not_read=(*describe_others(archive), *found.not_read))


def _read_member(archive: zipfile.ZipFile, member: str, source: str, settings: DataSettings) -> Content:
    name, inner = f"{source}/{member}", read_member(archive, member, source)
    if _is_packed(inner, name):
        what = "a zip" if is_zip(inner) else "a packed file"
        raise ArchiveError(f"source {name!r} is {what} within a zip: unpack it and give what it holds")
    return read_content(inner, name, settings)


def _read_file(content: bytes, source: str, settings: DataSettings) -> Content:
    if is_parquet(content):
        _check_format("parquet", source, settings)
        return Content("parquet", _UNICODE, *read_parquet(content, source, settings))
    if is_arrow(content):
        _check_format("arrow", source, settings)
        return Content("arrow", _UNICODE, *read_arrow(content, source, settings))
    refuse_foreign(content, source, settings)
    text = decode(content, source, settings)
    if not text.first_line():
        raise EmptyFileError(f"source {source!r} is empty: give a file with headlines")
    found = recognise_text(text, settings)
    if found == "phrasebank":
        text = decode(content, source, settings, phrasebank.ENCODING)
        rows = phrasebank.read_phrasebank_text(text, phrasebank.level_of(source))
        return _from_text("financial-phrasebank text", text, TableRows(rows))
    return read_text(found, text, text, source, settings)


class TextFormat(NamedTuple):
    """A format of text that is recognised by its first lines."""

    name: Format
    recognises: Callable[[Text, DataSettings], bool]
    """Whether a text with these first lines is of the format."""
    begin: Callable[[Text, Text, str, DataSettings], tuple[str, TableRows]]
    """From the text, its first lines, the source's name and the settings to the name of the kind, and the rows.

    Raises:
        InputError: It is not of the format; also while the rows are read.
    """


def _begin_json(text: Text, head: Text, source: str, settings: DataSettings) -> tuple[str, TableRows]:
    if is_json_array(head):
        return "json", read_json_array(text, source, settings)
    _check_fits(begins_as_json(head), "json", source, settings)
    return read_json_document(text, source, settings)


def _begin_json_lines(text: Text, head: Text, source: str, settings: DataSettings) -> tuple[str, TableRows]:
    _check_fits(is_json_lines(head), "json-lines", source, settings)
    return "json lines", read_json_lines(text, head, source, settings)


def _begin_lines(text: Text, head: Text, source: str, settings: DataSettings) -> tuple[str, TableRows]:
    if settings.format is None:
        check_lines(head, source, settings)
    return "lines", TableRows(read_lines(text, head))


def _begin_csv(text: Text, head: Text, source: str, settings: DataSettings) -> tuple[str, TableRows]:
    layout = recognise_layout(head, source, settings)
    table = read_delimited(text, layout, LabelWords.of(settings))
    return "tsv" if layout.delimiter == "\t" else "csv", table


TEXT_FORMATS = [
    TextFormat("json", lambda head, settings: is_json_array(head) or is_json_document(head, settings), _begin_json),
    TextFormat("json-lines", lambda head, _: is_json_lines(head), _begin_json_lines),
    TextFormat("lines", lambda head, settings: not settings.is_labelled and is_plain(head, settings), _begin_lines),
    TextFormat("csv", lambda _, __: True, _begin_csv),
]
"""In the order in which they are tried. A new format needs a reader, a line here, and a name in `schemas.formats`."""


def recognise_text(text: Text, settings: DataSettings) -> Format:
    """The kind of a text: `data.format` if set, else by its beginning."""
    if settings.format is not None:
        return settings.format
    if phrasebank.is_phrasebank_text(text, LabelWords(settings.label_map)):
        return "phrasebank"
    return next(each.name for each in TEXT_FORMATS if each.recognises(text, settings))


def read_text(found: Format, head: Text, text: Text, source: str, settings: DataSettings) -> Content:
    """Begin to read a text of any format except FinancialPhraseBank's.

    Args:
        found: The format.
        head: Its first lines, at least one that is not blank, which show its layout.
        text: All of it.
        source: The source, for errors.
        settings: How it is read.

    Raises:
        InputError: It is not of the format; also while the rows are read.
    """
    formats = {each.name: each for each in TEXT_FORMATS}
    _check_fits(found in formats, found, source, settings)
    kind, table = formats[found].begin(text, head, source, settings)
    return _from_text(kind, text, table)


def _from_text(kind: str, text: Text, table: TableRows) -> Content:
    rows = table.rows if text.is_sound else (_escape_foreign_bytes(row, text.encoding) for row in table.rows)
    return Content(kind, text.encoding, rows, table.columns, table.not_read)


def _escape_foreign_bytes(row: RawRow, encoding: str) -> RawRow:
    if not has_foreign_bytes(row.raw):
        return row
    return broken_row(escape_bytes(row.raw, encoding), f"bytes that are not {encoding}")


def _check_format(found: Format, source: str, settings: DataSettings) -> None:
    _check_fits(settings.format in {None, found}, settings.format, source, settings)


def _check_fits(fits: bool, wanted: str | None, source: str, settings: DataSettings) -> None:  # noqa: FBT001
    if not fits:
        raise WrongFormatError(
            f"source {source!r} is not of the format {wanted!r}: set {settings.call('format')} to its own, "
            "or leave that out to detect it"
        )
