"""The name of a cell shows what varies in its study, and no two cells share one."""

import pytest

from learning.study.naming import CellNames, explain_abbreviated, name_grid
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile


def configure(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides({**load_profile("demo"), "grid": {}}, assignments))


def names_of(*assignments: str) -> list[str]:
    config = configure(*assignments)
    names = CellNames(config)
    return [names.name_fine_tune(cell) for cell in config.resolve_all()]


@pytest.mark.parametrize(
    ("assignments", "names"),
    [
        (["training.learning_rate=1e-3"], ["lr=1e-03 epochs=3"]),
        (["grid.lora.r=8", "training.epochs=1"], ["lr=2e-04 epochs=1"]),
        (["grid.learning_rates=2e-6,5e-2"], ["lr=2e-06", "lr=5e-02"]),
        (["grid.seeds=1,2", "grid.epochs=1"], ["seed=1", "seed=2"]),
        (["grid.lora.dropout=0,0.1"], ["dropout=0", "dropout=0.1"]),
        (["grid.training.schedule=constant,cosine"], ["schedule=constant", "schedule=cosine"]),
        (["grid.epochs=1,2", "curve_epochs=5"], ["epochs=1", "epochs=2"]),
        (["training.epochs=2", "curve_epochs=1,4"], ["epochs=2"]),
        (["grid.base_model.name=embedded,/models/llama-15m"], ["model=embedded", "model=llama-15m"]),
        (["grid.base_model.name=org/m,/models/m"], ["model=org/m", "model=/models/m"]),
        (["grid.base_model.revision=null,abc"], ["revision=null", "revision=abc"]),
        (["grid.prompt.instruction=Good or bad,Up"], ["instruction=#1", "instruction=Up"]),
        (
            ["grid.prompt.examples=0,4", "grid.prompt.examples_by=fixed,nearest"],
            ["examples=0", "examples=4 examples_by=fixed", "examples=4 examples_by=nearest"],
        ),
    ],
)
def test_a_name_shows_what_varies(assignments: list[str], names: list[str]) -> None:
    assert names_of(*assignments) == names


def test_a_cell_that_ignores_all_that_varies_has_a_name() -> None:
    config = configure("grid.lora.r=2,4", "training.epochs=1")
    cell = config.resolve_all()[0]
    assert CellNames(config).name_fine_tune(cell, ignored={"lora"}) == "lr=2e-04 epochs=1"


def test_what_an_abbreviated_value_stands_for_is_found_by_its_cells() -> None:
    long, base = "Is the mood of this headline good or bad", "org/a-model-with-a-name-that-is-long"
    config = configure(f"grid.base_model.name=embedded,{base}", f"grid.prompt.instruction={long},Mood")
    names = CellNames(config)
    cells = [(names.name_fine_tune(cell), cell.model_dump(mode="json")) for cell in config.resolve_all()]
    assert cells[2][0] == "model=#2 instruction=#1"
    assert explain_abbreviated(cells) == {"instruction=#1": long, "model=#2": base}
    both = {"prompt": {"words": "a b"}, "training": {"words": "c d"}}
    meanings = {"prompt.words=#1": "a b", "training.words=#2": "c d"}
    assert explain_abbreviated([("prompt.words=#1 training.words=#2", both)]) == meanings


def test_a_grid_of_one_cell_has_its_name() -> None:
    assert name_grid(configure("grid.learning_rates=1e-3", "grid.epochs=1")) == "lr=1e-03 epochs=1"
    assert names_of("grid.learning_rates=1e-3", "grid.epochs=1") == ["lr=1e-03 epochs=1"]


def test_several_settings_are_in_the_order_of_the_grid() -> None:
    names = names_of("grid.lora.r=4,16", "grid.learning_rates=1e-3", "grid.epochs=1,2")
    assert names == ["r=4 epochs=1", "r=4 epochs=2", "r=16 epochs=1", "r=16 epochs=2"]


def test_an_untouched_base_is_named_by_what_varies_without_a_training() -> None:
    config = configure("grid.base_model.quantization=nf4,none", "grid.lora.r=4,16")
    names = CellNames(config)
    bases = {names.name_base("embedded", cell) for cell in config.resolve_all()}
    assert bases == {"base: embedded quantization=nf4", "base: embedded quantization=none"}
    single_base = configure("grid.lora.r=4,16")
    assert CellNames(single_base).name_base("embedded", single_base.resolve_all()[0]) == "base: embedded"
    several = configure("grid.base_model.name=/a/m,/b/m")
    named = [CellNames(several).name_base("m", cell) for cell in several.resolve_all()]
    assert named == ["base: /a/m", "base: /b/m"]


def test_what_has_no_effect_on_a_kind_of_model_is_in_no_name() -> None:
    config = configure("grid.lora.r=4,16", "grid.training.loss=completion,whole-text", "grid.learning_rates=1e-3,2e-3")
    names = CellNames(config)
    named = {names.name_fine_tune(cell, ignored={"lora", "training.loss"}) for cell in config.resolve_all()}
    assert named == {"lr=1e-03", "lr=2e-03"}
