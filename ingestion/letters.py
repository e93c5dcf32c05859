"""Tells Windows's encodings of western (cp1252) and central Europe (cp1250) apart by the letters of their languages.

The same bytes are `£550m`, `Mærsk` and `ação` in the one and `Ł550m`, `Mćrsk` and `açăo` in the other, so that neither
looks wrong in itself. But all words of a Polish text have Polish letters in cp1250, and in cp1252 few have letters of
one language.
"""

import re
from collections.abc import Sequence
from typing import Literal

WESTERN = (
    *("àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àçèéíïòóúü", "áâãàçéêíóôõúü", "äöüß", "æøåéèêòóôäöü", "äåéöü", "áæéðíóöúýþ"),
    *("àéèìîòóù", "äõöüšž", "ëïéèêáóíüöç"),
)
"""Letters beyond ASCII of French, Spanish, Catalan, Portuguese, German, Danish and Norwegian, Swedish and Finnish,
Icelandic, Italian, Estonian, Dutch."""
CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž")
"""Those of Polish, Czech, Slovak, Hungarian, Romanian, and of Croatian, Slovene and Serbian."""

_NEARLY_ALL, _MOST = 0.95, 0.8
_WORD = re.compile(rb"[^\s,;\"@|]*[\x80-\xff][^\s,;\"@|]*")
_DAMAGED = re.compile(rb"[^\w\s.'&/():!?$%*\x80-\xff-]")
"""Signs that stand in no word: damaged text, such as `W+ñrtsil+ñ` for Wärtsilä, is of no language."""
_ENGLISH = re.compile(rb"\b(?:the|of|and|for|with|from|its|after)\b", re.IGNORECASE)
_WITHIN_WORDS = frozenset("\u2019\u2018\u00b4\u00b7-\u2013\u2014\u201c\u201d«»\u2026")
"""Apostrophes, dashes and quotation marks."""
_BEFORE_NUMBERS = frozenset("£¥¤")
_ORDINALS = frozenset("ªº")


def tell_apart(sample: bytes) -> Literal["cp1252", "cp1250"] | None:
    """The encoding in which most words with bytes beyond ASCII have letters of its languages; None if neither is.

    The words of a text are of one language. Only the western ones may be of several in a text with English words, where
    they are often names. If both encodings fit as well, it is the western one.
    """
    words = {word for word in _WORD.findall(sample) if not _DAMAGED.search(word)}
    western = [[_fits(word.decode("cp1252", "replace"), letters) for letters in WESTERN] for word in words]
    central = [[_fits(word.decode("cp1250", "replace"), letters) for letters in CENTRAL] for word in words]
    fitting = sum(map(any, western)) if _ENGLISH.search(sample) else _count(western)
    if _count(central) > max(fitting, _MOST * len(words)):
        return "cp1250"
    return "cp1252" if words and fitting >= _NEARLY_ALL * len(words) else None


def _count(fits: Sequence[Sequence[bool]]) -> int:
    """How many words fit the language that most of them fit, from whether each fits each language."""
    return max(map(sum, zip(*fits, strict=True)), default=0)


def _fits(word: str, letters: str) -> bool:
    """Whether all letters of a word beyond ASCII are of a language, and its signs stand where signs do."""
    padded = f" {word} "
    around = zip(padded, padded[1:], padded[2:], strict=False)
    return all(sign.isascii() or _is_in_place(before, sign, after, letters) for before, sign, after in around)


def _is_in_place(before: str, sign: str, after: str, letters: str) -> bool:
    if sign.isalpha() and sign not in _ORDINALS:
        return sign.lower() in letters and not (before.isdigit() or after.isdigit())
    if sign in _BEFORE_NUMBERS:
        return not after.isalpha()
    return sign in _WITHIN_WORDS or not (before.isalpha() and after.isalpha())
