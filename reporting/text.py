"""Texts of any origin as a reader can see them."""

import unicodedata
from collections.abc import Sequence

JOINERS = "\u200c\u200d"
"""The zero width non-joiner, which Persian words have, and the joiner, which emoji of several persons have."""
_JOINED = {"Lo", "Mn", "Mc", "So", "Sk"}
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """A text on one line; invisible characters, and those that control a display or text direction, are spelt out.

    Joiners stay where they belong: between the parts of an emoji, and between letters of scripts that join them.
    """
    return "".join(
        " " if char in "\n\r\t" else f"<U+{ord(char):04X}>" if _is_hidden(text, place) else char
        for place, char in enumerate(text)
    )


def _is_hidden(text: str, place: int) -> bool:
    if unicodedata.category(text[place]) not in _HIDDEN:
        return False
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return not (
        text[place] in JOINERS and len(around) > 1 and {unicodedata.category(char) for char in around} <= _JOINED
    )


def format_temperature(temperature: float) -> str:
    """A temperature as charts name it, `T = 0.1`, which no line break splits."""
    return f"T\u00a0=\u00a0{temperature:g}"


def join_names(names: Sequence[str]) -> str:
    """Several names as one: `lr=1e-03 epochs=1, 3` where they differ in one setting only, else one after the other."""
    words = [name.split() for name in names]
    if len({len(each) for each in words}) == 1:
        differing = [place for place, own in enumerate(zip(*words, strict=True)) if len(set(own)) > 1]
        if len(differing) == 1:
            [place] = differing
            keys = {each[place].partition("=")[0] for each in words}
            if len(keys) == 1 and all("=" in each[place] for each in words):
                values = ", ".join(each[place].partition("=")[2] for each in words)
                return " ".join([*words[0][:place], f"{keys.pop()}={values}", *words[0][place + 1 :]])
    return "; ".join(names)
