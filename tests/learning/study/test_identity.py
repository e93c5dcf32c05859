"""Equal computations have equal ids, and whatever would change a result changes its id."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study import identity
from learning.study.grid import plan_study
from learning.study.identity import (
    base_cell_id,
    baseline_cell_id,
    decoding_id,
    earlier_study_ids,
    evaluation_id,
    fine_tuned_cell_id,
    split_id,
    training_id,
)
from schemas.cell import CellSettings, LoraSettings
from schemas.config import StudyConfig
from schemas.identity import content_id
from schemas.overrides import apply_overrides
from schemas.plan import BaselinePlan, BaseModelPlan, FoundModel
from schemas.profiles import build_config, load_profile
from schemas.split import OF_TIME, SplitSettings

BASE = BaseModelPlan(
    name="embedded",
    folder=Path("model"),
    revision="0123456789abcdef",
    quantization="nf4",
    kind_of_model="causal",
    training_version=4,
    answers_untouched=True,
)


def find_base(settings: CellSettings) -> FoundModel:
    return FoundModel(BASE, settings)


CELL: dict[str, Any] = {"split": "split", "base": BASE}
WORDS = "prompt.label_words={positive: up, neutral: flat, negative: down}"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def demo(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), assignments))


def settings(*assignments: str) -> CellSettings:
    """Of the demo's cell at 1e-3 after 3 epochs."""
    return demo("training.learning_rate=1e-3", "training.epochs=3", *assignments).resolve({})


def cell_id(*assignments: str, **changes: Any) -> str:
    return fine_tuned_cell_id(settings(*assignments), **CELL | changes)


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


def test_a_name_and_tags_change_no_id() -> None:
    plain, named = (
        plan_study(config, "data", "split", find_base, PLAN)
        for config in (demo(), demo("study_name=weekly", "tags={desk: fx}"))
    )
    assert (plain.study_id, plain.cells) == (named.study_id, named.cells)
    earlier = [earlier_study_ids(study.config, "data", BASE, PLAN) for study in (plain, named)]
    assert earlier[0] == earlier[1]


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
def test_a_setting_that_trains_otherwise_is_another_cell(assignment: str) -> None:
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
def test_a_setting_that_trains_the_same_is_the_same_cell(assignment: str) -> None:
    assert cell_id(assignment) == cell_id()


def test_the_ids_of_cells_are_those_that_homes_have() -> None:
    """Else every cell of every home would be trained again: see `FIRST_SETTINGS` for a setting that is added."""
    assert cell_id() == "aadb87de58f8"
    assert training_id(settings(), "split", BASE) == "a026b53f5ac5"
    assert base_cell_id(settings(), "split", BASE) == "1c4b60cce5c8"


def test_a_setting_that_is_added_changes_an_id_only_where_it_is_not_the_default() -> None:
    class Lora(LoraSettings):
        use_rslora: bool = False

    def of(**changes: Any) -> str:
        later = settings().model_copy(update={"lora": Lora(dropout=0.0, **changes)})
        return fine_tuned_cell_id(later, "split", BASE)

    assert of() == cell_id()
    assert of(use_rslora=True) != cell_id()


def test_where_the_base_model_lies_is_no_matter() -> None:
    moved = base_with(folder=Path("elsewhere"), name="another name")
    assert cell_id(base=moved) == cell_id()
    assert base_cell_id(settings(), "split", moved) == base_cell_id(settings(), "split", BASE)


def test_the_base_model_is_known_by_split_revision_quantization_and_prompt() -> None:
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


def test_cells_that_differ_in_epochs_alone_have_one_training() -> None:
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
def test_every_setting_of_the_split_is_another_split(change: dict[str, Any]) -> None:
    usual = {"method": "study", "train_per_class": 4, "test_per_class": 3}
    assert split_id("data", SplitSettings(**usual | change)) != split_id("data", SplitSettings(**usual))
    assert split_id("more data", SplitSettings(**usual)) != split_id("data", SplitSettings(**usual))


PLAN = [BaselinePlan(name="svm", version=2)]


def study(*assignments: str, split: str = "split", base: BaseModelPlan = BASE, baselines: Any = PLAN) -> str:
    return plan_study(
        demo(*assignments), "data", split, lambda settings: FoundModel(base, settings), baselines
    ).study_id


def test_a_study_is_its_settings_its_data_its_base_model_and_its_baselines() -> None:
    ids = {
        study(),
        study("decoding.seed=1"),
        study("lora.dropout=0.3"),
        study("grid.epochs=2"),
        study("grid.lora.r=4,8"),
        study("curve_epochs=1,2"),
        study(split="other"),
        study(base=base_with(revision="f" * 16)),
        study(base=base_with(quantization="none")),
        study(baselines=[]),
    }
    assert len(ids) == 10
    assert study(base=base_with(folder=Path("elsewhere"))) in ids


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
        "grid.epochs=3,1",
        "grid.seeds=42",
        "lora.alpha=16",
        "base_model.trained_until=2023-03-01",
        "grid.base_model.trained_until=2023-03-01",
    ],
)
def test_a_spelling_a_threshold_or_a_setting_without_effect_makes_no_other_study(assignment: str) -> None:
    assert study(assignment) == study()


