"""Which examples are shown: balanced or most similar, seeded, and never the headline itself or a near copy of it."""

from collections import Counter
from functools import partial
from random import Random

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from embedded.grammar import generate_headline
from ingestion.near_duplicates import group_near_copies, match_near_copies
from learning.prompt.choice import Matcher, Pool, ask, find_chooser, share_out
from learning.prompt.question import Example, examples_of
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label

MATCH: Matcher = partial(match_near_copies, measure="reworded")


def make_pool(number: int = 60, seed: int = 1) -> Pool:
    random = Random(seed)
    made = [generate_headline(random) for _ in range(number)]
    texts = [headline.text for headline in made]
    groups = tuple(str(group) for group in group_near_copies(texts, "reworded"))
    return Pool(tuple(texts), tuple(Label(headline.sentiment) for headline in made), groups)


POOL, OTHERS = make_pool(), make_pool(12, seed=2).texts


def choose(texts: tuple[str, ...], pool: Pool = POOL, **prompt: object) -> list[tuple[Example, ...]]:
    chooser = find_chooser(pool, PromptSettings.model_validate(prompt), MATCH)
    return [examples_of(headline) for headline in ask(texts, chooser)]


@pytest.mark.parametrize("number", [1, 2, 3, 7, 12])
def test_fixed_examples_are_the_same_for_all_and_balanced_as_far_as_their_number_allows(number: int) -> None:
    [first, *rest] = choose(OTHERS, examples=number)
    assert len(first) == number
    assert all(other == first for other in rest)
    counts = Counter(example.label for example in first)
    assert max(counts.values()) - min(counts[label] for label in LABELS) <= 1
    assert share_out(number, POOL.labels, 42) == {label: counts[label] for label in share_out(number, POOL.labels, 42)}


def test_fixed_examples_are_balanced_however_rare_a_label_is() -> None:
    rare = POOL.labels.index(Label.NEGATIVE)
    kept = [place for place, label in enumerate(POOL.labels) if label != Label.NEGATIVE or place == rare]
    for seed in range(5):
        [shown] = choose(OTHERS[:1], POOL.keep(kept), examples=3, examples_seed=seed)
        assert sorted(example.label for example in shown) == sorted(LABELS)


def test_of_a_group_of_near_copies_one_is_a_fixed_example() -> None:
    texts = tuple(f"{word} rose by {number} %" for word in ("Sales", "Costs", "Output") for number in range(1, 9))
    groups = tuple(text.split()[0] for text in texts)
    pool = Pool(texts, (Label.POSITIVE,) * len(texts), groups)
    for seed in range(5):
        [shown] = choose(("It failed",), pool, examples=6, examples_seed=seed)
        assert sorted(example.headline.split()[0] for example in shown) == ["Costs", "Output", "Sales"]


def test_nearest_examples_are_the_most_similar() -> None:
    pool = Pool(
        ("Nokia wins a large order in India", "Rain is forecast for Monday", "Nokia loses an order in Brazil"),
        (Label.POSITIVE, Label.NEUTRAL, Label.NEGATIVE),
        ("a", "b", "c"),
    )
    [shown] = choose(("Nokia wins order in China from a carrier",), pool, examples=2, examples_by="nearest")
    assert {example.headline for example in shown} == {pool.texts[0], pool.texts[2]}


@pytest.mark.parametrize("by", ["fixed", "nearest"])
def test_neither_a_headline_nor_a_near_copy_of_it_is_its_example(by: str) -> None:
    copies = tuple(text.replace("rose", "rose clearly").upper() for text in POOL.texts)
    for headlines in (POOL.texts, copies):
        near = MATCH(headlines, POOL.texts)
        for shown, near_row in zip(choose(headlines, examples=6, examples_by=by), near, strict=True):
            groups = {group for group, is_near in zip(POOL.groups, near_row, strict=True) if is_near}
            assert len(shown) == 6
            assert groups
            assert not groups & {POOL.groups[POOL.texts.index(example.headline)] for example in shown}


@pytest.mark.parametrize("at_once", [1, 10_000], ids=["one headline at once", "all at once"])
def test_the_nearest_are_those_of_a_search_through_all_where_most_of_the_pool_are_near_copies(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    copies = [f"{text} {number} %" for text in POOL.texts[:20] for number in range(40, 70)]
    pool = Pool(
        (*POOL.texts, *copies),
        (*POOL.labels, *(label for label in POOL.labels[:20] for _ in range(30))),
        (*POOL.groups, *(group for group in POOL.groups[:20] for _ in range(30))),
    )
    monkeypatch.setattr("learning.prompt.choice.SIMILARITIES_AT_ONCE", at_once)
    asked = (*copies[::97], *OTHERS)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True).fit(pool.texts)
    similar = cosine_similarity(vectorizer.transform(asked), vectorizer.transform(pool.texts))
    for shown, row, near in zip(
        choose(asked, pool, examples=4, examples_by="nearest"), similar, MATCH(asked, pool.texts), strict=True
    ):
        groups = {pool.groups[place] for place in np.flatnonzero(near)}
        others = [value for value, group in zip(row, pool.groups, strict=True) if group not in groups]
        found = [row[pool.texts.index(example.headline)] for example in shown]
        assert sorted(found, reverse=True) == pytest.approx(sorted(others, reverse=True)[:4])


@pytest.mark.parametrize("by", ["fixed", "nearest"])
def test_near_copies_of_a_near_copy_are_no_examples_either(by: str) -> None:
    texts = ("Sales rose by 5 % in May", "Sales rose by 7 % in May", "It failed", "Profit was flat", "A plant opens")
    groups = ("a", "a", "a", "b", "c")  # the third belongs to the group through others
    pool = Pool(texts, (Label.POSITIVE, Label.NEUTRAL, Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE), groups)
    [shown] = choose((texts[0],), pool, examples=3, examples_by=by)
    assert {example.headline for example in shown} == {texts[3], texts[4]}


@pytest.mark.parametrize("by", ["fixed", "nearest"])
def test_the_choice_depends_only_on_text_pool_and_seed(by: str) -> None:
    whole = choose(OTHERS, examples=5, examples_by=by)
    order = Random(5).sample(range(len(POOL.texts)), len(POOL.texts))
    assert choose(OTHERS, POOL.keep(order), examples=5, examples_by=by) == whole
    assert [choose((text,), examples=5, examples_by=by)[0] for text in OTHERS] == whole
    reseeded = choose(OTHERS, examples=5, examples_by=by, examples_seed=7)
    assert reseeded != whole
    if by == "nearest":  # the seed decides only their order
        assert [set(shown) for shown in reseeded] == [set(shown) for shown in whole]


def test_a_short_pool_shows_fewer_examples() -> None:
    pool = POOL.keep(range(3))
    assert [len(shown) for shown in choose(OTHERS, pool, examples=9, examples_by="nearest")] == [3] * len(OTHERS)
    assert max(len(shown) for shown in choose(OTHERS, pool, examples=9)) <= 3
