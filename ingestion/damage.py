"""Damaged texts: decoded with the wrong encoding, or left with HTML entities.

The text of a headline is stored unchanged. Repaired text is used only to count damaged rows and to find copies.
"""

import re

REPLACEMENT_CHARACTER = "\ufffd"

_OTHER_THAN_LETTERS = "[\u0080-\u00bf\u00d7\u00f7\u0100-\u25ff]"
MAY_BE_MOJIBAKE = f"[\u0080-\u009f]|[ÂÃ] |[^\\x00-\\x7f]{_OTHER_THAN_LETTERS}|{_OTHER_THAN_LETTERS}[^\\x00-\\x7f]"
"""Mojibake turns one character into two or more outside ASCII, not all of them letters from À to ÿ; one may be a space.

Searching for this is several times faster than ftfy's check, and few sound texts match. The pattern works in Python's
`re` and in RE2.
"""

_may_be_mojibake = re.compile(MAY_BE_MOJIBAKE).search


def looks_damaged(text: str) -> bool:
    """Whether a text has a replacement character (U+FFFD), mojibake, or an HTML entity that was never decoded.

    Mojibake, such as `SociÃ©tÃ©`, is UTF-8 that was decoded as another encoding, once or several times. It is found
    by ftfy's heuristic, which is designed to leave sound text unchanged.
    """
    if REPLACEMENT_CHARACTER in text or decode_entities(text) != text:
        return True
    if text.isascii() or not _may_be_mojibake(text):
        return False
    from ftfy.badness import is_bad

    return bool(is_bad(text))


def repair_text(text: str) -> str:
    """The text with HTML entities decoded and mojibake undone; the same text if there is nothing to repair.

    Entities need their semicolon: `AT&T` and `R&D` are text.
    """
    text = decode_entities(text)
    if text.isascii() or not _may_be_mojibake(text):
        return text
    from ftfy import fix_encoding

    return fix_encoding(text)


def decode_entities(text: str) -> str:
    """The text with HTML entities decoded, twice, because many feeds escape what was escaped already (`&amp;amp;`)."""
    if "&" not in text:
        return text
    from ftfy.fixes import unescape_html

    return unescape_html(unescape_html(text))
