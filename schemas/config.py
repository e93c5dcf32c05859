"""Every setting of a study, with its meaning, unit and bounds. Values live in `profiles/`; defaults are few.

A `StudyConfig` is the parameter of the flow `retrain`, so these descriptions are also the form in the Prefect UI.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from schemas.cell import (
    OF_EXAMPLES,
    TRAINED_UNTIL,
    BaseModelSettings,
    CellSettings,
    LoraSettings,
    PromptSettings,
    TrainingSettings,
)
from schemas.evaluation import BaselineSettings, DecodingSettings, PromotionSettings, RaceSettings
from schemas.grid import (
    VARIABLE,
    Grid,
    Grids,
    Point,
    check_values,
    explain_fixed,
    iterate_points,
    open_short_names,
    resolve_point,
)
from schemas.nearest import did_you_mean
from schemas.runner import RunnerSettings
from schemas.settings import (
    PositiveInt,
    Settings,
    iterate_settings,
    refuse_repeats,
)
from schemas.source import DataSettings
from schemas.split import SplitSettings

TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
"""The key of a tag."""
LONGEST_TAG = 200
"""The most characters of its value."""


class StudyConfig(Settings):
    """One study: snapshot x split x models x grid x temperatures. One config, one answer."""

    name: str = Field(description="Name of the profile.", pattern=r"^[a-z][a-z0-9-]*$")
    study_name: str | None = Field(
        default=None,
        description="A readable name of the study (`--name`); it changes no id. A run without one keeps the name.",
        max_length=80,
    )
    tags: dict[str, str] = Field(
        default={},
        description="Tags of the study (`--tag desk=fx`): keys to values. They change no id. A run without tags keeps "
        "them; a run with tags replaces them.",
        max_length=20,
    )
    data: DataSettings
    split: SplitSettings
    prompt: PromptSettings = PromptSettings()
    base_model: BaseModelSettings
    baselines: BaselineSettings = BaselineSettings()
    lora: LoraSettings = LoraSettings()
    training: TrainingSettings
    grid: Grids = Field(
        default={},
        description="Settings that vary, each with its values, as in `{lora.r: [16, 64], training.epochs: [1, 3]}`: "
        "one cell for each combination. Any setting of `base_model`, `prompt`, `lora` or `training` that changes a "
        "result may vary. A list of such grids has the cells of each, for models that need different learning "
        "rates. `learning_rates`, `epochs` and `seeds` are short for `training.learning_rate`, "
        "`training.epochs` and `training.seed`.",
    )
    curve_epochs: tuple[PositiveInt, ...] = Field(
        default=(), description="After the grid, also train the cell that is best on validation for these epochs."
    )
    search: Literal["all", "race"] = Field(
        default="all",
        description="`all`: every cell of the grid is trained to its end. `race`: at the end of each epoch the cells "
        "are compared on validation, and those that are significantly worse than the best are dropped, so that their "
        "later epochs are not trained. A cell that is not dropped has the same result as under `all`. Untouched "
        "bases, baselines, the epoch curve and studies with `split.folds` or `split.windows` do not race.",
    )
    race: RaceSettings = RaceSettings()
    decoding: DecodingSettings
    promotion: PromotionSettings = PromotionSettings()
    runner: RunnerSettings = RunnerSettings()

    @model_validator(mode="before")
    @classmethod
    def _open_short_names(cls, values: Any) -> Any:
        return open_short_names(values) if isinstance(values, Mapping) else values

    @field_validator("study_name")
    @classmethod
    def _a_name_to_read(cls, value: str | None) -> str | None:
        return None if value is None else _check_line(value)

    @field_validator("tags")
    @classmethod
    def _tags_to_read(cls, tags: dict[str, str]) -> dict[str, str]:
        for key, value in tags.items():
            if not TAG.fullmatch(key):
                raise ValueError(f"{key!r:.50} is no key of a tag: take up to 40 letters, digits, _, . and -")
            if len(_check_line(value)) > LONGEST_TAG:
                raise ValueError(f"the value of {key} has {len(value)} characters, more than {LONGEST_TAG}")
        return tags

    @field_validator("grid")
    @classmethod
    def _only_what_may_vary(cls, grid: Grid | tuple[Grid, ...]) -> Grid | tuple[Grid, ...]:
        settings = dict(iterate_settings(cls))
        grids = grid if isinstance(grid, tuple) else (grid,)
        for path in dict.fromkeys(path for axes in grids for path in axes):
            if path not in VARIABLE:
                unknown = f"there is no setting {path!r:.50}{did_you_mean(path, VARIABLE)}"
                raise ValueError(explain_fixed(path) if path in settings else unknown)
        checked = tuple({path: check_values(path, values) for path, values in axes.items()} for axes in grids)
        if not checked:
            raise ValueError("is an empty list; give a grid, or {} for none")
        return checked if isinstance(grid, tuple) else checked[0]

    @field_validator("curve_epochs")
    @classmethod
    def _all_different(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return refuse_repeats(values)

    @model_validator(mode="after")
    def _something_to_vary(self) -> Self:
        varied = self.varied
        paths = [f"prompt.{name}" for name in OF_EXAMPLES if f"prompt.{name}" in varied]
        if paths and not any(varied.get("prompt.examples", (self.prompt.examples,))):
            raise ValueError(f"grid: {paths[0]} varies, and there are no examples; set prompt.examples, 4 for example")
        if "prompt.context" in varied and not self.data.context_column:
            raise ValueError("grid: prompt.context varies, and there is no context; set data.context_column")
        return self

    @model_validator(mode="after")
    def _points_that_fit(self) -> Self:
        days: dict[tuple[str, str | None], date | None] = {}
        for cell in self.resolve_all():
            base = cell.base_model
            known = days.setdefault((base.name, base.revision), base.trained_until)
            if known != base.trained_until:
                both = " and ".join(str(day or "not set") for day in (known, base.trained_until))
                raise ValueError(f"{TRAINED_UNTIL} of {base.name} is {both}: give one day for each model")
        return self

    @property
    def races(self) -> bool:
        """Whether the grid is a race; the folds of a study are trained to their end."""
        return self.search == "race" and not self.split.repeats

    @property
    def varied(self) -> dict[str, tuple[JsonValue, ...]]:
        """Every setting that a grid names, with each value that a cell has."""
        if not isinstance(self.grid, tuple):
            return self.grid
        cells = [cell.model_dump(mode="json") for cell in self.resolve_all()]
        varied: dict[str, tuple[JsonValue, ...]] = {}
        for path in dict.fromkeys(path for grid in self.grid for path in grid):
            group, _, name = path.partition(".")
            values = {json.dumps(cell[group][name], sort_keys=True): cell[group][name] for cell in cells}
            varied[path] = tuple(values.values())
        return varied

    def resolve(self, point: Point) -> CellSettings:
        """The settings of the cell at a point of the grid."""
        fixed = CellSettings(base_model=self.base_model, prompt=self.prompt, lora=self.lora, training=self.training)
        return resolve_point(fixed, point)

    def resolve_all(self) -> list[CellSettings]:
        """The settings of every cell of the grid, each once, the last setting of the grid changing fastest."""
        cells = (self.resolve(point) for grid in self._grids for point in iterate_points(grid))
        return list({cell.model_dump_json(): cell for cell in cells}.values())

    def resolve_asked(self) -> list[CellSettings]:
        """The settings of one cell of the grid for each base model with each prompt."""
        cells = {
            (cell.base_model.model_dump_json(), cell.prompt.model_dump_json()): cell for cell in self.resolve_all()
        }
        return list(cells.values())

    @property
    def _grids(self) -> tuple[Grid, ...]:
        return self.grid if isinstance(self.grid, tuple) else (self.grid,)


def _check_line(text: str) -> str:
    """The text, if it is a line that people can read."""
    if not text.isprintable() or not text.strip() or text != text.strip():
        raise ValueError(f"{text!r:.50}: write one line, without blanks at its ends")
    return text
