"""Equal studies have equal ids, also those of earlier versions, and a change of a result or its data changes the id."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from learning.study import identity
from learning.study.grid import plan_study
from learning.study.identity import (
    FIRST_SETTINGS,
    baseline_cell_id,
    decoding_id,
    earlier_study_ids,
)
from schemas.identity import content_id
from schemas.plan import BaselinePlan, BaseModelPlan, FoundModel
from schemas.split import OF_TIME
from tests.learning.study.demo_plans import BASE, PLAN, base_with, demo, find_base


def test_a_name_and_tags_change_no_id() -> None:
    plain, named = (
        plan_study(config, "data", "split", find_base, PLAN)
        for config in (demo(), demo("study_name=weekly", "tags={desk: fx}"))
    )
    assert (plain.study_id, plain.cells) == (named.study_id, named.cells)
    earlier = [earlier_study_ids(study.config, "data", BASE, PLAN) for study in (plain, named)]
    assert earlier[0] == earlier[1]


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
def test_a_spelling_a_threshold_or_a_setting_without_effect_does_not_make_another_study(assignment: str) -> None:
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
    known = {"base": [BASE.revision, "nf4"], "baselines": [plan.model_dump() for plan in PLAN], "versions": [4, 2]}
    last = content_id({"settings": older, "snapshot": "data", **known})
    assert earlier_study_ids(demo(), "data", BASE, PLAN) == [last, oldest, oldest]
    first, second, third = earlier_study_ids(demo("training.retries=7"), "data", BASE, PLAN)
    assert (first, second, third != oldest) == (last, oldest, True)
    for assignment in ("base_model.trained_until=2023-03-01", "grid.base_model.trained_until=2023-03-01"):
        assert earlier_study_ids(demo(assignment), "data", BASE, PLAN) == [last, oldest, oldest]
    assert len(earlier_study_ids(demo(), "data", BASE, [BaselinePlan(name="svm", version=3)])) == 1
    assert earlier_study_ids(demo("grid.lora.r=4,8"), "data", BASE, PLAN) == []


@pytest.mark.parametrize("group", sorted(FIRST_SETTINGS))
def test_a_setting_that_is_added_later_leaves_the_ids_of_older_versions_known(group: str) -> None:
    config, ids = demo(), earlier_study_ids(demo(), "data", BASE, PLAN)
    assert ids == ["d47293f57746", "bee527100f4e", "bee527100f4e"]
    settings = getattr(config, group)
    with_later = create_model("WithLater", __base__=type(settings), later=(int, 0))
    later_config = create_model("LaterConfig", __base__=type(config), **{group: (with_later, ...)})
    values = {**dict(config), group: with_later(**settings.model_dump())}
    assert earlier_study_ids(later_config.model_construct(**values), "data", BASE, PLAN) == ids


def test_a_race_is_another_study_of_the_same_cells_and_its_level_has_no_effect_without_a_race() -> None:
    plain, race, strict = (
        plan_study(demo(*assignments), "data", "split", find_base, PLAN)
        for assignments in ([], ["search=race"], ["search=race", "race.level=0.01"])
    )
    assert len({plain.study_id, race.study_id, strict.study_id}) == 3
    assert plain.cells == race.cells == strict.cells
    assert plan_study(demo("race.level=0.01"), "data", "split", find_base, PLAN).study_id == plain.study_id
    assert earlier_study_ids(demo("search=race"), "data", BASE, PLAN) == []


def test_more_draws_are_another_study_but_the_same_decoding() -> None:
    assert decoding_id(demo("decoding.draws=5").decoding) == decoding_id(demo().decoding)
    assert study("decoding.draws=5") != study()


def test_a_study_of_another_version_is_another_study() -> None:
    """Else its leaderboard would have the cells of both."""
    newer = BASE.model_copy(update={"training_version": identity.TRAINING_VERSION + 1})
    assert study(base=newer) != study()


def test_a_baseline_of_another_version_makes_another_study_and_leaves_the_other_baselines() -> None:
    def plan(lexicon: int, svm: int) -> list[BaselinePlan]:
        return [BaselinePlan(name="lexicon", version=lexicon), BaselinePlan(name="svm", version=svm)]

    defaults, first, second, both = (plan(*versions) for versions in ((2, 2), (3, 2), (2, 3), (3, 3)))
    assert len({study(baselines=each) for each in (defaults, first, second, both)}) == 4
    cells = [[baseline_cell_id(baseline, "split") for baseline in each] for each in (defaults, first)]
    assert cells[0][0] != cells[1][0]
    assert cells[0][1] == cells[1][1]
