"""A grid varies any setting that changes a result; other settings and wrong values are refused in one line."""

import re
from datetime import date
from typing import Any

import pytest

from learning.study.naming import CellNames
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.grid import REASONS, VARIABLE
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from schemas.settings import iterate_settings
from schemas.yaml_text import read_yaml


def configure(grid: Any, **changes: Any) -> StudyConfig:
    return build_config({**load_profile("demo"), "grid": grid, **changes})


def test_every_setting_varies_or_has_a_reason_why_not() -> None:
    fixed = [path for path, _ in iterate_settings(StudyConfig) if path not in VARIABLE]
    for path in fixed:
        if path == "curve_epochs":  # its older place was in the grid
            continue
        with pytest.raises(InputError, match=f"^grid: {re.escape(path)} cannot vary: ") as raised:
            configure({path: [1]})
        assert raised.match(re.escape(REASONS[path.partition(".")[0]]))
    groups = {path.partition(".")[0] for path in VARIABLE}
    assert groups == {"base_model", "prompt", "lora", "training"}
    assert {path for path in fixed if path.partition(".")[0] in groups} == {
        f"training.{name}"
        for name in (
            "micro_batch_size",
            "gradient_checkpointing",
            "side_by_side",
            "checkpoint_minutes",
            "checkpoint_steps",
            "retries",
        )
    }


def test_a_cell_has_the_studys_settings_with_those_of_its_point() -> None:
    config = configure({"lora.r": ["4", 16], "training.loss": ["completion", "whole-text"]})
    cells = [(cell.lora.r, cell.training.loss, cell.lora.alpha) for cell in config.resolve_all()]
    assert cells == [(r, loss, 16) for r in (4, 16) for loss in ("completion", "whole-text")]
    assert [cell.training for cell in configure({}).resolve_all()] == [config.training]


def test_the_form_of_older_profiles_is_the_same_study() -> None:
    older = configure({"learning_rates": [1e-3], "epochs": [1, 3], "seeds": [1], "curve_epochs": [1, 2]})
    grid = {"training.learning_rate": [1e-3], "training.epochs": [1, 3], "training.seed": [1]}
    assert older == configure(grid, curve_epochs=[1, 2])
    assert StudyConfig.model_validate_json(older.model_dump_json()) == older


def test_a_revision_is_one_of_the_model_that_it_was_set_for() -> None:
    base = {"name": "org/model", "revision": "abc"}
    bases = [cell.base_model for cell in configure({"lora.r": [4]}, base_model=base).resolve_all()]
    assert [(each.name, each.revision) for each in bases] == [("org/model", "abc")]
    cells = configure({"base_model.name": ["org/model", "org/other@v2"]}, base_model=base).resolve_all()
    named = [(cell.base_model.name, cell.base_model.revision) for cell in cells]
    assert named == [("org/model", None), ("org/other", "v2")]


def test_trained_until_holds_for_the_model_that_it_was_set_for() -> None:
    base = {"name": "org/model", "revision": "abc", "trained_until": "2023-03-01"}
    varied = {"base_model.name": ["org/model@v1", "org/other"], "lora.r": [4]}
    cells = configure(varied, base_model=base).resolve_all()
    assert [cell.base_model.trained_until for cell in cells] == [date(2023, 3, 1), None]
    first = "[{base_model.name: [a/b], base_model.trained_until: [2023-03-01]}, {base_model.name: [c/d], "
    grids = read_yaml(first + "base_model.trained_until: [2024-06-30], lora.r: [4, 8]}]")
    cells = configure(grids).resolve_all()
    assert [(cell.base_model.name, str(cell.base_model.trained_until)) for cell in cells] == [
        ("a/b", "2023-03-01"),
        ("c/d", "2024-06-30"),
        ("c/d", "2024-06-30"),
    ]
    assert list(CellNames(configure(grids)).spelled) == ["base_model.name", "lora.r"]


@pytest.mark.parametrize(
    "grid",
    [
        {"base_model.trained_until": ["2023-03-01", "2024-03-01"]},
        [{"base_model.trained_until": ["2023-03-01"]}, {"base_model.trained_until": ["2024-03-01"], "lora.r": [4]}],
    ],
)
def test_two_days_until_which_one_model_was_trained_are_refused(grid: Any) -> None:
    line = "base_model.trained_until of embedded is 2023-03-01 and 2024-03-01: give one day for each model"
    with pytest.raises(InputError, match=line):
        configure(grid)


@pytest.mark.parametrize("value", [2023, "2023-03", "March 2023", "2023-02-30"])
def test_a_value_that_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(
        InputError, match=r"^base_model.trained_until( = |: 2023 is no day: write one as in 2023-03-01)"
    ):
        configure({}, base_model={"name": "embedded", "trained_until": value})


