"""Equal cells, splits and decodings have equal ids, and whatever would change a result changes its id."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study.identity import (
    base_cell_id,
    baseline_cell_id,
    decoding_id,
    evaluation_id,
    fine_tuned_cell_id,
    fold_split_id,
    pause_id,
    split_id,
    training_id,
)
from schemas.cell import LoraSettings
from schemas.evaluation import DecodingSettings
from schemas.identity import content_id
from schemas.plan import BaselinePlan
from schemas.split import SplitSettings
from tests.learning.study.demo_plans import BASE, base_with, cell_id, demo, settings

WORDS = "prompt.label_words={positive: up, neutral: flat, negative: down}"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert content_id(dict(reversed(value.items()))) == content_id(value)


def test_other_content_has_another_id() -> None:
    values = [None, False, 0, 0.5, "", "0", "null", [], {}, [0], ["0"], [[]], [0, 1], [1, 0], {"a": 0}, {"a": "0"}]
    assert len({content_id(value) for value in values}) == len(values)


def test_an_id_is_the_same_on_every_machine() -> None:
    assert content_id({"b": [1, 2.5, None], "a": "\u00e4"}) == "324d0f98e8e7"


@pytest.mark.parametrize(
    "assignment",
    [
        "lora.r=32",
        "lora.alpha=32",
        "lora.dropout=0.1",
        "training.loss=whole-text",
        "training.batch_size=16",
        "training.schedule=cosine",
        "training.warmup_ratio=0.1",
        "training.weight_decay=0.01",
        "training.max_grad_norm=1",
        "training.decay_ratio=0.1",
        "training.precision=bfloat16",
        "training.optimizer=paged_adamw_32bit",
        "training.attention=eager",
        "training.learning_rate=2e-3",
        "training.epochs=1",
        "training.seed=43",
        "prompt.instruction=Up or down?",
        "prompt.examples=4",
        WORDS,
    ],
)
def test_a_setting_that_changes_the_training_is_another_cell(assignment: str) -> None:
    assert cell_id(assignment) != cell_id()


@pytest.mark.parametrize(
    "change",
    [
        {"split": "other"},
        {"base": base_with(revision="f" * 16)},
        {"base": base_with(quantization="none")},
    ],
)
def test_other_data_or_another_model_is_another_cell(change: dict[str, Any]) -> None:
    assert cell_id(**change) != cell_id()


@pytest.mark.parametrize(
    "assignment",
    [
        "training.micro_batch_size=1",
        "training.gradient_checkpointing=true",
        "training.checkpoint_minutes=1",
        "training.checkpoint_steps=10",
        "training.retries=0",
        "decoding.temperatures=0.5",
        "decoding.top_k=5",
        "decoding.seed=1",
        "runner.kind=ray",
        "curve_epochs=1,2",
        "name=other",
        "lora.alpha=16",
        "prompt.label_words={positive: positive, neutral: neutral, negative: negative}",
        "prompt.examples_by=nearest",
        "prompt.examples_seed=1",
        "base_model.trained_until=2023-03-01",
    ],
)
def test_a_setting_that_does_not_change_the_training_is_the_same_cell(assignment: str) -> None:
    assert cell_id(assignment) == cell_id()


def test_the_ids_of_cells_are_those_in_existing_homes() -> None:
    """Else every cell of every home would be trained again; `FIRST_SETTINGS` is how a setting is added."""
    assert cell_id() == "aadb87de58f8"
    assert training_id(settings(), "split", BASE) == "a026b53f5ac5"
    assert base_cell_id(settings(), "split", BASE) == "1c4b60cce5c8"


def test_the_ids_of_splits_and_evaluations_are_those_in_existing_homes() -> None:
    """Else a new run would not find what a home has of the same split, and score it again."""
    sizes = {"train_per_class": 4, "test_per_class": 3}
    study, hashed, given_, temporal, folded = (
        SplitSettings.model_validate(sizes | {"method": method, "folds": folds})
        for method, folds in (("study", None), ("hashed", None), ("given", None), ("temporal", None), ("hashed", 5))
    )
    assert split_id("data", study) == "37318e619200"
    assert split_id("data", hashed, left_out=["b", "a"]) == "98464296de5d"
    assert split_id("data", given_, {"one": {"train", "test"}, "two": {"validation"}}) == "a1683147491c"
    assert split_id("data", temporal, windows=[{"train": ["one"], "test": ["two"]}]) == "73991e178498"
    assert (split_id("data", folded), fold_split_id("split", 1)) == ("871f31003ff3", "3a3ccdc492c8")
    assert baseline_cell_id(BaselinePlan(name="one", version=1, encoder_revision=None), "split") == "9bcb678a2189"
    assert decoding_id(DecodingSettings(temperatures=[0.1], top_k=50)) == "0be2a6b50403"
    assert evaluation_id("cell", "test", 0.1, "decoding") == "9dda5583616d"
    assert evaluation_id("cell", "test", None, None) == "ccc0470a03c5"
    assert evaluation_id("cell", "test", 0.1, "decoding", "other") == "1941e6340a69"
    assert pause_id("cell", 2, 0.1, "decoding") == "3ddd7547b333"


def test_a_setting_that_is_added_changes_an_id_only_where_it_is_not_the_default() -> None:
    class Lora(LoraSettings):
        use_rslora: bool = False

    def of(**changes: Any) -> str:
        later = settings().model_copy(update={"lora": Lora(dropout=0.0, **changes)})
        return fine_tuned_cell_id(later, "split", BASE)

    assert of() == cell_id()
    assert of(use_rslora=True) != cell_id()


def test_the_place_and_the_name_of_the_base_model_do_not_matter() -> None:
    moved = base_with(folder=Path("elsewhere"), name="another name")
    assert cell_id(base=moved) == cell_id()
    assert base_cell_id(settings(), "split", moved) == base_cell_id(settings(), "split", BASE)


def test_the_id_of_a_base_follows_from_split_revision_quantization_precision_and_prompt() -> None:
    ids = {
        base_cell_id(settings(), "split", BASE),
        base_cell_id(settings(), "other", BASE),
        base_cell_id(settings(), "split", base_with(revision="f" * 16)),
        base_cell_id(settings(), "split", base_with(quantization="none")),
        base_cell_id(settings(WORDS), "split", BASE),
        base_cell_id(settings("training.precision=bfloat16"), "split", BASE),
        base_cell_id(settings("prompt.examples=4"), "split", BASE),
        base_cell_id(settings("prompt.examples=4", "prompt.examples_by=nearest"), "split", BASE),
        base_cell_id(settings("prompt.examples=4", "prompt.examples_seed=1"), "split", BASE),
    }
    assert len(ids) == 9
    assert base_cell_id(settings("lora.r=8", "training.loss=whole-text"), "split", BASE) in ids


def test_cells_that_differ_only_in_epochs_have_one_training() -> None:
    def of(*assignments: str, split: str = "split") -> str:
        return training_id(settings(*assignments), split, BASE)

    one = of()
    assert of("training.epochs=7") == one
    changes = ("training.learning_rate=1e-4", "training.seed=43", "lora.r=8")
    others = [of(split="other"), *(of(change) for change in changes), cell_id()]
    assert len({one, *others}) == len(others) + 1


def test_base_baselines_and_fine_tunes_never_share_an_id() -> None:
    baselines = {
        baseline_cell_id(BaselinePlan(name=name, version=2, encoder_revision=encoder), split)
        for name in ("one", "other")
        for split in ("split", "other")
        for encoder in (None, "revision", "other")
    }
    assert len(baselines | {cell_id(), base_cell_id(settings(), "split", BASE)}) == 14


@pytest.mark.parametrize(
    "change",
    [
        {"method": "hashed"},
        {"train_per_class": 5},
        {"test_per_class": 5},
        {"validation_per_class": 5},
        {"seed": 7},
    ],
)
def test_a_change_of_any_setting_of_the_split_is_another_split(change: dict[str, Any]) -> None:
    defaults = {"method": "study", "train_per_class": 4, "test_per_class": 3}
    assert split_id("data", SplitSettings(**defaults | change)) != split_id("data", SplitSettings(**defaults))
    assert split_id("more data", SplitSettings(**defaults)) != split_id("data", SplitSettings(**defaults))


@pytest.mark.parametrize("assignment", ["decoding.top_k=5", "decoding.top_p=0.9", "decoding.seed=1"])
def test_another_way_of_sampling_is_another_decoding(assignment: str) -> None:
    assert decoding_id(demo(assignment).decoding) != decoding_id(demo().decoding)


def test_a_temperature_is_part_of_the_evaluation_and_not_of_the_decoding() -> None:
    assert decoding_id(demo("decoding.temperatures=0.5").decoding) == decoding_id(demo().decoding)
    evaluations = {
        evaluation_id(cell, part, temperature, "decoding")
        for cell in ("a", "b")
        for part in ("validation", "test")
        for temperature in (0.1, 1.0, None)
    }
    assert len(evaluations) == 12
