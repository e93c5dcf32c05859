"""A label map to paste for unknown words, filled in for words that can only mean one label."""

import re
from collections.abc import Iterable

from schemas.label import Label, fold_word
from schemas.source import DataSettings

_PLAIN = re.compile(r"(?!(?:null|true|false|yes|no|on|off)$)[^\W\d_][\w -]*|-?[0-9]+")
PLACEHOLDER = "LABEL"
"""Stands for a label that only the user knows."""

_MEANT = {
    Label.POSITIVE: ("pos", "bullish", "bull", "up", "good", "+"),
    Label.NEGATIVE: ("neg", "bearish", "bear", "down", "bad", "-", "-1"),
    Label.NEUTRAL: ("neu", "neut", "flat"),
}
_MEANS = {fold_word(word): label for label, words in _MEANT.items() for word in words}
"""Words of other vocabularies that mean one label and nothing else."""


def spell_map(words: Iterable[str], data: DataSettings) -> str:
    """A label map as YAML in one line: the words of the settings, and the unknown words with what they may mean.

    The empty word, which is no label, maps to null: its rows are left out.
    """
    known: dict[str, str] = {word: label or "null" for word, label in (data.label_map or {}).items()}
    unknown = list(words)
    folded = {fold_word(word) for word in unknown}
    ternary = {"-1": Label.NEGATIVE, "0": Label.NEUTRAL, "1": Label.POSITIVE} if "-1" in folded else {}
    for word in unknown:
        label = (_MEANS | ternary).get(fold_word(word), PLACEHOLDER if word else "null")
        known.setdefault(fold_word(word) if fold_word(word) in ternary else word, label)
    return "{" + ", ".join(f"{_spell(word)}: {label}" for word, label in known.items()) + "}"


def _spell(word: str) -> str:
    """A word as YAML reads it within braces."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
