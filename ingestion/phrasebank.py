"""FinancialPhraseBank as released (Malo et al. 2014): the archive, its unpacked folder, one of its files."""

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ingestion.archives import describe_files, list_files, read_member
from ingestion.encodings import LINE_ENDS, Text
from ingestion.labels import LabelWords
from ingestion.passed_over import SYSTEM_FOLDER, describe_why
from ingestion.rows import RawRow, broken_row
from schemas.errors import InputError

ENCODING = "iso-8859-1"
FILE_NAMES = {
    50: "Sentences_50Agree.txt",
    66: "Sentences_66Agree.txt",
    75: "Sentences_75Agree.txt",
    100: "Sentences_AllAgree.txt",
}
"""The file for each least share of annotators that agree, in per cent."""

Levels = dict[int, bytes]
"""Files by their agreement level."""


class PhraseBankError(InputError):
    """FinancialPhraseBank lacks the file for an agreement level."""


def is_archive(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive holds one of the files."""
    return any(PurePosixPath(name).name in FILE_NAMES.values() for name in list_files(archive))


def read_archive(archive: zipfile.ZipFile, source: str, agreement: int) -> Levels:
    """The bytes of the archive's files from an agreement level up, in any folder of the archive.

    Raises:
        PhraseBankError: If the archive has no file for the level itself.
        ArchiveError: If one is damaged.
    """
    files = list_files(archive)
    places = {PurePosixPath(name).name: name for name in reversed(files)}
    if FILE_NAMES[agreement] not in places:
        raise PhraseBankError(
            f"source {source!r} is a zip without {FILE_NAMES[agreement]}, it holds {describe_files(files)}: "
            "set data.agreement to a file that is there, or unpack it and give the file"
        )
    wanted = {level: places[name] for level, name in FILE_NAMES.items() if level >= agreement and name in places}
    return {level: read_member(archive, place, source) for level, place in wanted.items()}


def is_phrasebank(source: str) -> bool:
    """Whether a path is FinancialPhraseBank as released: its archive, a folder with its files, or one of them.

    A path that cannot be opened is not one; reading it raises the reason.
    """
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            return is_folder(path)
        if not path.is_file() or level_of(path.name):
            return path.is_file()
        with zipfile.ZipFile(path) as archive:
            return is_archive(archive)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return False


def is_folder(folder: Path) -> bool:
    """Whether a folder, or one of its folders, holds one of the files."""
    return any(_find(folder, name) for name in FILE_NAMES.values())


def find_file(folder: Path, agreement: int) -> Path:
    """The file for an agreement level in an unpacked folder or one of its folders.

    Raises:
        PhraseBankError: If there is none.
    """
    file = _find(folder, FILE_NAMES[agreement])
    if file is None:
        raise PhraseBankError(
            f"source {str(folder)!r} is a folder without {FILE_NAMES[agreement]}: "
            "set data.agreement to a file that is there, or give the file"
        )
    return file


def describe_others(file: Path) -> tuple[str, ...]:
    """The files of other names in the folder of one of them, each with the reason why it is not read."""
    names = sorted(other.name for other in file.parent.iterdir() if other.is_file() and level_of(other.name) is None)
    return tuple(f"{name} ({describe_why(Path(name)) or 'beside FinancialPhraseBank'})" for name in names)


def find_beside(file: Path) -> list[Path]:
    """The files in the same folder whose agreement level is higher."""
    known = level_of(file.name) or max(FILE_NAMES)
    beside = [file.with_name(name) for level, name in FILE_NAMES.items() if level > known]
    return [path for path in beside if path.is_file()]


def level_of(name: str) -> int | None:
    """The agreement level in the name of a file, if it is one of the four."""
    return next((level for level, known in FILE_NAMES.items() if known == PurePosixPath(name).name), None)


def is_phrasebank_text(text: Text, words: LabelWords) -> bool:
    """Whether the first line has the form `sentence@label`."""
    _, separator, word = text.first_line().rpartition("@")
    return bool(separator) and words.knows(word)


def read_phrasebank_text(text: Text, agreement: int | None = None) -> Iterator[RawRow]:
    """Yield the rows in order, each split at its last `@`, with the given agreement; blank lines are skipped."""
    for line in text.lines():
        raw = line.rstrip(LINE_ENDS)
        sentence, separator, word = raw.rpartition("@")
        if separator:
            yield RawRow(sentence, word, raw, agreement=agreement)
        elif raw.strip():
            yield broken_row(raw, "no @ between sentence and label")


def raise_agreement(rows: Iterator[RawRow], levels: Levels) -> Iterator[RawRow]:
    """Give each row the highest level whose file holds it too; one occurrence there raises one row."""
    left = {level: Counter(_split_lines(content)) for level, content in sorted(levels.items())}
    for row in rows:
        reached = [level for level, lines in left.items() if lines[row.raw] > 0]
        for level in reached:
            left[level][row.raw] -= 1
        yield row._replace(agreement=reached[-1]) if reached else row


def _split_lines(content: bytes) -> Iterator[str]:
    return (line.rstrip(LINE_ENDS) for line in Text(content, ENCODING, is_sound=True).lines())


def _find(folder: Path, name: str) -> Path | None:
    found = [folder / name, *sorted(path for path in folder.glob(f"*/{name}") if path.parent.name != SYSTEM_FOLDER)]
    return next((path for path in found if path.is_file()), None)
