"""Texts that were damaged on their way here: read in the wrong encoding, or left with HTML entities.

The text of a headline is kept as it came. What is repaired here only serves to count damaged rows and to find copies.
"""

REPLACEMENT_CHARACTER = "\ufffd"


def looks_damaged(text: str) -> bool:
    """Whether a text has a replacement character (U+FFFD), mojibake, or an HTML entity that was never decoded.

    Mojibake, such as `SociÃ©tÃ©`, is UTF-8 that was decoded as another encoding, once or several times. It is told by
    ftfy's heuristic, which is made to leave sound text alone.
    """
    from ftfy.badness import is_bad

    if decode_entities(text) != text:
        return True
    return not text.isascii() and (REPLACEMENT_CHARACTER in text or bool(is_bad(text)))


def repair_text(text: str) -> str:
    """The text with HTML entities decoded and mojibake undone; the same text where there is nothing to repair.

    Entities need their semicolon: `AT&T` and `R&D` are text.
    """
    text = decode_entities(text)
    if text.isascii():
        return text
    from ftfy import fix_encoding

    return fix_encoding(text)


def decode_entities(text: str) -> str:
    """The text with HTML entities decoded, twice, because many feeds escape what was escaped already (`&amp;amp;`)."""
    if "&" not in text:
        return text
    from ftfy.fixes import unescape_html

    return unescape_html(unescape_html(text))
