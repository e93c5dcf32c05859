"""The finance lexicon: a metric and its direction decide the label, and any text is labelled quickly."""

import time
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from learning.baselines.lexicon import GROUPS, TOKEN, label_headline, load_phrases
from schemas.label import Label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Profit rose", "positive"),
        ("Profit fell", "negative"),
        ("Costs rose", "negative"),
        ("Costs fell", "positive"),
        ("Net loss narrowed", "positive"),
        ("Net loss widened to EUR 3 mn", "negative"),
        ("The company cut its debt", "positive"),
        ("A decrease in the company's net sales", "negative"),
        ("Higher demand and lower costs", "positive"),
        ("The share was down 3 % at noon", "negative"),
        ("Steel prices rose", "neutral"),
    ],
)
def test_a_metric_and_its_direction_decide_together(text: str, label: str) -> None:
    assert label_headline(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Operating profit was EUR 5 mn, up from EUR 3 mn", "positive"),
        ("Operating profit was EUR 3 mn, down from EUR 5 mn", "negative"),
        ("Operating profit was EUR 5 mn, compared to EUR 3 mn in 2009", "positive"),
        ("Operating profit was EUR 900,000, compared to EUR 3.1 mn in 2009", "negative"),
        ("Operating profit was EUR13 .6 m, compared to EUR14 .1 m", "negative"),
        ("Expenses were EUR 5 mn versus EUR 3 mn", "negative"),
        ("Sales were EUR 3 mn, compared to EUR 3 mn", "neutral"),
        ("Operating loss was EUR 2 mn, compared to a loss of EUR 3 mn", "positive"),
        ("Operating loss was EUR 2 mn, down from a profit of EUR 3 mn", "negative"),
        ("It swung to a profit of EUR 2 mn from a loss of EUR 3 mn", "positive"),
        ("It reported an operating loss of EUR 2 mn on net sales of EUR 9 mn", "negative"),
    ],
)
def test_a_figure_is_compared_with_the_previous_one(text: str, label: str) -> None:
    assert label_headline(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Profit did not rise", "negative"),
        ("Profit didn't rise", "negative"),
        ("Profit failed to grow", "negative"),
        ("Costs did not rise", "positive"),
        ("The outcome was not successful", "negative"),
        ("Profit neither rose nor fell", "neutral"),
    ],
)
def test_a_negation_reverses_what_follows(text: str, label: str) -> None:
    assert label_headline(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Although sales fell, profit rose", "positive"),
        ("Profit rose although sales fell", "positive"),
        ("Operating profit decreased while net sales increased", "negative"),
        ("Although sales fell, the chairman spoke", "negative"),
    ],
)
def test_a_conceded_clause_counts_only_if_no_other_does(text: str, label: str) -> None:
    assert label_headline(text) == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "The company is based in Helsinki.",
        "The annual general meeting will be held on 5 May.",
        "It set up a subsidiary on the stock exchange",
        "Der Gewinn ist im dritten Quartal gestiegen",
        "Liikevoitto kasvoi viime vuodesta",
        "利益は前年同期に比べて増加した",
        "\u202eesor tiforP \x00\ud800",
    ],
)
def test_a_text_that_the_lexicon_does_not_know_is_neutral(text: str) -> None:
    assert label_headline(text) is Label.NEUTRAL


def test_case_and_hyphens_do_not_matter() -> None:
    texts = ["PROFIT ROSE", "A Profit-Warning", "a profit warning"]
    assert [label_headline(text) for text in texts] == ["positive", "negative", "negative"]


@example("¹%")
@given(st.text(st.sampled_from("profit rose loss not from EUR 1.,;%ß٣\u0301'-\n"), max_size=80) | st.text(max_size=80))
def test_any_text_has_a_label_and_always_the_same_one(text: str) -> None:
    label = label_headline(text)
    assert isinstance(label, Label)
    assert label_headline(text) is label


@pytest.mark.parametrize(
    "text",
    [
        "profit rose ",
        "not ",
        "1",
        "EUR 1 mn compared to ",
        "although ",
        "n'",
        ". ",
        "a",
    ],
)
def test_a_text_of_100_000_characters_is_labelled_within_seconds(text: str) -> None:
    start = time.monotonic()
    label_headline(text * (100_000 // len(text)))
    assert time.monotonic() - start < 5


def test_a_thousand_headlines_are_labelled_within_seconds() -> None:
    random, words = Random(1), sorted({word for phrase in load_phrases() for word in phrase})
    texts = [" ".join(random.choices(words, k=25)) for _ in range(1_000)]
    start = time.monotonic()
    assert {label_headline(text) for text in texts} == {*Label}
    assert time.monotonic() - start < 5


def test_a_phrase_is_in_one_list_and_written_as_its_tokens_are_read() -> None:
    import yaml

    from learning.baselines import lexicon

    groups = yaml.safe_load(lexicon.files("learning.baselines").joinpath("lexicon.yaml").read_text(encoding="utf-8"))
    phrases = [phrase for group in groups.values() for phrase in group]
    assert set(groups) == set(GROUPS)
    assert sorted(phrase for phrase in set(phrases) if phrases.count(phrase) > 1) == []
    assert [phrase for phrase in phrases if TOKEN.findall(phrase.casefold()) != phrase.split()] == []


def test_the_lexicon_does_not_import_the_generator() -> None:
    import ast
    import inspect

    from learning.baselines import lexicon

    imported = [node.module for node in ast.walk(ast.parse(inspect.getsource(lexicon))) if hasattr(node, "module")]
    assert not [module for module in imported if module.startswith("embedded")]
