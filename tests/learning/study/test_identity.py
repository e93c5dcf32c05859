"""Equal computations have equal ids, and whatever would change a result changes its id."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study import identity
from learning.study.identity import (
    base_cell_id,
    baseline_cell_id,
    decoding_id,
    earlier_study_ids,
    evaluation_id,
    fine_tuned_cell_id,
    split_id,
    study_id,
    training_id,
)
from schemas.config import SplitSettings, StudyConfig
from schemas.identity import content_id
from schemas.overrides import apply_overrides
from schemas.plan import BaselinePlan, BaseModelPlan
from schemas.profiles import build_config, load_profile

BASE = BaseModelPlan(name="embedded", folder=Path("model"), revision="0123456789abcdef", quantization="nf4")
CELL: dict[str, Any] = {"split": "split", "base": BASE, "learning_rate": 1e-3, "epochs": 3, "seed": 42}
WORDS = "prompt.label_words={positive: up, neutral: flat, negative: down}"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def demo(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), assignments))


def cell_id(*assignments: str, **changes: Any) -> str:
    return fine_tuned_cell_id(demo(*assignments), **CELL | changes)


def base_with(**changes: Any) -> BaseModelPlan:
    return BASE.model_copy(update=changes)


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
        "prompt.instruction=Up or down?",
        WORDS,
    ],
)
def test_a_setting_that_trains_otherwise_is_another_cell(assignment: str) -> None:
    assert cell_id(assignment) != cell_id()


@pytest.mark.parametrize(
    "change",
    [
        {"split": "other"},
        {"learning_rate": 2e-3},
        {"epochs": 1},
        {"seed": 43},
        {"base": base_with(revision="f" * 16)},
        {"base": base_with(quantization="none")},
    ],
)
def test_other_data_model_or_hyperparameters_are_another_cell(change: dict[str, Any]) -> None:
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
        "grid.learning_rates=1e-3",
        "grid.epochs=3",
        "grid.curve_epochs=1,2",
        "name=other",
        "lora.alpha=16",
        "prompt.label_words={positive: positive, neutral: neutral, negative: negative}",
    ],
)
def test_a_setting_that_trains_the_same_is_the_same_cell(assignment: str) -> None:
    assert cell_id(assignment) == cell_id()


def test_where_the_base_model_lies_is_no_matter() -> None:
    moved = base_with(folder=Path("elsewhere"), name="another name")
    assert cell_id(base=moved) == cell_id()
    assert base_cell_id(demo(), "split", moved) == base_cell_id(demo(), "split", BASE)


def test_the_base_model_is_known_by_split_revision_quantization_and_prompt() -> None:
    ids = {
        base_cell_id(demo(), "split", BASE),
        base_cell_id(demo(), "other", BASE),
        base_cell_id(demo(), "split", base_with(revision="f" * 16)),
        base_cell_id(demo(), "split", base_with(quantization="none")),
        base_cell_id(demo(WORDS), "split", BASE),
        base_cell_id(demo("training.precision=bfloat16"), "split", BASE),
    }
    assert len(ids) == 6
    assert base_cell_id(demo("lora.r=8", "training.loss=whole-text"), "split", BASE) in ids


def test_cells_that_differ_in_epochs_alone_have_one_training() -> None:
    one = training_id(demo(), "split", BASE, 1e-3, 42)
    assert training_id(demo("grid.epochs=7"), "split", BASE, 1e-3, 42) == one
    others = [
        training_id(demo(), "split", BASE, 1e-4, 42),
        training_id(demo(), "split", BASE, 1e-3, 43),
        training_id(demo(), "other", BASE, 1e-3, 42),
        training_id(demo("lora.r=8"), "split", BASE, 1e-3, 42),
        cell_id(),
    ]
    assert len({one, *others}) == len(others) + 1


def test_base_baselines_and_fine_tunes_never_share_an_id() -> None:
    baselines = {
        baseline_cell_id(BaselinePlan(name=name, version=2, encoder_revision=encoder), split)
        for name in ("one", "other")
        for split in ("split", "other")
        for encoder in (None, "revision", "other")
    }
    assert len(baselines | {cell_id(), base_cell_id(demo(), "split", BASE)}) == 14


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
def test_every_setting_of_the_split_is_another_split(change: dict[str, Any]) -> None:
    usual = {"method": "study", "train_per_class": 4, "test_per_class": 3}
    assert split_id("data", SplitSettings(**usual | change)) != split_id("data", SplitSettings(**usual))
    assert split_id("more data", SplitSettings(**usual)) != split_id("data", SplitSettings(**usual))


PLAN = [BaselinePlan(name="svm", version=2)]


def test_a_study_is_its_settings_its_data_its_base_model_and_its_baselines() -> None:
    ids = {
        study_id(demo(), "data", BASE, PLAN),
        study_id(demo("decoding.seed=1"), "data", BASE, PLAN),
        study_id(demo("lora.dropout=0.3"), "data", BASE, PLAN),
        study_id(demo("grid.epochs=2"), "data", BASE, PLAN),
        study_id(demo(), "more data", BASE, PLAN),
        study_id(demo(), "data", base_with(revision="f" * 16), PLAN),
        study_id(demo(), "data", base_with(quantization="none"), PLAN),
        study_id(demo(), "data", BASE, []),
    }
    assert len(ids) == 8
    assert study_id(demo(), "data", base_with(folder=Path("elsewhere")), PLAN) in ids


@pytest.mark.parametrize(
    "assignment",
    [
        "name=night",
        "data.source=./elsewhere/../news.csv",
        "data.text_column=title",
        "base_model.name=./model",
        "baselines.embedding_model=./encoder",
        "runner.kind=ray",
        "promotion.level=0.2",
        "promotion.min_accuracy=0",
        "promotion.max_unparsed_rate=1",
        "promotion.beat_baseline=false",
        "training.retries=7",
        "training.micro_batch_size=1",
        "training.checkpoint_minutes=1",
        "training.gradient_checkpointing=true",
    ],
)
def test_a_spelling_a_threshold_or_a_setting_without_effect_makes_no_other_study(assignment: str) -> None:
    assert study_id(demo(assignment), "data", BASE, PLAN) == study_id(demo(), "data", BASE, PLAN)


def test_the_ids_that_older_versions_gave_are_known() -> None:
    config = demo()
    settings = config.model_dump(mode="json", exclude={"runner"})
    old = content_id({"config": settings, "snapshot": "data", "base": BASE.revision, "versions": [4, 2]})
    assert earlier_study_ids(config, "data", BASE, PLAN) == [old, old]
    first, second = earlier_study_ids(demo("training.retries=7"), "data", BASE, PLAN)
    assert (first, second != old) == (old, True)
    assert earlier_study_ids(config, "data", BASE, [BaselinePlan(name="svm", version=3)]) == []


@pytest.mark.parametrize("assignment", ["decoding.top_k=5", "decoding.top_p=0.9", "decoding.seed=1"])
def test_another_way_of_sampling_is_another_decoding(assignment: str) -> None:
    assert decoding_id(demo(assignment).decoding) != decoding_id(demo().decoding)


def test_more_draws_are_another_study_but_the_same_decoding() -> None:
    assert decoding_id(demo("decoding.draws=5").decoding) == decoding_id(demo().decoding)
    assert study_id(demo("decoding.draws=5"), "data", BASE, PLAN) != study_id(demo(), "data", BASE, PLAN)


def test_temperatures_are_told_apart_by_evaluations_not_by_decodings() -> None:
    assert decoding_id(demo("decoding.temperatures=0.5").decoding) == decoding_id(demo().decoding)
    evaluations = {
        evaluation_id(cell, part, temperature, "decoding")
        for cell in ("a", "b")
        for part in ("validation", "test")
        for temperature in (0.1, 1.0, None)
    }
    assert len(evaluations) == 12


def test_a_study_of_another_version_is_another_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its leaderboard would have the cells of both."""
    before = study_id(demo(), "data", BASE, PLAN)
    monkeypatch.setattr(identity, "TRAINING_VERSION", identity.TRAINING_VERSION + 1)
    assert study_id(demo(), "data", BASE, PLAN) != before


def test_a_baseline_of_another_version_makes_another_study_and_leaves_the_other_baselines() -> None:
    def plan(lexicon: int, svm: int) -> list[BaselinePlan]:
        return [BaselinePlan(name="lexicon", version=lexicon), BaselinePlan(name="svm", version=svm)]

    usual, first, second, both = (plan(*versions) for versions in ((2, 2), (3, 2), (2, 3), (3, 3)))
    assert len({study_id(demo(), "data", BASE, each) for each in (usual, first, second, both)}) == 4
    cells = [[baseline_cell_id(baseline, "split") for baseline in each] for each in (usual, first)]
    assert cells[0][0] != cells[1][0]
    assert cells[0][1] == cells[1][1]
