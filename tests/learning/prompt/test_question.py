"""A headline with examples and a context before it: in the prompt, in a pickle, and if it is too long."""

import pickle
from typing import Any

import numpy as np
import pytest

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.prompt.choice import Pool, ask, find_chooser
from learning.prompt.encoding import common_prefix_length, encode_examples, encode_prompts
from learning.prompt.lengths import find_candidates, find_too_long, fit_headlines
from learning.prompt.question import Example, Question, context_of, examples_of, make_questions
from learning.prompt.template import scoring_text, training_text
from schemas.cell import PromptSettings
from schemas.label import Label

PROMPT = PromptSettings(
    instruction="Say how it sounds.", label_words={Label.NEGATIVE: "bad", Label.NEUTRAL: "flat", Label.POSITIVE: "good"}
)
SHOWN = (Example("Profit [net]\nrose", Label.POSITIVE), Example("Sales fell", Label.NEGATIVE))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


def test_examples_are_before_the_headline_in_the_training_form() -> None:
    question = Question("Costs rose", SHOWN)
    before = "Say how it sounds.\n\n[Profit (net) rose] = good\n[Sales fell] = bad\n[Costs rose] ="
    assert scoring_text(question, PROMPT) == before
    assert training_text(question, Label.NEGATIVE, PROMPT) == f"{before} bad"
    assert scoring_text(Question("Costs rose"), PROMPT) == scoring_text("Costs rose", PROMPT)


def test_a_question_equals_its_headline_and_keeps_its_examples_in_a_pickle() -> None:
    question = Question("Costs rose", SHOWN)
    assert question == "Costs rose"
    assert examples_of(pickle.loads(pickle.dumps(question))) == SHOWN
    assert examples_of(str(question)) == ()


def test_a_context_is_a_line_before_its_headline_also_in_an_example() -> None:
    shown = (Example(Question("Profit rose", context="Of [Acme]\nin May"), Label.POSITIVE), SHOWN[1])
    prompt = scoring_text(Question("Costs rose", shown, "Wages are up"), PROMPT)
    before = "Say how it sounds.\n\nOf (Acme) in May\n[Profit rose] = good\n[Sales fell] = bad\n"
    assert prompt == f"{before}Wages are up\n[Costs rose] ="


def test_a_question_keeps_its_context_in_a_pickle_and_with_examples() -> None:
    questions = make_questions(["Costs rose", "Sales fell"], ["Wages are up", None], [None, None])
    assert [context_of(each) for each in pickle.loads(pickle.dumps(questions))] == ["Wages are up", ""]
    pool = Pool(questions, (Label.NEGATIVE, Label.NEGATIVE), ("a", "b"))
    settings = PROMPT.model_copy(update={"examples": 2})
    chooser = find_chooser(pool, settings, lambda one, other: np.zeros((len(one), len(other)), dtype=bool))
    [question] = ask(make_questions(["Rates rose"], ["The bank met"], [None]), chooser)
    assert context_of(question) == "The bank met"
    assert {each.headline: context_of(each.headline) for each in examples_of(question)} == {
        "Costs rose": "Wages are up",
        "Sales fell": "",
    }


@pytest.mark.parametrize("bound", [60, 75])
def test_a_context_is_cut_before_the_headline(tokenizer: Any, bound: int) -> None:
    questions = [Question("Costs rose again", SHOWN[:1], "word " * 80), Question("word " * 80, SHOWN[:1], "Wages")]
    assert set(find_too_long(questions, tokenizer, PROMPT, bound)) == {0, 1}
    [kept, cut] = fit_headlines(questions, tokenizer, PROMPT, bound)
    assert (kept, len(context_of(kept).split()) > 5, context_of(cut)) == ("Costs rose again", True, "")
    assert 10 < len(cut.split()) < 80
    assert examples_of(kept) == examples_of(cut) == SHOWN[:1]
    longest = f"{context_of(kept)} word"
    assert not find_too_long([kept, cut], tokenizer, PROMPT, bound)
    assert find_too_long([Question(kept, SHOWN[:1], longest)], tokenizer, PROMPT, bound)


def test_fixed_examples_are_part_of_the_common_prefix(tokenizer: Any) -> None:
    questions = [Question(text, SHOWN) for text in ("Costs rose", "Nothing new", "A merger")]
    start = Question("", SHOWN)
    [shared] = encode_prompts([start], tokenizer, PROMPT)
    assert common_prefix_length(encode_prompts(questions, tokenizer, PROMPT)) >= len(shared) - 3  # `[`, `]`, ` =`


@pytest.mark.parametrize("bound", [45, 60])
def test_a_headline_that_is_too_long_is_cut_after_its_examples(tokenizer: Any, bound: int) -> None:
    questions = [Question("word " * 60, SHOWN), Question("Costs rose", SHOWN[:1])]
    assert (
        set(find_too_long(questions, tokenizer, PROMPT, bound)) == {0} <= set(find_candidates(questions, PROMPT, bound))
    )
    [cut, whole] = fit_headlines(questions, tokenizer, PROMPT, bound)
    assert examples_of(cut) == SHOWN
    assert whole is questions[1]
    [example] = encode_examples([cut], [Label.NEUTRAL], tokenizer, PROMPT)
    assert len(example.input_ids) <= bound


def test_examples_that_are_too_long_by_themselves_are_left_out(tokenizer: Any) -> None:
    questions = [Question("Costs rose", SHOWN * 20), Question("word " * 60, SHOWN * 20)]
    [short, cut] = fit_headlines(questions, tokenizer, PROMPT, 60)
    assert (short, examples_of(short), examples_of(cut)) == ("Costs rose", (), ())
    assert not find_too_long([short, cut], tokenizer, PROMPT, 60)


def test_the_template_decides_what_is_in_the_brackets() -> None:
    named = PROMPT.model_copy(update={"template": "{instrument}: {headline}"})
    shown = (Example(Question("Profit rose", instrument="HBF"), Label.POSITIVE), SHOWN[1])
    prompt = scoring_text(Question("Costs [net] rose", shown, instrument="NWD"), named)
    before = "Say how it sounds.\n\n[HBF: Profit rose] = good\n[Sales fell] = bad\n"
    assert prompt == f"{before}[NWD: Costs (net) rose] ="
    plain = PROMPT.model_copy(update={"template": "News: {headline}"})
    assert scoring_text("{instrument}", plain).endswith("\n[News: {instrument}] =")


@pytest.mark.parametrize(
    "template", ["{headline} {headline}", "{instrument}", "{headline} {ticker}", "{headline:>3}", "{"]
)
def test_a_template_without_one_headline_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        PromptSettings(template=template)
