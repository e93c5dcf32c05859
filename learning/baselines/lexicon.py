"""The finance lexicon: labels a headline by its words of good and of bad news.

The words are in `lexicon.yaml`. They were written for fintone with the train part of FinancialPhraseBank's paper split;
no other part was used, nor the generator of the synthetic headlines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from schemas.label import Label

Kind = Literal["metric", "loss", "direction", "opinion", "negator", "concession", "comparison", "idiom", "amount"]

GROUPS: dict[str, tuple[Kind, int]] = {
    "good_metrics": ("metric", 1),
    "losses": ("loss", -1),
    "bad_metrics": ("metric", -1),
    "other_metrics": ("metric", 0),
    "up": ("direction", 1),
    "down": ("direction", -1),
    "good": ("opinion", 1),
    "bad": ("opinion", -1),
    "negators": ("negator", 0),
    "concessions": ("concession", 0),
    "comparisons": ("comparison", 0),
    "idioms": ("idiom", 0),
}
"""Each list of `lexicon.yaml`: the kind of its words, and their sign."""

TOKEN = re.compile(r"[^\W\d_]+|\d[\d,]*(?:\.\d+)?|[.;:!?,%]")
"""A word, a number or a relevant punctuation mark."""

SENTENCE_ENDS = frozenset(".;:!?")
LONGEST_SENTENCE = 100
"""Most words of a sentence; longer ones are split, which keeps the time linear in the length of a text."""

THOUSANDS = dict.fromkeys(("thousand", "k"), 1e3)
MILLIONS = dict.fromkeys(("m", "mn", "mln", "million"), 1e6)
BILLIONS = dict.fromkeys(("bn", "bln", "billion"), 1e9)
UNITS = {**dict.fromkeys(("%", "pct", "percent"), 1.0), **THOUSANDS, **MILLIONS, **BILLIONS}
CURRENCIES = frozenset({"eur", "euro", "euros", "usd", "gbp", "chf", "jpy", "sek", "nok", "dkk"})

NEGATION_REACH = 3
"""How many words after a negator it may reverse."""

METRIC_REACH = 5
"""Most words between a direction and its metric, as in "a decrease in the company's net sales"."""

WEIGHT = 2
"""Weight of a metric's move; a good or bad word has weight 1: "costs rose" is more informative than "efficient"."""


@dataclass(frozen=True)
class Mark:
    """A phrase of the lexicon, or an amount, in a sentence: words `start` to `stop`."""

    kind: Kind
    value: float
    start: int
    stop: int


@dataclass(frozen=True)
class Signal:
    """The news at one place of a sentence: above 0 good, below 0 bad."""

    place: int
    value: float
    metric: Mark | None = None


def label_headline(text: str) -> Label:
    """Positive if good news outweighs bad, negative if bad outweighs good, else neutral.

    In each sentence a metric and its direction make a signal ("profit rose" good, "costs rose" and "profit fell" bad,
    "loss narrowed" good), and so does a good or bad word; a negator reverses them; a concession ("although ...")
    counts only if the rest has no signal. Two amounts replace a direction ("EUR 5 mn, compared to EUR 3 mn"),
    and a profit compared with an earlier loss decides its sentence, as does a loss compared with an earlier profit.
    """
    score = sum(_score_sentence(sentence) for sentence in _split_sentences(text))
    if not score:
        return Label.NEUTRAL
    return Label.POSITIVE if score > 0 else Label.NEGATIVE


@cache
def load_phrases() -> dict[tuple[str, ...], tuple[Kind, int]]:
    """The words of each phrase of `lexicon.yaml`, with its kind and sign."""
    groups = yaml.safe_load(files("learning.baselines").joinpath("lexicon.yaml").read_text(encoding="utf-8"))
    return {tuple(phrase.split()): GROUPS[group] for group, phrases in groups.items() for phrase in phrases}


@cache
def _longest_phrase() -> int:
    return max(map(len, load_phrases()))


def _split_sentences(text: str) -> Iterator[list[str]]:
    """Lower-case words, numbers and commas of each sentence; "n't" is "not", and `13 .6` one number."""
    text = re.sub(r"n['\u2019]t\b", " not", text.casefold())
    sentence: list[str] = []
    for token in TOKEN.findall(re.sub(r"(\d) \.(\d)", r"\1.\2", text)):
        if token not in SENTENCE_ENDS:
            sentence.append(token)
        if token in SENTENCE_ENDS or len(sentence) == LONGEST_SENTENCE:
            yield sentence
            sentence = []
    yield sentence


