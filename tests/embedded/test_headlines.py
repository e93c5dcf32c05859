"""The shipped headlines are what the grammar writes, marked as synthetic, and not solved by a bag of words."""

from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded import lexicon
from embedded.grammar import generate_headline, generate_lesson, generate_remark
from embedded.headlines import HEADLINE_COUNT, HEADLINES_FILE, generate_headlines, write_headlines
from learning.baselines.kind import Train
from learning.baselines.registry import find_kind
from learning.study.split import Member, split_headlines
from schemas.label import LABELS
from schemas.split import SplitSettings

SEEDS = st.integers(0, 2**32).map(Random)


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    return pd.read_csv(HEADLINES_FILE)


def holds_label_word(text: str) -> bool:
    return any(label.value in text.lower() for label in LABELS)


def test_the_shipped_file_is_what_the_grammar_writes_byte_for_byte(tmp_path: Path) -> None:
    write_headlines(tmp_path / "headlines.csv")
    assert (tmp_path / "headlines.csv").read_bytes() == HEADLINES_FILE.read_bytes()


def test_every_text_stands_once(shipped: pd.DataFrame) -> None:
    assert len(shipped) == HEADLINE_COUNT
    assert shipped["text"].str.casefold().is_unique


def test_every_headline_is_marked_as_synthetic(shipped: pd.DataFrame) -> None:
    assert list(shipped.columns) == ["label", "text", "origin"]
    assert set(shipped["origin"]) == {"synthetic"}


def test_the_classes_have_the_shares_that_the_grammar_states(shipped: pd.DataFrame) -> None:
    shares = shipped["label"].value_counts(normalize=True).to_dict()
    assert shares == pytest.approx({"neutral": 0.38, "positive": 0.36, "negative": 0.26}, abs=0.02)


def test_a_seed_gives_the_same_headlines_and_another_gives_others() -> None:
    assert generate_headlines(50, seed=1) == generate_headlines(50, seed=1)
    assert generate_headlines(50, seed=1) == generate_headlines(80, seed=1)[:50]
    assert not set(generate_headlines(50, seed=1)) & set(generate_headlines(50, seed=2))


def test_no_headline_gives_its_label_away(shipped: pd.DataFrame) -> None:
    assert not shipped["text"].map(holds_label_word).any()


def test_no_remark_holds_a_label_word() -> None:
    assert set(lexicon.REMARKS) == {label.value for label in LABELS}
    assert not [remark for remarks in lexicon.REMARKS.values() for remark in remarks if holds_label_word(remark)]


def test_a_remark_belongs_to_one_sentiment() -> None:
    counts = Counter(remark for remarks in lexicon.REMARKS.values() for remark in remarks)
    assert set(counts.values()) == {1}


@given(SEEDS)
def test_no_lesson_holds_a_label_word(random: Random) -> None:
    assert not holds_label_word(generate_lesson(random).text)


@given(SEEDS, st.sampled_from(LABELS))
def test_a_remark_is_one_of_its_sentiments(random: Random, label: str) -> None:
    assert generate_remark(random, label) in lexicon.REMARKS[label]


@given(SEEDS)
def test_a_headline_is_one_sentence_that_begins_with_a_capital_and_ends_in_a_stop(random: Random) -> None:
    text = generate_headline(random).text
    assert text[0].isupper()
    assert text.endswith(" .")
    assert "{" not in text
    assert "  " not in text


def test_all_words_of_direction_come_in_each_tense() -> None:
    for direction in (lexicon.RISE, lexicon.FALL):
        assert set(direction) == {"past", "base", "noun"}
    assert not {word for words in lexicon.RISE.values() for word in words} & {
        word for words in lexicon.FALL.values() for word in words
    }


def test_a_direction_alone_does_not_decide(shipped: pd.DataFrame) -> None:
    opinions = shipped[shipped["label"] != "neutral"]
    for verb in (*lexicon.RISE["past"], *lexicon.FALL["past"]):
        labels = opinions[opinions["text"].str.contains(f" {verb} ", regex=False)]["label"]
        assert 0.25 < (labels == "positive").mean() < 0.8, verb


def test_a_metric_alone_does_not_decide(shipped: pd.DataFrame) -> None:
    opinions = shipped[shipped["label"] != "neutral"]
    for metric in (*lexicon.GOOD_METRICS, *lexicon.BAD_METRICS):
        labels = opinions[opinions["text"].str.contains(metric, case=False, regex=False)]["label"]
        assert 0.25 < (labels == "positive").mean() < 0.8, metric


def test_a_bag_of_words_sees_something_but_does_not_solve_them(shipped: pd.DataFrame) -> None:
    settings = SplitSettings(method="study", train_per_class=300, test_per_class=300)
    labels = shipped["label"].tolist()
    members = [Member(str(row), label, str(row), str(row)) for row, label in enumerate(labels)]
    parts = split_headlines(members, settings)
    train, test = (shipped.loc[[int(row) for row in parts[part]]] for part in ("train", "test"))
    numbers = train["label"].map(LABELS.index).to_numpy(dtype=np.int64)
    svm = find_kind("TF-IDF + linear SVM").fit(Train(train["text"].tolist(), numbers, 42))
    predicted = svm(test["text"].tolist()).labels
    accuracy = (predicted == test["label"].map(LABELS.index).to_numpy()).mean()
    assert 0.5 < accuracy < 0.85
