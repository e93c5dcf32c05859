r"""Bytes in, text and the name of its encoding out. A byte that cannot be read is never replaced.

A file is decoded piece by piece, so that a large one is never in memory twice. Bytes that are invalid in its encoding
become lone surrogates (Python's `surrogateescape`), and `escape_bytes` shows them as `\xNN`.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from charset_normalizer import CharsetMatch, from_bytes

from ingestion.letters import tell_apart
from schemas.errors import InputError
from schemas.listing import cut
from schemas.source import DataSettings

LEGACY_ENCODINGS = ("cp1252", "latin_1", "cp1251", "cp850", "mac_roman", "shift_jis", "gb18030")
"""Legacy encodings that are detected by the text; if two fit equally well, the earlier one is taken.

That of central Europe, cp1250, is detected by its letters alone: English text with names looks as tidy in it.
"""

_WINDOWS = {"cp1252", "latin_1"}
_CLEARLY = 0.1
"""How much less chaos (0 to 1) another encoding must show to be preferred to one of Windows's Latin encodings.

A few letters or currency signs in English text say little: read as Mac or DOS text they can look slightly tidier.
"""

HEAD_CHARACTERS = 65_536
SAMPLE_CHARACTERS = 1_000_000
"""Characters of a text that decide its layout; a longer first line is used whole."""
LINE_ENDS = "\r\n"

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PIECE = 1 << 20
_SAMPLED_LINES, _SAMPLED_BYTES = 20_000, 65_536
_SHOWN_CHARACTERS = 40
_ODD_BYTE = re.compile(rb"[\x80-\xff]")
_LINE_END = re.compile(rb"[\r\n]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_OF_FILES = {
    "idna",
    "mbcs",
    "oem",
    "palmos",
    "punycode",
    "raw-unicode-escape",
    "undefined",
    "unicode-escape",
    "utf-7",
}
"""Python's own codecs and utf-7, which spell characters in ASCII or depend on the machine; no file uses them."""


class EncodingError(InputError):
    """The bytes of a source are not text in the given encoding, or in any that is recognised."""


@dataclass(frozen=True)
class Text:
    """Bytes with their encoding; `is_sound` is whether all of them are valid in it."""

    content: bytes
    encoding: str
    is_sound: bool
    is_live: ClassVar[bool] = False
    """Whether its lines arrive one after the other."""

    def lines(self) -> Iterator[str]:
        r"""Yield each line with its end: LF, CR LF or a lone CR; no other character ends one."""
        lines = iter(self._open())
        for first in islice(lines, 1):
            yield first.removeprefix("\ufeff")
        yield from lines

    def head(self) -> str:
        """The first characters."""
        return self._open().read(HEAD_CHARACTERS).removeprefix("\ufeff")

    def whole(self) -> str:
        """All characters."""
        return self._open().read().removeprefix("\ufeff")

    def first_line(self) -> str:
        """The first line that is not blank, without its end; empty when there is none."""
        return next((line.rstrip(LINE_ENDS) for line in self.lines() if line.strip()), "")

    def first_lines(self, count: int) -> list[str]:
        """The first lines with their ends: `count` that are not blank, or fewer if these have very many characters."""
        lines: list[str] = []
        characters = 0
        for line in self.lines():
            lines.append(line)
            characters += len(line)
            count -= bool(line.strip())
            if count <= 0 or characters >= SAMPLE_CHARACTERS:
                break
        return lines

    def _open(self) -> io.TextIOWrapper:
        errors = "strict" if self.is_sound else "surrogateescape"
        return io.TextIOWrapper(io.BytesIO(self.content), encoding=self.encoding, errors=errors, newline="")


def decode(content: bytes, source: str, settings: DataSettings, legacy: str | None = None) -> Text:
    """Find the encoding of a source, and whether all bytes are valid in it.

    Args:
        content: The bytes.
        source: The source, for the error.
        settings: How it is read. If `encoding` is None, it is UTF-16 or UTF-32 if their marks or zeros show it, UTF-8
            if most lines with bytes beyond ASCII are valid UTF-8, else a legacy encoding.
        legacy: The encoding of bytes that are not Unicode, where the format fixes it; detected if None.

    Raises:
        EncodingError: If the encoding is unknown, or has two or four bytes a character and the bytes are invalid in it.
    """
    name = settings.encoding or _detect(content, source, settings, legacy)
    check_encoding(name)
    sound = is_sound(content, name)
    if not sound and not is_made_of_bytes(name):
        setting = settings.call("encoding")
        raise EncodingError(f"source {source!r} is not valid text in {name!r}: set {setting} to its encoding")
    return Text(content, name, sound)


