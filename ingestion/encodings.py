"""Bytes in, text and the name of its encoding out. Knows nothing of formats; never replaces a byte it cannot read."""

import codecs

from charset_normalizer import CharsetMatch, from_bytes

from schemas.errors import InputError

LEGACY_ENCODINGS = ("cp1252", "latin_1", "cp1250", "cp1251", "cp850", "mac_roman", "shift_jis", "gb18030")
"""Encodings that are told apart by their text; where two explain it equally well, the earlier one."""


class EncodingError(InputError):
    """The bytes of a source are not text in the encoding given, or in any that is recognised."""


def decode(content: bytes, source: str, encoding: str | None, legacy: str | None = None) -> tuple[str, str]:
    """Decode the bytes of a source strictly.

    Args:
        content: The bytes.
        source: The source, for the error.
        encoding: The encoding; when None, UTF-16 by its mark, UTF-8 if the bytes are valid, else a legacy one.
        legacy: The encoding of bytes that are no Unicode, where the format fixes it; detected when None.

    Returns:
        The text, without a byte order mark, and the name of the encoding.

    Raises:
        EncodingError: If the encoding is unknown or the bytes are not text in it.
    """
    name = encoding or _detect(content, source, legacy)
    try:
        text = content.decode(name).removeprefix("\ufeff")
        text.encode()  # some encodings can spell half a character, which nothing after this could store
    except LookupError:
        raise EncodingError(f"encoding {name!r} is not a known text encoding: try utf-8, cp1252 or utf-16") from None
    except UnicodeError as error:
        raise EncodingError(
            f"source {source!r} cannot be read as {name!r} ({error}): set data.encoding to its own"
        ) from None
    return text, name


def _detect(content: bytes, source: str, legacy: str | None) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        content.decode()
    except UnicodeDecodeError:
        return legacy or _detect_legacy(content, source)
    return "utf-8"


def _detect_legacy(content: bytes, source: str) -> str:
    matches = list(from_bytes(content, cp_isolation=list(LEGACY_ENCODINGS)))
    if not matches:
        raise EncodingError(f"source {source!r} is not text in any encoding known: set data.encoding")
    best = min(matches, key=lambda match: (match.chaos, -match.coherence, _preference(match)))
    return LEGACY_ENCODINGS[_preference(best)]


def _preference(match: CharsetMatch) -> int:
    """The place of the first encoding that reads the bytes as the same text."""
    return min(LEGACY_ENCODINGS.index(name) for name in match.could_be_from_charset if name in LEGACY_ENCODINGS)