OF_DATES = (
    *("published_at_column", "instrument_column", "publisher_column", "context_column"),
    *("timezone", "date_order", "identity"),
)


def older_demo(**training: Any) -> dict[str, Any]:
    """The demo's settings as they were written when three settings varied."""
    values = demo().model_dump(mode="json", exclude={"study_name", "tags", "grid", "curve_epochs", "search", "race"})
    for name in ("learning_rate", "epochs", "seed", "side_by_side", "method", "class_weights"):
        del values["training"][name]
    for name in ("classes", "folds", *OF_TIME):
        del values["split"][name]
    for name in ("examples", "examples_by", "examples_seed", "context", "template"):
        del values["prompt"][name]
    for name in ("label_columns", "thresholds", "split_column", "too_long", *OF_DATES):
        del values["data"][name]
    del values["base_model"]["trained_until"]
    values["training"] |= training
    grid = {"learning_rates": [2e-6, 1e-3, 5e-2], "epochs": [1, 3], "seeds": [42], "curve_epochs": []}
    return {**values, "grid": grid}


def test_the_ids_that_older_versions_gave_are_known() -> None:
    whole = older_demo()
    del whole["runner"]
    oldest = content_id({"config": whole, "snapshot": "data", "base": BASE.revision, "versions": [4, 2]})
    older = older_demo()
    for name in ("name", "data", "base_model", "baselines", "promotion", "runner"):
        del older[name]
    for name in ("micro_batch_size", "gradient_checkpointing", "checkpoint_minutes", "checkpoint_steps", "retries"):
        del older["training"][name]
    told = {"base": [BASE.revision, "nf4"], "baselines": [plan.model_dump() for plan in PLAN], "versions": [4, 2]}
    last = content_id({"settings": older, "snapshot": "data", **told})
    assert earlier_study_ids(demo(), "data", BASE, PLAN) == [last, oldest, oldest]
    first, second, third = earlier_study_ids(demo("training.retries=7"), "data", BASE, PLAN)
    assert (first, second, third != oldest) == (last, oldest, True)
    for said in ("base_model.trained_until=2023-03-01", "grid.base_model.trained_until=2023-03-01"):
        assert earlier_study_ids(demo(said), "data", BASE, PLAN) == [last, oldest, oldest]
    assert len(earlier_study_ids(demo(), "data", BASE, [BaselinePlan(name="svm", version=3)])) == 1
    assert earlier_study_ids(demo("grid.lora.r=4,8"), "data", BASE, PLAN) == []


def test_a_race_is_another_study_of_the_same_cells_and_its_level_matters_to_no_other() -> None:
    plain, race, strict = (
        plan_study(demo(*assignments), "data", "split", find_base, PLAN)
        for assignments in ([], ["search=race"], ["search=race", "race.level=0.01"])
    )
    assert len({plain.study_id, race.study_id, strict.study_id}) == 3
    assert plain.cells == race.cells == strict.cells
    assert plan_study(demo("race.level=0.01"), "data", "split", find_base, PLAN).study_id == plain.study_id
    assert earlier_study_ids(demo("search=race"), "data", BASE, PLAN) == []


@pytest.mark.parametrize("assignment", ["decoding.top_k=5", "decoding.top_p=0.9", "decoding.seed=1"])
def test_another_way_of_sampling_is_another_decoding(assignment: str) -> None:
    assert decoding_id(demo(assignment).decoding) != decoding_id(demo().decoding)


def test_more_draws_are_another_study_but_the_same_decoding() -> None:
    assert decoding_id(demo("decoding.draws=5").decoding) == decoding_id(demo().decoding)
    assert study("decoding.draws=5") != study()


def test_temperatures_are_told_apart_by_evaluations_not_by_decodings() -> None:
    assert decoding_id(demo("decoding.temperatures=0.5").decoding) == decoding_id(demo().decoding)
    evaluations = {
        evaluation_id(cell, part, temperature, "decoding")
        for cell in ("a", "b")
        for part in ("validation", "test")
        for temperature in (0.1, 1.0, None)
    }
    assert len(evaluations) == 12


def test_a_study_of_another_version_is_another_study() -> None:
    """Else its leaderboard would have the cells of both."""
    newer = BASE.model_copy(update={"training_version": identity.TRAINING_VERSION + 1})
    assert study(base=newer) != study()


def test_a_baseline_of_another_version_makes_another_study_and_leaves_the_other_baselines() -> None:
    def plan(lexicon: int, svm: int) -> list[BaselinePlan]:
        return [BaselinePlan(name="lexicon", version=lexicon), BaselinePlan(name="svm", version=svm)]

    usual, first, second, both = (plan(*versions) for versions in ((2, 2), (3, 2), (2, 3), (3, 3)))
    assert len({study(baselines=each) for each in (usual, first, second, both)}) == 4
    cells = [[baseline_cell_id(baseline, "split") for baseline in each] for each in (usual, first)]
    assert cells[0][0] != cells[1][0]
    assert cells[0][1] == cells[1][1]