def check_encoding(name: str) -> None:
    """Check that a name is a text encoding in which files are written.

    Raises:
        EncodingError: Python has no codec of that name, or only one for something else, such as `rot13` or `idna`.
    """
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):  # a name with a NUL character is a ValueError
        codec = None
    is_text = codec is not None and codec._is_text_encoding and codec.incrementaldecoder is not None  # noqa: SLF001
    if codec is None or not is_text or codec.name.replace("_", "-") in _NOT_OF_FILES:
        shown = cut(name, _SHOWN_CHARACTERS)
        raise EncodingError(f"encoding {shown!r} is not a known text encoding: try utf-8, cp1252 or utf-16")


def has_foreign_bytes(text: str) -> bool:
    """Whether a text from an unsound source holds bytes that are invalid in its encoding."""
    return _SURROGATE.search(text) is not None


def escape_bytes(text: str, encoding: str) -> str:
    r"""The text with bytes that are invalid in its encoding shown as `\xNN`."""
    return _SURROGATE.sub(lambda sign: ascii(sign.group().encode(encoding, "surrogateescape"))[2:-1], text)


def is_sound(content: bytes, encoding: str) -> bool:
    """Whether all bytes are valid text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _PIECE):
            decoder.decode(content[start : start + _PIECE]).encode()  # some decode to half a surrogate pair
        decoder.decode(b"", final=True).encode()
    except UnicodeError:
        return False
    return True


def is_made_of_bytes(encoding: str) -> bool:
    """Whether the encoding contains ASCII unchanged, so that one wrong byte leaves its neighbours readable."""
    try:
        return b"a,\n\xff".decode(encoding, "surrogateescape")[:3] == "a,\n"
    except (UnicodeError, ValueError):
        return False


def _detect(content: bytes, source: str, settings: DataSettings, legacy: str | None) -> str:
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None) or find_wide(content)
    if marked:
        return marked
    if is_sound(content, "utf-8"):
        return "utf-8"
    lines = list(islice(_odd_lines(content), _SAMPLED_LINES))
    if sum(_is_meant_as_utf8(line) for line in lines) * 2 > len(lines):
        return "utf-8"
    found = legacy or _detect_legacy(b"\n".join(lines)[:_SAMPLED_BYTES])
    if found is None:
        raise EncodingError(f"source {source!r} is not text in any known encoding: set {settings.call('encoding')}")
    return found


def _odd_lines(content: bytes) -> Iterator[bytes]:
    """Yield the lines with a byte beyond ASCII, in time that is linear in the size."""
    place = 0
    while odd := _ODD_BYTE.search(content, place):
        before = max(content.rfind(end, place, odd.start()) for end in (b"\n", b"\r"))
        end = _LINE_END.search(content, odd.end())
        stop = len(content) if end is None else end.start()
        yield content[place if before < 0 else before + 1 : stop]
        place = stop


def _is_meant_as_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8, apart from lone surrogates that a careless program wrote."""
    try:
        line.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return False
    return True


def find_wide(content: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain letters is zero."""
    head = content[:HEAD_CHARACTERS]
    even, odd = head[::2].count(0), head[1::2].count(0)
    most = len(head) // 2
    if most and max(even, odd) * 3 > most and min(even, odd) * 20 < most:
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _detect_legacy(sample: bytes) -> str | None:
    found = tell_apart(sample)
    if found:
        return found
    matches = list(from_bytes(sample, cp_isolation=list(LEGACY_ENCODINGS)))
    if not matches:
        return None
    least = min(match.chaos for match in matches)
    likely = [match for match in matches if _is_windows(match) and match.chaos <= least + _CLEARLY]
    best = min(likely or matches, key=lambda match: (match.chaos, -match.coherence, _preference(match)))
    return LEGACY_ENCODINGS[_preference(best)]


def _is_windows(match: CharsetMatch) -> bool:
    return not _WINDOWS.isdisjoint(match.could_be_from_charset)


def _preference(match: CharsetMatch) -> int:
    """The place of the first encoding that reads the bytes as the same text."""
    return min(LEGACY_ENCODINGS.index(name) for name in match.could_be_from_charset if name in LEGACY_ENCODINGS)