@pytest.mark.parametrize(
    ("grid", "line"),
    [
        ({"base_model.name": [""]}, "grid: base_model.name = '': must have at least 1 character"),
        ({"lora.r": [0]}, "grid: lora.r = 0: must be greater than or equal to 1"),
        ({"lora.r": []}, "grid: lora.r = []: give a value"),
        ({"lora.r": [4, "4"]}, "grid: lora.r = [4, '4']: names a value twice"),
        ({"lora.rank": [4]}, "grid: there is no setting 'lora.rank', did you mean 'lora.r'?"),
        ({"training.schedule": ["linear"]}, "grid: training.schedule = 'linear': must be 'constant', 'cosine' or"),
        ({"lora.r": 4}, "grid.lora.r = 4: must be a valid tuple"),
        ({"epochs": [1.5]}, "grid: training.epochs = 1.5: must be a valid integer"),
        (
            {"prompt.label_words": [{"positive": "up", "negative": "up", "neutral": "flat"}]},
            "prompt.label_words = {'positive': 'up', 'negative': 'up', 'neutral': 'flat'}: label_words needs one word",
        ),
    ],
)
def test_a_wrong_grid_is_one_line(grid: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(line)}") as raised:
        configure(grid)
    assert "\n" not in str(raised.value)


def test_settings_that_do_not_fit_each_other_name_the_point() -> None:
    line = "^training.batch_size = 6: batch_size 6 is no multiple of micro_batch_size 4"
    training = {"loss": "completion", "schedule": "constant", "micro_batch_size": 4}
    with pytest.raises(InputError, match=line):
        configure({"training.batch_size": [8, 6]}, training=training)


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        (["grid.lora.r=4,16"], {"lora.r": (4, 16)}),
        (["grid.lora.r=[4, 16]", "lora.r=8"], {}),
        (["lora.r=8", "grid.lora.r=4,16"], {"lora.r": (4, 16)}),
        (["grid.training.learning_rate=1e-4,2e-4"], {"training.learning_rate": (1e-4, 2e-4)}),
        (["grid.base_model.name=embedded,../models/7b"], {"base_model.name": ("embedded", "../models/7b")}),
        (["grid.base_model.revision=0123,12e4"], {"base_model.revision": ("0123", "12e4")}),
        (["grid.prompt.instruction='A, b.',C"], {"prompt.instruction": ("A, b.", "C")}),
        (["grid.training.precision=auto,float32"], {"training.precision": ("auto", "float32")}),
        (["grid.seeds=1,2"], {"training.seed": (1, 2)}),
        (["grid.training.warmup_ratio=0"], {"training.warmup_ratio": (0.0,)}),
    ],
)
def test_a_grid_can_be_given_setting_by_setting(assignments: list[str], expected: dict[str, Any]) -> None:
    values = {**load_profile("demo"), "grid": {}}
    assert build_config(apply_overrides(values, assignments)).grid == expected


def test_one_value_for_a_setting_removes_it_from_the_grid_of_the_profile() -> None:
    config = build_config(apply_overrides(load_profile("demo"), ["training.epochs=2"]))
    assert list(config.grid) == ["training.learning_rate"]
    assert {cell.training.epochs for cell in config.resolve_all()} == {2}


MODELS = [
    {"base_model.name": ["embedded"], "learning_rates": [1e-3, 2e-3], "epochs": [1]},
    {"base_model.name": ["encoder"], "learning_rates": [2e-5], "lora.r": [4, 8]},
]


def test_several_grids_have_the_cells_of_each() -> None:
    config = configure(MODELS)
    cells = [
        (cell.base_model.name, cell.training.learning_rate, cell.training.epochs, cell.lora.r)
        for cell in config.resolve_all()
    ]
    epochs, rank = config.training.epochs, config.lora.r
    assert cells == [
        ("embedded", 1e-3, 1, rank),
        ("embedded", 2e-3, 1, rank),
        ("encoder", 2e-5, epochs, 4),
        ("encoder", 2e-5, epochs, 8),
    ]
    assert config.varied == {
        "base_model.name": ("embedded", "encoder"),
        "training.learning_rate": (1e-3, 2e-3, 2e-5),
        "training.epochs": (1, epochs),
        "lora.r": (rank, 4, 8),
    }
    assert StudyConfig.model_validate_json(config.model_dump_json()) == config


def test_settings_given_one_by_one_reach_each_of_several_grids() -> None:
    values = {**load_profile("demo"), "grid": MODELS}
    config = build_config(apply_overrides(values, ["grid.training.seed=1,2", "lora.r=2"]))
    assert {(cell.training.seed, cell.lora.r) for cell in config.resolve_all()} == {(1, 2), (2, 2)}
    assert len(config.resolve_all()) == 6


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        ([], "grid: is an empty list; give a grid, or {} for none"),
        ([{"split.seed": [1]}], "grid: split.seed cannot vary: "),
        ([{"lora.r": []}], "grid: lora.r = []: give a value"),
    ],
)
def test_a_wrong_grid_among_several_is_refused(grid: Any, reason: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(reason)}"):
        configure(grid)
