"""From the setting `data.source` to raw rows: the project's own headlines, a file, a folder, or a data set of the hub.

Finding a source costs one hash of its bytes, or one call that resolves the commit of a data set. Its rows are read
after that, file by file, and only if the bytes are still the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from embedded.headlines import HEADLINES_FILE
from ingestion import bounds, phrasebank
from ingestion.files import SourceError, SourceFile, find_files, hash_bytes, read_file
from ingestion.formats import Content, read_content
from ingestion.hub_dataset import HubReference, parse_reference, read_dataset, resolve_commit
from ingestion.identity import ingest_id
from ingestion.rows import RawRow
from schemas.columns import ReadColumns
from schemas.config import DataSettings
from schemas.paths import local_path

EMBEDDED = "embedded"
"""The value of `data.source` that means the project's own synthetic headlines."""


@dataclass(frozen=True)
class SourceDataset:
    """A data set of the hub as it was found: its display name, the hash of its commit, and the commit."""

    name: str
    sha256: str
    reference: HubReference
    commit: str
    size: int = 0


@dataclass(frozen=True)
class Source:
    """A source that was found: its display name, where it is, and the hash by which its rows are identified."""

    name: str
    location: str
    sha256: str
    ingest_id: str
    synthetic: bool
    files: tuple[SourceFile | SourceDataset, ...]
    is_folder: bool
    not_read: tuple[str, ...] = ()
    """Files there that are not read, each with the reason."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass
class Reading:
    """What is recorded about a source while its rows are read: the kind, encoding, columns and rows of each file.

    `not_read` names what else its files hold, such as further sheets of a workbook, each with the reason.
    """

    kinds: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    columns: list[ReadColumns] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)


def find_source(settings: DataSettings) -> Source:
    """Find a source and hash its bytes: of a file of any kind, or of each file of a folder in the order of their paths.

    Raises:
        InputError: If it does not exist, is not readable, is too large or is not a regular file.
    """
    reference = parse_reference(settings.source)
    if reference:
        return _find_dataset(reference, settings)
    synthetic = settings.source == EMBEDDED
    path = HEADLINES_FILE if synthetic else local_path("source", settings.source)
    name = f"{EMBEDDED} (synthetic)" if synthetic else path.absolute().name
    files, not_read = find_files(path, name, settings.source, settings.agreement)
    hashes = [file.sha256 for file in files]
    hashes += [f"{other.path.name} {other.sha256}" for file in files for other in file.beside]
    sha256 = hashes[0] if len(hashes) == 1 else hash_bytes("\n".join(hashes).encode())
    return Source(
        name=name,
        location=EMBEDDED if synthetic else str(path.resolve()),
        sha256=sha256,
        ingest_id=ingest_id(sha256, settings),
        synthetic=synthetic,
        files=files,
        is_folder=path.is_dir(),
        not_read=not_read,
    )


def iterate_rows(source: Source, settings: DataSettings, reading: Reading) -> Iterator[RawRow]:
    """Yield the rows of all files in order, and record in `reading` what is found.

    Raises:
        InputError: If there are none or too many, a file is of no known kind, or it changed since it was found.
    """
    characters, rows, most_rows, most = 0, 0, bounds.most_rows(source.size), bounds.most_characters(source.size)
    for file in source.files:
        content = _open(file, settings)
        reading.kinds.append(content.kind)
        reading.encodings.append(content.encoding)
        reading.columns.append(content.columns)
        reading.rows.append(0)
        reading.not_read += [f"{file.name}: {name}" if source.is_folder else name for name in content.not_read]
        for row in content.rows:
            reading.rows[-1] += 1
            rows += 1
            characters += len(row.raw)
            if rows > most_rows:
                raise bounds.too_large(settings.source, source.size, f"{most_rows:,} rows")
            if characters > most:
                raise bounds.too_large(settings.source, source.size, f"{most:,} characters")
            yield row
    if not rows:
        raise SourceError(f"source {settings.source!r} has no rows: give a file with labelled headlines")


def _find_dataset(reference: HubReference, settings: DataSettings) -> Source:
    commit = resolve_commit(reference)
    name = str(replace(reference, revision=None))
    sha256 = hash_bytes(f"{name}@{commit}".encode())
    return Source(
        name=f"{name}@{commit[:12]}",
        location=name,
        sha256=sha256,
        ingest_id=ingest_id(sha256, settings),
        synthetic=False,
        files=(SourceDataset(name, sha256, reference, commit),),
        is_folder=False,
    )


def _open(file: SourceFile | SourceDataset, settings: DataSettings) -> Content:
    if isinstance(file, SourceDataset):
        return read_dataset(file.reference, file.commit, settings)
    shown = settings.source if file.path == Path(settings.source) else str(file.path)
    recognised = read_content(read_file(file, settings.source), shown, settings)
    return recognised._replace(rows=_with_levels(recognised.rows, file, settings.source))


def _with_levels(rows: Iterator[RawRow], file: SourceFile, shown: str) -> Iterator[RawRow]:
    """Rows of unpacked FinancialPhraseBank with their agreement level; other rows unchanged."""
    if not file.beside:
        return rows
    levels = {phrasebank.level_of(other.path.name): read_file(other, shown) for other in file.beside}
    return phrasebank.raise_agreement(rows, {level: content for level, content in levels.items() if level})
