"""Texts of any origin as a reader can see them."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """A text on one line, with what shows nothing, or would steer a screen or the direction of writing, spelt out."""
    return "".join(
        " " if sign in "\n\r\t" else f"<U+{ord(sign):04X}>" if unicodedata.category(sign) in _HIDDEN else sign
        for sign in text
    )
