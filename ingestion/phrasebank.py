"""FinancialPhraseBank as released (Malo et al. 2014): the archive, its unpacked folder, one of its files.

Knows the names, the encoding and the form `sentence@label` of its files. Judges no label.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ingestion.archives import describe_files, list_files, read_member
from ingestion.labels import LabelWords
from ingestion.lines import LINE_ENDS, first_line, iter_lines
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

_JUNK_FOLDER = "__MACOSX"


class PhraseBankError(InputError):
    """FinancialPhraseBank lacks the file for an agreement level."""


def is_archive(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive holds one of the files."""
    return any(PurePosixPath(name).name in FILE_NAMES.values() for name in list_files(archive))


def read_archive(archive: zipfile.ZipFile, source: str, agreement: int) -> bytes:
    """The bytes of the archive's file for an agreement level, wherever in the archive it lies.

    Raises:
        PhraseBankError: If the archive has no such file.
        ArchiveError: If the file is damaged.
    """
    files = list_files(archive)
    wanted = next((name for name in files if PurePosixPath(name).name == FILE_NAMES[agreement]), None)
    if wanted is None:
        raise PhraseBankError(
            f"source {source!r} is a zip without {FILE_NAMES[agreement]}, it holds {describe_files(files)}: "
            "set data.agreement to a file that is there"
        )
    return read_member(archive, wanted, source)


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
            "set data.agreement to a file that is there"
        )
    return file


def is_phrasebank_text(text: str, words: LabelWords) -> bool:
    """Whether the first line has the form `sentence@label`."""
    _, separator, word = first_line(text).rpartition("@")
    return bool(separator) and words.knows(word)


def read_phrasebank_text(text: str) -> Iterator[RawRow]:
    """Yield the rows in order, each split at its last `@`; blank lines are none."""
    for line in iter_lines(text):
        raw = line.rstrip(LINE_ENDS)
        sentence, separator, word = raw.rpartition("@")
        if separator:
            yield RawRow(sentence, word, raw)
        elif raw.strip():
            yield broken_row(raw, "no @ between sentence and label")


def _find(folder: Path, name: str) -> Path | None:
    found = [folder / name, *sorted(path for path in folder.glob(f"*/{name}") if path.parent.name != _JUNK_FOLDER)]
    return next((path for path in found if path.is_file()), None)
