"""From the setting `data.source` to raw rows: the project's own headlines, a file, a folder, or a data set of the hub.

To find a source costs one hash of its bytes, or of a data set the question which commit it is; its rows are read after
that, file by file, and only of those same bytes. Knows files and folders, and no format. Judges no row.
"""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from embedded.headlines import HEADLINES_FILE
from ingestion import phrasebank
from ingestion.folders import list_folder
from ingestion.formats import Content, read_content
from ingestion.hub_dataset import HubReference, parse_reference, read_dataset, resolve_commit
from ingestion.identity import ingest_id
from ingestion.rows import RawRow
from schemas.config import DataSettings
from schemas.errors import InputError

EMBEDDED = "embedded"
"""The value of `data.source` that means the project's own synthetic headlines."""
MAX_BYTES = 4 * 1024**3
"""A larger file is not read, since it is held in memory."""


class SourceError(InputError):
    """A source is not there, cannot be read, changes while it is read, or has no rows."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a source as it was found: what people call it, its bytes by hash and number, and where it lies."""

    name: str
    sha256: str
    size: int
    path: Path


@dataclass(frozen=True)
class SourceDataset:
    """A data set of the hub as it was found: what people call it, the hash of its commit, and the commit."""

    name: str
    sha256: str
    reference: HubReference
    commit: str
    size: int = 0


@dataclass(frozen=True)
class Source:
    """A source that was found: how it is shown to people, where it lies, and what its rows will be known by."""

    name: str
    location: str
    sha256: str
    ingest_id: str
    synthetic: bool
    files: tuple[SourceFile | SourceDataset, ...]
    is_folder: bool

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass
class Reading:
    """What is learned of a source while its rows are read: kinds and encodings, and how many rows each file has."""

    kinds: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    characters: int = 0


def find_source(settings: DataSettings) -> Source:
    """Find a source and hash its bytes: of a file of any kind, or of each file of a folder in the order of their paths.

    Raises:
        InputError: If it is not there, is not readable, is too large or is no regular file.
    """
    reference = parse_reference(settings.source)
    if reference:
        return _find_dataset(reference, settings)
    synthetic = settings.source == EMBEDDED
    path = HEADLINES_FILE if synthetic else Path(settings.source).expanduser()
    name = f"{EMBEDDED} (synthetic)" if synthetic else path.absolute().name
    with _told(settings.source, path):
        files = _find_files(path, name, settings)
        is_folder = path.is_dir()
    sha256 = files[0].sha256 if len(files) == 1 else _hash("\n".join(file.sha256 for file in files).encode())
    return Source(
        name=name,
        location=EMBEDDED if synthetic else str(path.resolve()),
        sha256=sha256,
        ingest_id=ingest_id(sha256, settings),
        synthetic=synthetic,
        files=files,
        is_folder=is_folder,
    )


def iterate_rows(source: Source, settings: DataSettings, reading: Reading) -> Iterator[RawRow]:
    """Yield the rows of all files in order, and note in `reading` what is learned.

    Raises:
        InputError: If there are none, a file is of no kind that is known, or it changed since it was found.
    """
    for file in source.files:
        content = _open(file, source, settings)
        reading.kinds.append(content.kind)
        reading.encodings.append(content.encoding)
        reading.rows.append(0)
        for row in content.rows:
            reading.rows[-1] += 1
            reading.characters += len(row.raw)
            if reading.characters > MAX_BYTES:
                raise SourceError(
                    f"source {file.name!r} unpacks to over {MAX_BYTES:,} characters: split it into files of a folder"
                )
            yield row
    if not sum(reading.rows):
        raise SourceError(f"source {settings.source!r} has no rows: give a file with labelled headlines")


def _find_dataset(reference: HubReference, settings: DataSettings) -> Source:
    commit = resolve_commit(reference)
    name = str(replace(reference, revision=None))
    sha256 = _hash(f"{name}@{commit}".encode())
    return Source(
        name=f"{name}@{commit[:12]}",
        location=name,
        sha256=sha256,
        ingest_id=ingest_id(sha256, settings),
        synthetic=False,
        files=(SourceDataset(name, sha256, reference, commit),),
        is_folder=False,
    )


def _open(file: SourceFile | SourceDataset, source: Source, settings: DataSettings) -> Content:
    if isinstance(file, SourceDataset):
        return read_dataset(file.reference, file.commit, settings)
    with _told(settings.source, file.path):
        content = file.path.read_bytes()
    if _hash(content) != file.sha256:
        raise SourceError(f"source {file.name!r} changed while it was read: try again once it is complete")
    shown = settings.source if file.path == Path(settings.source) else str(file.path)
    recognised = read_content(content, shown, settings)
    return recognised._replace(rows=_with_levels(recognised.rows, file, source))


def _with_levels(rows: Iterator[RawRow], file: SourceFile, source: Source) -> Iterator[RawRow]:
    """Rows of unpacked FinancialPhraseBank with their agreement level, of anything else as they are."""
    if source.is_folder and phrasebank.level_of(file.path.name):
        return phrasebank.raise_agreement(rows, phrasebank.read_levels(file.path))
    return rows


def _find_files(path: Path, name: str, settings: DataSettings) -> tuple[SourceFile, ...]:
    if not path.is_dir():
        return (_find_file(path, name, settings.source),)
    if phrasebank.is_folder(path):
        file = phrasebank.find_file(path, settings.agreement)
        return (_find_file(file, f"{name}/{file.name}", str(file)),)
    files = list_folder(path)
    return tuple(_find_file(file, f"{name}/{file.relative_to(path).as_posix()}", str(file)) for file in files)


def _find_file(path: Path, name: str, shown: str) -> SourceFile:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"source {shown!r} is no regular file: save what it holds in one, and give that")
    if status.st_size > MAX_BYTES:
        raise SourceError(
            f"source {shown!r} has {status.st_size:,} bytes, more than the {MAX_BYTES:,} that are read: split it into "
            "files of a folder, and give that"
        )
    with path.open("rb") as file:
        return SourceFile(name, hashlib.file_digest(file, "sha256").hexdigest(), status.st_size, path)


@contextmanager
def _told(source: str, path: Path) -> Iterator[None]:
    """What the system refuses in the block, in one line."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(
            f"source {source!r} does not exist: give the path of a file or folder, hf:ORG/NAME, or `{EMBEDDED}`"
        ) from None
    except (OSError, ValueError) as error:  # a path with a NUL character is a ValueError
        named = getattr(error, "filename", None)
        at = "" if named in {None, str(path)} else f" at {named!r}"
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"source {source!r} cannot be read{at} ({reason}): check its path and permissions") from None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
