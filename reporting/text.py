"""Texts of any origin as a reader can see them."""

import unicodedata
from collections.abc import Sequence

NON_JOINER, JOINER = "\u200c", "\u200d"
"""Words in Arabic and Indic scripts have the first; emoji of several parts, and letters after a virama, the second."""
_INDIC = {"Lo", "Mn", "Mc"}
_JOINED = {"So", "Sk", "Mn"}
"""An emoji, its skin tone, and its variation selector or a virama."""
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
    before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    if text[place] == NON_JOINER:
        return not (_is_arabic(before) or _is_arabic(after) or {_category(before), _category(after)} <= _INDIC)
    if text[place] == JOINER:
        return not (_category(before) in _JOINED and _category(after) in {"So", "Lo"})
    return True


def _is_arabic(char: str) -> bool:
    return char != "" and unicodedata.bidirectional(char) == "AL"


def _category(char: str) -> str:
    return unicodedata.category(char) if char else ""


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
