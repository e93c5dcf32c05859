"""FinancialPhraseBank as released (Malo et al. 2014): the archive, its unpacked folder, one of its files.

Knows the names, the encoding and the form `sentence@label` of its files. Judges no label.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

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
_SHOWN_MEMBERS = 5


class PhraseBankError(InputError):
    """An archive or a folder is not FinancialPhraseBank."""


def is_archive(content: bytes) -> bool:
    """Whether the bytes begin like a zip archive."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_archive(content: bytes, source: str, agreement: int) -> bytes:
    """The bytes of the archive's file for an agreement level, wherever in the archive it lies.

    Raises:
        PhraseBankError: If the archive is broken or has no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [name for name in archive.namelist() if not name.endswith("/") and not _is_junk(name)]
            wanted = next((name for name in files if PurePosixPath(name).name == FILE_NAMES[agreement]), None)
            if wanted is not None:
                return archive.read(wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise PhraseBankError(
            f"source {source!r} is a zip that cannot be read ({error}): unpack it, or get it again"
        ) from None
    raise PhraseBankError(
        f"source {source!r} is a zip without {FILE_NAMES[agreement]}, it holds {_shorten(files)}: "
        "unpack it and give the file, or give the archive of FinancialPhraseBank"
    )


def find_file(folder: Path, agreement: int) -> Path:
    """The file for an agreement level in an unpacked folder or one of its folders.

    Raises:
        PhraseBankError: If there is none.
    """
    name = FILE_NAMES[agreement]
    found = [folder / name, *sorted(path for path in folder.glob(f"*/{name}") if path.parent.name != _JUNK_FOLDER)]
    file = next((path for path in found if path.is_file()), None)
    if file is None:
        raise PhraseBankError(
            f"source {str(folder)!r} is a folder without {name}: give a file, or the folder of FinancialPhraseBank"
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


def _is_junk(member: str) -> bool:
    """Whether a member is what macOS adds to an archive."""
    return _JUNK_FOLDER in PurePosixPath(member).parts


def _shorten(files: list[str]) -> str:
    more = f" and {len(files) - _SHOWN_MEMBERS} more" if len(files) > _SHOWN_MEMBERS else ""
    return (", ".join(map(repr, files[:_SHOWN_MEMBERS])) or "nothing") + more
