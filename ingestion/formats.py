"""From the bytes of one file to raw rows: what kind it is, by its content, and which reader takes it.

Knows no folder and no path. Judges no row.
"""

from typing import NamedTuple

from ingestion import phrasebank
from ingestion.archives import ArchiveError, describe_files, is_zip, list_files, open_zip, read_member
from ingestion.delimited import read_delimited, recognise_layout
from ingestion.encodings import decode
from ingestion.excel import is_workbook, read_workbook
from ingestion.json_array import is_json_array, read_json_array
from ingestion.json_lines import is_json_lines, read_json_lines
from ingestion.labels import LabelWords
from ingestion.parquet import is_parquet, read_parquet
from ingestion.rows import RawRow
from schemas.config import DataSettings
from schemas.errors import InputError

_UNICODE = "utf-8"
"""What is recorded for formats that fix their own encoding."""


class EmptyFileError(InputError):
    """A file holds nothing but white space."""


class Content(NamedTuple):
    """A file that was recognised: what it is, its encoding, and its rows as they were."""

    kind: str
    encoding: str
    rows: list[RawRow]


def read_content(content: bytes, source: str, settings: DataSettings) -> Content:
    """Read a file of any kind, recognised by its content and never by its name.

    Args:
        content: The bytes.
        source: The file, for errors.
        settings: How it is read.

    Raises:
        InputError: If it is empty, unsafe, broken, or of no kind that is known.
    """
    if is_zip(content):
        return _read_zip(content, source, settings)
    return _read_file(content, source, settings)


def _read_zip(content: bytes, source: str, settings: DataSettings) -> Content:
    """A workbook, FinancialPhraseBank, or the one file that the archive holds, which may be a workbook."""
    archive = open_zip(content, source)
    if is_workbook(archive):
        return Content("excel", _UNICODE, list(read_workbook(content, source, settings)))
    if phrasebank.is_archive(archive):
        member = phrasebank.read_archive(archive, source, settings.agreement)
        text, encoding = decode(member, source, settings.encoding, phrasebank.ENCODING)
        return Content("financial-phrasebank zip", encoding, list(phrasebank.read_phrasebank_text(text)))
    files = list_files(archive)
    if len(files) != 1:
        raise ArchiveError(
            f"source {source!r} is a zip that is neither an Excel workbook nor the archive of FinancialPhraseBank and "
            f"holds not one file but {describe_files(files)}: unpack it and give the folder or a file"
        )
    name = f"{source}/{files[0]}"
    inner = read_member(archive, files[0], source)
    if is_zip(inner) and not is_workbook(open_zip(inner, name)):
        raise ArchiveError(f"source {name!r} is a zip within a zip: unpack it and give what it holds")
    kind, encoding, rows = read_content(inner, name, settings)
    return Content(f"{kind} in a zip", encoding, rows)


def _read_file(content: bytes, source: str, settings: DataSettings) -> Content:
    if is_parquet(content):
        return Content("parquet", _UNICODE, list(read_parquet(content, source, settings)))
    text, encoding = decode(content, source, settings.encoding)
    if not text.strip():
        raise EmptyFileError(f"source {source!r} is empty: give a file with labelled headlines")
    words = LabelWords(settings.label_map)
    if phrasebank.is_phrasebank_text(text, words):
        text, encoding = decode(content, source, settings.encoding, phrasebank.ENCODING)
        return Content("financial-phrasebank text", encoding, list(phrasebank.read_phrasebank_text(text)))
    if is_json_array(text):
        return Content("json", encoding, list(read_json_array(text, source, settings)))
    if is_json_lines(text):
        return Content("json lines", encoding, list(read_json_lines(text, source, settings)))
    layout = recognise_layout(text, source, settings, words)
    kind = "tsv" if layout.delimiter == "\t" else "csv"
    return Content(kind, encoding, list(read_delimited(text, layout)))
