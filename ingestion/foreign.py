"""Kinds of files that are not read, recognised by their first bytes; otherwise they would be read as text."""

import re
from collections.abc import Collection

from schemas.errors import InputError
from schemas.source import DataSettings

_UNPACK = "unpack it and give what it holds"
_SAVE = "save it as .xlsx without a password, or as CSV"
_EXPORT = "export its headlines as CSV"

_STARTS = {
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a rar archive", _UNPACK),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old Excel workbook (.xls) or one with a password", _SAVE),
    b"PARE": ("an encrypted Parquet file", "decrypt it"),
    b"FEA1": ("a Feather file of version 1", "save it as Parquet, or as Feather of version 2"),
    b"SQLite format 3\0": ("a SQLite database", _EXPORT),
    b"\x89PNG\r\n": ("a picture", "give a file with headlines"),
    b"\xff\xd8\xff": ("a picture", "give a file with headlines"),
    b"GIF8": ("a picture", "give a file with headlines"),
}
_TEXTS = {
    re.compile(rb"version https://git-lfs\.github\.com/spec/"): (
        "a pointer of Git LFS and not the file itself",
        "get the file with git lfs pull",
    ),
    re.compile(rb"%PDF-"): ("a PDF", _EXPORT),
    re.compile(rb"\{\\rtf"): ("an RTF document", _EXPORT),
    re.compile(rb"(\xef\xbb\xbf)?\s*<([?!]|html|rss|feed|rdf)", re.IGNORECASE): ("XML or HTML", _EXPORT),
}
"""Kinds that are text, which may be read line by line where the settings say so."""
_MEMBERS = {
    "xl/workbook.bin": ("a binary Excel workbook (.xlsb)", _SAVE),
    "content.xml": ("an OpenDocument file", "save it as .xlsx, or as CSV"),
    "word/document.xml": ("a Word document", _EXPORT),
    "ppt/presentation.xml": ("a presentation", _EXPORT),
}


class ForeignKindError(InputError):
    """A file is of a known kind that is not read."""


def refuse_foreign(content: bytes, source: str, settings: DataSettings) -> None:
    """Refuse a file that begins like one of a kind that is not read.

    Raises:
        ForeignKindError: It does; the message names the kind and the remedy.
    """
    for start, (kind, remedy) in _STARTS.items():
        if content.startswith(start):
            raise _foreign(source, kind, remedy)
    if content[257:262] == b"ustar":
        raise _foreign(source, "a tar archive", "unpack it and give the folder")
    if content[8:12] == b"DUCK":
        raise _foreign(source, "a DuckDB database", _EXPORT)
    or_lines = "" if settings.is_labelled else f", or use {settings.option('format', 'lines')} if each line is one"
    for beginning, (kind, remedy) in _TEXTS.items():
        if settings.format is None and beginning.match(content):
            raise _foreign(source, kind, remedy + or_lines)


def refuse_foreign_zip(members: Collection[str], source: str) -> None:
    """Refuse a zip that is a document of another program.

    Raises:
        ForeignKindError: It is.
    """
    for name, (kind, remedy) in _MEMBERS.items():
        if name in members:
            raise _foreign(source, kind, remedy)


def _foreign(source: str, kind: str, remedy: str) -> ForeignKindError:
    return ForeignKindError(f"source {source!r} is {kind}, which is not read: {remedy}")
