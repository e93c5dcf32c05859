"""From the setting `data.source` to raw rows: what kind of source it is, by its content, and which reader takes it.

Knows files and folders. Judges no row.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded.headlines import HEADLINES_FILE
from ingestion import phrasebank
from ingestion.delimited import read_delimited, recognise_layout
from ingestion.encodings import decode
from ingestion.json_lines import is_json_lines, read_json_lines
from ingestion.labels import LabelWords
from ingestion.rows import RawRow
from schemas.config import DataSettings
from schemas.errors import InputError

EMBEDDED = "embedded"
"""The value of `data.source` that means the project's own synthetic headlines."""


class SourceError(InputError):
    """A source is not there, cannot be read, or is empty."""


@dataclass(frozen=True)
class Source:
    """A source that was recognised: how it is shown to people, what it is, and its rows as they were."""

    name: str
    kind: str
    sha256: str
    encoding: str
    synthetic: bool
    rows: list[RawRow]


def load_source(settings: DataSettings) -> Source:
    """Read a source of any kind, recognised by its content and never by its name.

    Raises:
        InputError: If it is not there, is not readable, is empty, or is of no kind that is known.
    """
    synthetic = settings.source == EMBEDDED
    path = HEADLINES_FILE if synthetic else Path(settings.source)
    content = _read_bytes(path, settings)
    if phrasebank.is_archive(content):
        member = phrasebank.read_archive(content, settings.source, settings.agreement)
        text, encoding = decode(member, settings.source, settings.encoding, phrasebank.ENCODING)
        kind, rows = "financial-phrasebank zip", phrasebank.read_phrasebank_text(text)
    else:
        kind, encoding, rows = _recognise_text(content, settings)
    if path.is_dir():
        kind = "financial-phrasebank folder"
    return Source(
        name=f"{EMBEDDED} (synthetic)" if synthetic else path.absolute().name,
        kind=EMBEDDED if synthetic else kind,
        sha256=hashlib.sha256(content).hexdigest(),
        encoding=encoding,
        synthetic=synthetic,
        rows=_read_rows(rows, settings.source),
    )


def _read_bytes(path: Path, settings: DataSettings) -> bytes:
    """The bytes of the file or, for a folder, of the file in it that the agreement level asks for."""
    source = settings.source
    try:
        file = phrasebank.find_file(path, settings.agreement) if path.is_dir() else path
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"source {source!r} does not exist: give the path of a file, or `{EMBEDDED}`") from None
    except OSError as error:
        raise SourceError(
            f"source {source!r} cannot be read ({error.strerror}): check its path and permissions"
        ) from None


def _recognise_text(content: bytes, settings: DataSettings) -> tuple[str, str, Iterator[RawRow]]:
    """The kind of a text file, its encoding and its rows."""
    text, encoding = decode(content, settings.source, settings.encoding)
    if not text.strip():
        raise SourceError(f"source {settings.source!r} is empty: give a file with labelled headlines")
    words = LabelWords(settings.label_map)
    if phrasebank.is_phrasebank_text(text, words):
        text, encoding = decode(content, settings.source, settings.encoding, phrasebank.ENCODING)
        return "financial-phrasebank text", encoding, phrasebank.read_phrasebank_text(text)
    if is_json_lines(text):
        return "json lines", encoding, read_json_lines(text, settings.source, settings)
    layout = recognise_layout(text, settings.source, settings, words)
    return "tsv" if layout.delimiter == "\t" else "csv", encoding, read_delimited(text, layout)


def _read_rows(rows: Iterator[RawRow], source: str) -> list[RawRow]:
    read = list(rows)
    if not read:
        raise SourceError(f"source {source!r} has no rows: give a file with labelled headlines")
    return read
