"""Labels that are not a word in a column: how they are recognised, and how they can be read."""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from ingestion.cells import is_empty
from ingestion.label_groups import find_flags
from ingestion.labels import LabelWords, label_word, read_score
from schemas.label import LABELS
from schemas.source import DataSettings

_MOST_COLUMNS = 1_000
"""Most columns that are looked at."""
_SCORE_NAME = re.compile(r"sentiment|score|polarity|compound|label|target", re.IGNORECASE)
_FITTING = 0.5
"""Least share of the values that must have the shape."""
_MOST_CODES = 10
"""More different whole numbers than this are scores rather than codes of labels."""
ONE_LABEL = "fintone reads one label a headline"


def hint_at_shapes(names: Sequence[str], rows: Sequence[Sequence[Any]], settings: DataSettings) -> list[str]:
    """Describe what a table without a label column holds instead, each with the remedy.

    Args:
        names: The names of its columns.
        rows: Its first rows.
        settings: How it is read.
    """
    words = LabelWords.of(settings)
    columns = {name: _words_of(rows, place) for place, name in enumerate(names[:_MOST_COLUMNS])}
    hints = [
        f"{name!r} {shape}" for name, found in columns.items() if (shape := _describe_column(name, found, settings))
    ]
    labelled = [name for name, found in columns.items() if _share(words.knows(word) for word in found) >= _FITTING]
    if len(labelled) > 1 and not settings.label_columns:
        option = assign(settings, "label_columns", ",".join(labelled))
        hints.append(f"if each of {_list(labelled)} is an annotator's, use {option}")
    flags = find_flags(names, words)
    if flags and all(_are_scores(columns.get(names[place], [])) for place in flags.values()):
        hints.append(
            f"{_list([names[place] for place in flags.values()])} hold a score of each label, and {ONE_LABEL}: write "
            "the label with the highest one into a column of its own"
        )
    return hints


def describe_shape(found: Sequence[str], settings: DataSettings, column: str | None = None) -> str | None:
    """Describe the values of a column if most are not label words, with the remedy; None for any others.

    Args:
        found: Values, each once or as often as they occur.
        settings: How the source is read.
        column: The column if the remedy must name it.
    """
    if _share(word.lstrip().startswith("{") for word in found) >= _FITTING:
        return "holds objects whose values are not all labels: map their words with --label-map"
    if _share(word.lstrip().startswith("[") for word in found) >= _FITTING:
        option = assign(settings, "label_columns", "A,B,C")
        return f"holds a list of labels: write each annotator's into a column of its own, and name these with {option}"
    if settings.thresholds is None and _are_scores(found):
        scores = [score for word in found if (score := read_score(word)) is not None]
        named = "" if column is None else f"{assign(settings, 'label_column', column)} "
        bounds = "-0.1,0.1" if min(scores) < 0 and max(map(abs, scores)) <= 1 else "LOW,HIGH"
        return (
            f"holds scores from {min(scores):g} to {max(scores):g}: set below which they are negative and above which "
            f"positive, as in {named}{assign(settings, 'thresholds', bounds)}"
        )
    return None


def assign(settings: DataSettings, setting: str, value: str) -> str:
    """The option that sets a setting, quoted for a shell."""
    option, _, assignment = settings.option(setting, value).partition(" ")
    return f"{option} {shlex.quote(assignment)}"


def _describe_column(name: str, found: Sequence[str], settings: DataSettings) -> str | None:
    is_likely = _SCORE_NAME.search(name) if _are_scores(found) else _share(map(_names_label, found)) >= _FITTING
    return describe_shape(found, settings, name) if is_likely else None


def _words_of(rows: Sequence[Sequence[Any]], place: int) -> list[str]:
    return [label_word(row[place]) for row in rows if place < len(row) and not is_empty(row[place])]


def _names_label(word: str) -> bool:
    return any(label in word.casefold() for label in LABELS)


def _are_scores(found: Sequence[str]) -> bool:
    """Whether the values are numbers, some with decimals or too many different ones for codes."""
    scores = {score for word in found if (score := read_score(word)) is not None}
    if _share(read_score(word) is not None for word in found) < 1:
        return False
    return len(scores) > _MOST_CODES or any(not score.is_integer() for score in scores)


def _share(flags: Iterable[bool]) -> float:
    counted = list(flags)
    return sum(counted) / len(counted) if counted else 0.0


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r}"
