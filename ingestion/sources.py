"""From the setting `data.source` to raw rows: the project's own headlines, a file, a folder, or a data set of the hub.

`find_source` hashes the bytes, or asks the hub for the commit of a data set; the rows are then read, file by file,
from exactly those bytes. After `find_place`, which reads nothing, the bytes are hashed while the rows are read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from embedded.headlines import HEADLINES_FILE
from embedded.paths import EMBEDDED
from ingestion import bounds, phrasebank
from ingestion.files import SourceError, SourceFile, find_files, hash_bytes, hash_file, read_file
from ingestion.formats import Content, EmptyFileError, read_content
from ingestion.hub_dataset import HubReference, parse_reference, read_dataset, resolve_commit
from ingestion.identity import ingest_id
from ingestion.parts import part_of_file
from ingestion.rows import RawRow, give_part
from schemas.columns import ReadColumns
from schemas.paths import local_path
from schemas.source import DataSettings


@dataclass(frozen=True)
class SourceDataset:
    """A data set of the hub as it was found: its display name, the hash of its commit, and the commit."""

    name: str
    sha256: str
    reference: HubReference
    commit: str
    size: int = 0
    beside: tuple[SourceFile, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a source is and how it is shown; no byte of a file has been read yet."""

    name: str
    location: str
    synthetic: bool
    files: tuple[SourceFile | SourceDataset, ...]
    is_folder: bool
    not_read: tuple[str, ...] = ()
    """Files there that are not read, each with the reason."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def identify(self, hashes: Mapping[str, str]) -> str:
        """The hash that identifies its bytes, from the SHA-256 of each file by name."""
        lines = [hashes[file.name] for file in self.files]
        lines += [f"{other.path.name} {hashes[other.name]}" for file in self.files for other in file.beside]
        return lines[0] if len(lines) == 1 else hash_bytes("\n".join(lines).encode())


@dataclass(frozen=True, kw_only=True)
class Source(Place):
    """A source whose bytes are known before its rows are read."""

    hashes: Mapping[str, str]
    """The SHA-256 of each file by name."""
    sha256: str
    ingest_id: str
    """The id that its rows will have."""


@dataclass
class Reading:
    """What is recorded about a source while its rows are read: the kind, encoding, columns and rows of each file.

    `not_read` names what else its files hold, such as further sheets of a workbook, each with the reason; `hashes` are
    the SHA-256 of its files by name.
    """

    kinds: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    columns: list[ReadColumns] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)


def locate(source: str) -> str:
    """Where a source is, as storage records it: an absolute path, `embedded`, or hf:ORG/NAME. Uses no network.

    Raises:
        InputError: It is not a valid name.
    """
    reference = parse_reference(source)
    if reference:
        return _name_dataset(reference)
    return EMBEDDED if source == EMBEDDED else str(local_path("source", source).resolve())


def find_place(settings: DataSettings) -> Place:
    """Find a source without reading it.

    Raises:
        InputError: If it is not there, is too large or is no regular file.
    """
    reference = parse_reference(settings.source)
    if reference:
        return _find_dataset(reference)
    synthetic = settings.source == EMBEDDED
    path = HEADLINES_FILE if synthetic else local_path("source", settings.source)
    name = f"{EMBEDDED} (synthetic)" if synthetic else path.absolute().name
    files, not_read = find_files(path, name, settings.source, settings.agreement)
    return Place(name, locate(settings.source), synthetic, files, path.is_dir(), not_read)


def find_source(settings: DataSettings) -> Source:
    """Find a source and hash its bytes: of a file of any kind, or of each file of a folder in the order of their paths.

    Raises:
        InputError: If it does not exist, is not readable, is too large or is not a regular file.
    """
    place = find_place(settings)
    hashes = {each.name: _hash(each, settings) for file in place.files for each in (file, *file.beside)}
    sha256 = place.identify(hashes)
    read_as = ingest_id(sha256, settings, _list_named(place, settings))
    return Source(**vars(place), hashes=hashes, sha256=sha256, ingest_id=read_as)


def iterate_rows(source: Place, settings: DataSettings, reading: Reading) -> Iterator[RawRow]:
    """Yield the rows of all files in order, and record in `reading` what is found; a folder may hold empty files.

    Raises:
        InputError: If there are too many, a file is of no known kind, or it changed since it was found.
    """
    characters, rows, most_rows, most = 0, 0, bounds.most_rows(source.size), bounds.most_characters(source.size)
    for file in source.files:
        reading.rows.append(0)
        try:
            content = _open(file, source, settings, reading)
        except EmptyFileError:
            if not source.is_folder:
                raise
            reading.not_read.append(f"{file.name.partition('/')[2]} (empty)")
            continue
        reading.kinds.append(content.kind)
        reading.encodings.append(content.encoding)
        reading.columns.append(content.columns)
        reading.not_read += [f"{file.name}: {name}" if source.is_folder else name for name in content.not_read]
        for row in give_part(content.rows, _part_of(file, source, settings)):
            reading.rows[-1] += 1
            rows += 1
            characters += len(row.raw)
            if rows > most_rows:
                raise bounds.too_large(settings.source, source.size, f"{most_rows:,} rows")
            if characters > most:
                raise bounds.too_large(settings.source, source.size, f"{most:,} characters")
            yield row


def _part_of(file: SourceFile | SourceDataset, source: Place, settings: DataSettings) -> str | None:
    """The part of the split that the name of a file in a folder gives, unless a column does."""
    is_named = source.is_folder and settings.split_column is None
    return part_of_file(file.name.partition("/")[2]) if is_named else None


def _list_named(source: Place, settings: DataSettings) -> list[str]:
    """What the name of each file says of its rows: their part of the split, their agreement; empty if none does."""
    named = [f"{_part_of(file, source, settings)} {phrasebank.level_of(file.name)}" for file in source.files]
    return named if set(named) - {"None None"} else []


def _find_dataset(reference: HubReference) -> Place:
    commit = resolve_commit(reference)
    name = _name_dataset(reference)
    dataset = SourceDataset(name, hash_bytes(f"{name}@{commit}".encode()), reference, commit)
    return Place(f"{name}@{commit[:12]}", name, synthetic=False, files=(dataset,), is_folder=False)


def _name_dataset(reference: HubReference) -> str:
    """The name of a data set of the hub, without its revision."""
    return str(replace(reference, revision=None))


def _hash(file: SourceFile | SourceDataset, settings: DataSettings) -> str:
    return file.sha256 if isinstance(file, SourceDataset) else hash_file(file, _show(file, settings))


def _show(file: SourceFile, settings: DataSettings) -> str:
    """The name of a file in errors: that of the setting, or its path if the setting names its folder."""
    return settings.source if file.path == Path(settings.source) else str(file.path)


def _open(file: SourceFile | SourceDataset, source: Place, settings: DataSettings, reading: Reading) -> Content:
    if isinstance(file, SourceDataset):
        reading.hashes[file.name] = file.sha256
        return read_dataset(file.reference, file.commit, settings)
    content, *beside = (_read(each, source, settings, reading) for each in (file, *file.beside))
    recognised = read_content(content, _show(file, settings), settings)
    if not beside:
        return recognised
    levels = {phrasebank.level_of(other.path.name): read for other, read in zip(file.beside, beside, strict=True)}
    known = {level: read for level, read in levels.items() if level}
    return recognised._replace(rows=phrasebank.raise_agreement(recognised.rows, known))


def _read(file: SourceFile, source: Place, settings: DataSettings, reading: Reading) -> bytes:
    content = read_file(file, _show(file, settings))
    reading.hashes[file.name] = hash_bytes(content)
    if isinstance(source, Source) and reading.hashes[file.name] != source.hashes[file.name]:
        raise SourceError(f"source {file.name!r} changed while it was read: try again once it is complete")
    return content