def _score_sentence(words: list[str]) -> float:
    marks = _find_marks(words)
    turn = _find_turn(marks)
    if turn:
        return turn * WEIGHT
    signals = list(_find_moves(words, marks)) or list(_compare_amounts(marks))
    signals += _find_losses(marks, {signal.metric for signal in signals})
    signals += [Signal(mark.start, mark.value * _negation(marks, mark)) for mark in _only(marks, "opinion")]
    conceded = {place for mark in _only(marks, "concession") for place in _to_next_comma(words, mark.stop)}
    weighty = [signal for signal in signals if signal.place not in conceded]
    return sum(signal.value for signal in weighty or signals)


def _find_marks(words: list[str]) -> list[Mark]:
    """The longest phrase that begins at each word outside of earlier phrases."""
    phrases, longest = load_phrases(), _longest_phrase()
    marks: list[Mark] = []
    place = 0
    while place < len(words):
        lengths = range(min(longest, len(words) - place), 0, -1)
        length = next((length for length in lengths if tuple(words[place : place + length]) in phrases), 0)
        if length:
            marks.append(Mark(*phrases[tuple(words[place : place + length])], place, place + length))
        elif (amount := _read_amount(words, place)) is not None:
            marks.append(Mark("amount", amount, place, place + 1))
        place += length or 1
    return marks


def _read_amount(words: list[str], place: int) -> float | None:
    """A number with a unit after it or a currency before it; a year or a date is not one."""
    if not words[place].replace(",", "").replace(".", "", 1).isdecimal():  # `²` is a digit but not a number
        return None
    unit = UNITS.get(words[place + 1]) if place + 1 < len(words) else None
    if unit is None and words[max(place - 1, 0)] not in CURRENCIES:
        return None
    return float(words[place].replace(",", "")) * (unit or 1.0)


def _find_turn(marks: list[Mark]) -> int:
    """1 for a good metric compared with an earlier loss, -1 for a loss compared with an earlier profit, else 0."""
    metrics = [mark for mark in marks if mark.kind in {"metric", "loss"} and mark.value]
    for comparison in _only(marks, "comparison"):
        now = [mark for mark in metrics if mark.stop <= comparison.start]
        was = [mark for mark in metrics if 0 <= mark.start - comparison.stop < NEGATION_REACH]
        if now and was and "loss" in (now[-1].kind, was[0].kind) and now[-1].value != was[0].value:
            return 1 if now[-1].value > 0 else -1
    return 0


def _find_moves(words: list[str], marks: list[Mark]) -> Iterator[Signal]:
    """A signal for each direction; one without a metric counts as that of a share, an index or a business."""
    for direction in _only(marks, "direction"):
        metric = _find_metric(words, marks, direction)
        value = direction.value * _negation(marks, direction)
        yield Signal(direction.start, WEIGHT * metric.value * value if metric else value, metric)


def _find_metric(words: list[str], marks: list[Mark], direction: Mark) -> Mark | None:
    """The metric that follows directly or after "in" or "of", else the last one before the direction."""
    metrics = [mark for mark in marks if mark.kind in {"metric", "loss"}]
    following = next((mark for mark in metrics if mark.start >= direction.stop), None)
    if following:
        between = words[direction.stop : following.start]
        linked = between[:1] in (["in"], ["of"]) and len(between) < METRIC_REACH and "," not in between
        if linked or between in ([], ["the"], ["its"], ["their"], ["our"]):
            return following
    return next((mark for mark in reversed(metrics) if mark.stop <= direction.start), None)


def _compare_amounts(marks: list[Mark]) -> Iterator[Signal]:
    """A signal for each comparison that has a metric and its amount before it, and another amount after it."""
    for comparison in _only(marks, "comparison"):
        before = [mark for mark in marks if mark.stop <= comparison.start]
        metrics = [mark for mark in before if mark.kind in {"metric", "loss"}]
        now, was = _only(before, "amount"), [mark for mark in _only(marks, "amount") if mark.start >= comparison.stop]
        if metrics and now and was:
            rise = (now[-1].value > was[0].value) - (now[-1].value < was[0].value)
            yield Signal(comparison.start, WEIGHT * metrics[-1].value * rise, metrics[-1])


def _find_losses(marks: list[Mark], moved: set[Mark | None]) -> Iterator[Signal]:
    """A loss without a direction is bad news."""
    for loss in _only(marks, "loss"):
        if loss not in moved:
            yield Signal(loss.start, loss.value * _negation(marks, loss))


def _negation(marks: list[Mark], turned: Mark) -> int:
    """-1 if a negator is shortly before the mark, else 1."""
    return -1 if any(0 <= turned.start - mark.stop < NEGATION_REACH for mark in _only(marks, "negator")) else 1


def _only(marks: list[Mark], kind: Kind) -> list[Mark]:
    return [mark for mark in marks if mark.kind == kind]


def _to_next_comma(words: list[str], start: int) -> range:
    return range(start, words.index(",", start) if "," in words[start:] else len(words))
