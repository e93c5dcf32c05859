"""Headlines that are too long for a model are found, and cut to the longest beginning that fits."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.models.bound import read_bound
from learning.prompt.encoding import answer_paths, encode_examples, encode_prompts
from learning.prompt.lengths import find_candidates, find_too_long, fit_headlines
from schemas.cell import PromptSettings
from schemas.errors import InputError
from schemas.label import LABELS

PROMPT = PromptSettings(instruction="Say how it sounds.", spellings="any")
TEXTS = ["Profit rose", "Omsättningen ökade " * 4, "word " * 40, "x" * 300, "ﷺ" * 30, "  ", "利润上升" * 20]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL_FOLDER)


def longest(tokenizer: Any) -> int:
    return max(len(path) for paths in answer_paths(tokenizer, PROMPT).values() for path in paths)


def count(text: str, tokenizer: Any) -> int:
    [ids] = encode_prompts([text], tokenizer, PROMPT)
    return len(ids) + longest(tokenizer)


@pytest.mark.parametrize("bound", [40, 55, 80, 200])
def test_a_cut_headline_fits_with_any_label_and_with_one_character_more_does_not(tokenizer: Any, bound: int) -> None:
    found = find_too_long(TEXTS, tokenizer, PROMPT, bound)
    assert {place: length.tokens for place, length in found.items()} == {
        place: count(text, tokenizer) for place, text in enumerate(TEXTS) if count(text, tokenizer) > bound
    }
    fitting = fit_headlines(TEXTS, tokenizer, PROMPT, bound)
    for place, (text, cut) in enumerate(zip(TEXTS, fitting, strict=True)):
        assert cut == text if place not in found else text.startswith(cut)
        assert count(cut, tokenizer) <= bound
        if place in found:
            assert count(text[: len(cut) + 2].rstrip(), tokenizer) > bound or text[: len(cut) + 2].rstrip() == cut
    examples = encode_examples(fitting, [LABELS[0]] * len(fitting), tokenizer, PROMPT)
    assert max(len(example.input_ids) for example in examples) <= bound


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=5), st.integers(40, 90))
def test_no_text_that_is_too_long_escapes_the_count_of_bytes(texts: list[str], bound: int) -> None:
    tokenizer = load_cached()
    too_long = {place for place, text in enumerate(texts) if count(text, tokenizer) > bound}
    assert too_long <= set(find_candidates(texts, PROMPT, bound))


def load_cached(known: list[Any] = []) -> Any:  # noqa: B006 (one tokenizer for all examples)
    if not known:
        known.append(load_tokenizer(MODEL_FOLDER))
    return known[0]


def test_a_model_without_a_bound_takes_everything(tokenizer: Any) -> None:
    assert find_too_long(TEXTS, tokenizer, PROMPT, None) == {}
    assert fit_headlines(TEXTS, tokenizer, PROMPT, None) == TEXTS


def test_an_instruction_that_leaves_no_room_is_named(tokenizer: Any) -> None:
    with pytest.raises(
        InputError, match=r"^prompt\.instruction: \d+ tokens with an empty headline, and the base model"
    ):
        fit_headlines(TEXTS, tokenizer, PROMPT, 8)


def test_the_bound_is_read_from_the_configuration_under_any_name(tmp_path: Path) -> None:
    assert read_bound("base model", MODEL_FOLDER) == 512
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "n_positions": 77}')
    assert read_bound("base model", tmp_path) == 77
    (tmp_path / "config.json").write_text('{"model_type": "bloom"}')
    assert read_bound("base model", tmp_path) is None
