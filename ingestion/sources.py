"""From the setting `data.source` to raw rows: the project's own headlines, a file, or a folder of files.

Knows files and folders, and no format. Judges no row.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from embedded.headlines import HEADLINES_FILE
from ingestion import phrasebank
from ingestion.folders import list_folder
from ingestion.formats import Content, read_content
from ingestion.rows import RawRow
from schemas.config import DataSettings
from schemas.errors import InputError

EMBEDDED = "embedded"
"""The value of `data.source` that means the project's own synthetic headlines."""


class SourceError(InputError):
    """A source is not there, cannot be read, or has no rows."""


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
    """Read a source: a file of any kind, or each file of a folder in the order of their paths.

    Raises:
        InputError: If it is not there, is not readable, has no rows, or a file of it is of no kind that is known.
    """
    source = settings.source
    synthetic = source == EMBEDDED
    path = HEADLINES_FILE if synthetic else Path(source)
    try:
        sha256, content = _read_folder(path, settings) if path.is_dir() else _read_file(path, source, settings)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(
            f"source {source!r} does not exist: give the path of a file or folder, or `{EMBEDDED}`"
        ) from None
    except OSError as error:
        at = "" if error.filename in {None, str(path)} else f" at {error.filename!r}"
        raise SourceError(
            f"source {source!r} cannot be read{at} ({error.strerror}): check its path and permissions"
        ) from None
    if not content.rows:
        raise SourceError(f"source {source!r} has no rows: give a file with labelled headlines")
    return Source(
        name=f"{EMBEDDED} (synthetic)" if synthetic else path.absolute().name,
        kind=EMBEDDED if synthetic else content.kind,
        sha256=sha256,
        encoding=content.encoding,
        synthetic=synthetic,
        rows=content.rows,
    )


def _read_file(path: Path, source: str, settings: DataSettings) -> tuple[str, Content]:
    """The hash and the content of a file."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest(), read_content(content, source, settings)


def _read_folder(folder: Path, settings: DataSettings) -> tuple[str, Content]:
    """The hash and the content of unpacked FinancialPhraseBank or, of any other folder, of all its files in order."""
    if phrasebank.is_folder(folder):
        sha256, content = _read_file(phrasebank.find_file(folder, settings.agreement), settings.source, settings)
        return sha256, content._replace(kind="financial-phrasebank folder")
    files = [_read_file(file, str(file), settings) for file in list_folder(folder)]
    hashes = "\n".join(sha256 for sha256, _ in files)
    return hashlib.sha256(hashes.encode()).hexdigest(), Content(
        kind="folder",
        encoding=", ".join(sorted({content.encoding for _, content in files})),
        rows=[row for _, content in files for row in content.rows],
    )
