"""Chooses the labelled headlines of the train part that are shown before a headline.

The choice depends only on the text of the headline, the pool and the prompt's settings. A headline therefore has the
same examples in evaluation, in scoring and after an export, whatever other headlines are scored with it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from learning.prompt.question import Example, as_question
from schemas.cell import PromptSettings
from schemas.label import Label

AT_ONCE = 1_024
"""The most headlines whose examples are chosen together; this changes no choice."""
SIMILARITIES_AT_ONCE = 2**22
"""The most similarities that are held at once: 100 MB, however large the pool is. Its own vectors grow with it."""
DIGITS = 9
"""Digits of a similarity: two that differ only in rounding, as on two machines, are equal."""
SPARE = 4
"""Spare fixed examples of each label, which replace those that are near copies of the headline."""

Matcher = Callable[[Sequence[str], Sequence[str]], NDArray[np.bool_]]
"""Returns [N, M] for N and M texts: whether two are near copies of each other."""


@dataclass(frozen=True)
class Pool:
    """M labelled headlines from which examples are chosen, in any order."""

    texts: tuple[str, ...]
    labels: tuple[Label, ...]
    groups: tuple[str, ...]
    """The group of near copies of each headline."""

    def keep(self, places: Sequence[int]) -> "Pool":
        """Only the headlines at these places."""
        return Pool(
            tuple(self.texts[place] for place in places),
            tuple(self.labels[place] for place in places),
            tuple(self.groups[place] for place in places),
        )


class Chooser(Protocol):
    """Chooses the examples of headlines."""

    def choose(self, headlines: Sequence[str]) -> Iterator[tuple[Example, ...]]:
        """The examples of each headline, in the order in which they are shown; fewer if the pool is too small."""


def share_out(examples: int, labels: Sequence[Label], seed: int) -> dict[Label, int]:
    """How many of the fixed examples have each label: equally many of each; the labels of the rest are drawn."""
    present = sorted(set(labels), key=lambda label: _draw(seed, label))
    return {label: len(range(place, examples, len(present))) for place, label in enumerate(present)}


class FixedChooser:
    """Shows the same examples before every headline: balanced over the labels, one of each group of near copies.

    A spare example of the same label replaces one that is a near copy of the headline.
    """

    def __init__(self, pool: Pool, prompt: PromptSettings, match: Matcher) -> None:
        """Draw them from the pool."""
        self.match, self.seed = match, prompt.examples_seed
        self.needed = share_out(prompt.examples, pool.labels, self.seed)
        order = sorted(range(len(pool.texts)), key=lambda place: _draw(self.seed, pool.texts[place]))
        first = {pool.groups[place]: place for place in reversed(order)}
        drawn = [place for place in order if first[pool.groups[place]] == place]
        self.supply = Counter(pool.labels[place] for place in drawn)
        by_label = {label: [place for place in drawn if pool.labels[place] == label] for label in self.needed}
        kept = {place for label, places in by_label.items() for place in places[: self.needed[label] + SPARE]}
        groups = {pool.groups[place] for place in kept}
        members = [place for place in order if pool.groups[place] in groups]
        self.pool = pool.keep(members)
        """The candidates and their near copies, in the order of the draw; the choice depends on nothing else."""
        self.candidates = [members.index(place) for place in order if place in kept]

    def choose(self, headlines: Sequence[str]) -> Iterator[tuple[Example, ...]]:
        """See `Chooser`."""
        for near in _match_groups(headlines, self.pool, self.match):
            yield self._choose(near)

    @property
    def shown(self) -> tuple[Example, ...]:
        """The examples of a headline that is not a near copy of any."""
        return self._choose(np.zeros(len(self.pool.texts), dtype=bool))

    def _choose(self, near: NDArray[np.bool_]) -> tuple[Example, ...]:
        left, chosen = dict(self.needed), []
        for place in self.candidates:
            label = self.pool.labels[place]
            if left[label] and not near[place]:
                left[label] -= 1
                chosen.append(Example(self.pool.texts[place], label))
        return tuple(chosen)


class NearestChooser:
    """Shows the examples most similar to the headline: by the cosine of TF-IDF vectors of the pool's characters."""

    def __init__(self, pool: Pool, prompt: PromptSettings, match: Matcher) -> None:
        """Learn the weights of the pool's characters."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        order = sorted(range(len(pool.texts)), key=lambda place: _draw(prompt.examples_seed, pool.texts[place]))
        self.pool, self.match = pool.keep(order), match
        self.examples, self.seed = prompt.examples, prompt.examples_seed
        self.vectorizer: Any = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        self.vectors = self.vectorizer.fit_transform(self.pool.texts).T.tocsr()
        self.members: dict[str, list[int]] = {}
        for place, group in enumerate(self.pool.groups):
            self.members.setdefault(group, []).append(place)

    def choose(self, headlines: Sequence[str]) -> Iterator[tuple[Example, ...]]:
        """See `Chooser`."""
        at_once = max(1, min(AT_ONCE, SIMILARITIES_AT_ONCE // len(self.pool.texts)))
        for start in range(0, len(headlines), at_once):
            batch = headlines[start : start + at_once]
            similar = (self.vectorizer.transform(batch) @ self.vectors).toarray()
            similar.round(DIGITS, out=similar)
            for headline, places in zip(batch, self._find_nearest(batch, similar), strict=True):
                places.sort(key=lambda place: _draw(self.seed, f"{headline}\n{self.pool.texts[place]}"))
                yield tuple(Example(self.pool.texts[place], self.pool.labels[place]) for place in places)

    def _find_nearest(self, headlines: Sequence[str], similar: NDArray[np.float64]) -> list[list[int]]:
        """For each headline the places of the most similar texts that are no near copies of it.

        Only the most similar ones are compared with it, and more of them where too few are left.
        """
        found: list[list[int]] = [[] for _ in headlines]
        wanting, looked_at = list(range(len(headlines))), 2 * self.examples
        while wanting:
            nearest = [_find_largest(similar[row], looked_at) for row in wanting]
            groups = {self.pool.groups[place] for places in nearest for place in places}
            members = [member for group in groups for member in self.members[group]]
            at = {member: position for position, member in enumerate(members)}
            near = _match_groups([headlines[row] for row in wanting], self.pool.keep(members), self.match)
            for row, places, is_near in zip(wanting, nearest, near, strict=True):
                found[row] = [place for place in places if not is_near[at[place]]][: self.examples]
            is_all = looked_at >= len(self.pool.texts)
            wanting = [row for row in wanting if len(found[row]) < self.examples and not is_all]
            looked_at *= 4
        return found


def find_chooser(pool: Pool, prompt: PromptSettings, match: Matcher) -> FixedChooser | NearestChooser:
    """The chooser of a prompt that has examples."""
    kind = FixedChooser if prompt.examples_by == "fixed" else NearestChooser
    return kind(pool, prompt, match)


def ask(headlines: Sequence[str], chooser: Chooser | None) -> tuple[str, ...]:
    """The headlines with their examples, keeping context and instrument; unchanged without a chooser."""
    if chooser is None:
        return tuple(headlines)
    pairs = zip(headlines, chooser.choose(headlines), strict=True)
    return tuple(as_question(headline).with_examples(examples) for headline, examples in pairs)


def _match_groups(headlines: Sequence[str], pool: Pool, match: Matcher) -> Iterator[NDArray[np.bool_]]:
    """Yield [M] for each headline: whether each text of the pool, or one of its group, is a near copy of it."""
    numbers = {group: number for number, group in enumerate(dict.fromkeys(pool.groups))}
    group_of = np.array([numbers[group] for group in pool.groups], dtype=np.int64)
    for start in range(0, len(headlines), AT_ONCE):
        for near in match(headlines[start : start + AT_ONCE], pool.texts):
            yield np.isin(group_of, group_of[near]) if near.any() else near


def _find_largest(values: NDArray[np.float64], most: int) -> list[int]:
    """The places of the largest of M values, the first ones in a tie; faster than sorting all."""
    if most < len(values):
        least = np.partition(values, -most)[-most]
        places = np.flatnonzero(values >= least)
    else:
        places = np.arange(len(values))
    return [int(place) for place in places[np.argsort(-values[places], kind="stable")][:most]]


def _draw(seed: int, text: str) -> bytes:
    """The place of a text in a seeded order, the same on every machine."""
    return hashlib.sha256(f"{seed}:{text}".encode(errors="surrogatepass")).digest()
