"""Every setting of a study, with its meaning, unit and bounds. Values live in `profiles/`; defaults are few.

A `StudyConfig` is the parameter of the flow `retrain`, so these descriptions are also the form in the Prefect UI.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
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
from schemas.settings import (
    NamingSettings,
    PositiveFloat,
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


DEFAULT_BASELINES = ("majority class", "finance lexicon", "TF-IDF + linear SVM")
"""The baselines that take only seconds."""


class BaselineSettings(NamingSettings):
    """The baselines that the models are compared with, on the same headlines."""

    names: tuple[str, ...] = Field(
        default=DEFAULT_BASELINES,
        description="Which to run: `majority class`, the train part's; `finance lexicon`, fintone's own word lists; "
        "`TF-IDF + linear SVM`, on words and characters; with probabilities: `TF-IDF + logistic regression`, `TF-IDF + "
        "naive Bayes`, `TF-IDF + neural network`, `TF-IDF + random forest`, and `soft-voting ensemble`, the mean of "
        "the best three of these by cross-validation on train. `default` stands for the first three, `all` for all.",
    )
    embedding_model: str | None = Field(
        default=None,
        description="Also run sentence embeddings + logistic regression, with this encoder in sentence-transformers' "
        "format: a folder, or ORG/NAME[@REVISION] on the hub. Needs `pip install 'fintone[embeddings]'`.",
        min_length=1,
    )

    @field_validator("names", mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("names")
    @classmethod
    def _all_different(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return refuse_repeats(values)


class DecodingSettings(Settings):
    """How a label is sampled from the model's distribution."""

    temperatures: tuple[PositiveFloat, ...] = Field(description="Sampling temperatures.", min_length=1)
    top_k: PositiveInt | None = Field(
        default=None, description="Sample among the k likeliest tokens; all when not given."
    )
    top_p: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Sample among the fewest tokens that hold this probability; all if not given.",
    )
    draws: PositiveInt = Field(
        default=1,
        description="Draws for each headline. The first is its prediction in the ledger, whatever their number. More "
        "draws show how far a sampled figure varies, and need no further scoring.",
    )
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of the draws.")

    @field_validator("temperatures")
    @classmethod
    def _all_different(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return refuse_repeats(values)


class PromotionSettings(Settings):
    """When the fine-tune that validation chose replaces the champion. No id of a study or a cell depends on these."""

    level: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Level that all judgements on the same test headlines share: McNemar's exact tests against the "
        "champion and the best baseline have 6 / (pi^2 k^2) of it at the k-th judgement.",
    )
    min_accuracy: float = Field(default=0.5, ge=0, le=1, description="Least accuracy on test.")
    max_unparsed_rate: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of test headlines that it may answer with no label."
    )
    beat_baseline: bool = Field(default=True, description="Whether it must beat the study's best baseline, too.")


class RaceSettings(Settings):
    """How a race drops cells (`search: race`); without a race it changes no id."""

    level: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Upper bound of the chance that a race drops any cell for one that is no better: each of McNemar's "
        "exact tests has this level divided by the number of tests that the race may make.",
    )


class RunnerSettings(Settings):
    """Where cells are trained and scored. It changes no result, and so no id of a study or a cell."""

    kind: Literal["local", "ray"] = Field(
        default="local",
        description="`local`: on this machine (`training.side_by_side`). `ray`: on the nodes of a Ray cluster, where "
        "cells that share no training run at the same time. Needs `pip install 'fintone[ray]'` and a Prefect server.",
    )
    address: str | None = Field(
        default=None,
        description="Address of the Ray cluster: HOST:6379, or ray://HOST:10001. When not given, the cluster on this "
        "machine or, where none runs, one that is started for the run.",
        min_length=1,
    )
    gpus_per_cell: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="GPUs that a cell reserves, a fraction where cells share one; 1 when not given, if a node has any.",
    )
    cpus_per_cell: PositiveInt = Field(
        default=1, description="CPU cores that a cell reserves; without a GPU it computes in as many threads."
    )
    storage: str | None = Field(
        default=None,
        description="Folder through which adapters and checkpoints travel: an absolute path that all machines share, "
        "or an fsspec address such as s3://BUCKET/FOLDER. A folder in FINTONE_HOME when not given, for a cluster on "
        "one machine.",
    )

    @field_validator("storage")
    @classmethod
    def _the_same_everywhere(cls, value: str | None) -> str | None:
        if value is not None and "://" not in value and not Path(value).is_absolute():
            raise ValueError(f"{value!r} is another folder on each machine: give an absolute path or an fsspec address")
        return value

    @field_validator("storage", "address")
    @classmethod
    def _without_a_secret(cls, value: str | None) -> str | None:
        """Settings are kept in the warehouse and shown by the Prefect UI."""
        if value is not None and "@" in value.partition("://")[2].partition("/")[0]:
            raise ValueError(
                "an address with a name or a password in it would be kept and shown: give the address alone, and the "
                "credentials to its library, as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        return value


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
                raise ValueError(explain_fixed(path) if path in settings else f"there is no setting {path!r:.50}")
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
        paths = [f"prompt.{name}" for name in OF_EXAMPLES if f"prompt.{name}" in self.varied]
        if paths and not any(self.varied.get("prompt.examples", (self.prompt.examples,))):
            raise ValueError(f"grid: {paths[0]} varies, and there are no examples; set prompt.examples, 4 for example")
        if "prompt.context" in self.varied and not self.data.context_column:
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

    @property
    def _grids(self) -> tuple[Grid, ...]:
        return self.grid if isinstance(self.grid, tuple) else (self.grid,)


def _check_line(text: str) -> str:
    """The text, if it is a line that people can read."""
    if not text.isprintable() or not text.strip() or text != text.strip():
        raise ValueError(f"{text!r:.50}: write one line, without blanks at its ends")
    return text
