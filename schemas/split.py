"""Settings of a split: which headlines train, which choose between models, and which judge."""

from datetime import datetime
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from schemas.settings import PositiveInt, Settings

OF_TIME = ("validation_from", "test_from", "validation_share", "test_share", "windows")
"""Settings of a split that have an effect only on the method `temporal`."""


class Repeats(NamedTuple):
    """How often a study splits its headlines; as text `5 folds` or `4 windows`."""

    n: int
    unit: Literal["fold", "window"]

    @property
    def units(self) -> str:
        """The unit's plural, which is the name of the setting."""
        return f"{self.unit}s"

    def __str__(self) -> str:
        return f"{self.n} {self.units}"


def find_repeats(folds: int | None, windows: int | None) -> Repeats | None:
    """How often settings split the headlines; None for a single split."""
    if folds:
        return Repeats(folds, "fold")
    return Repeats(windows, "window") if windows else None


class SplitSettings(Settings):
    """Which headlines train, which choose between models, and which judge."""

    method: Literal["hashed", "study", "given", "temporal"] = Field(
        description="`hashed`: by a seeded hash of each group of near copies, which it keeps in one part. `study`: "
        "scikit-learn's `train_test_split` on each class in the order of the source, as the study did it. `given`: the "
        "source's own, by `data.split_column` or by files named train, validation and test. `temporal`: "
        "by time of publication, the earliest in train and the latest in test. For the last two, sizes, balance and "
        "seed have no effect."
    )
    balance: Literal["balanced", "natural"] = Field(
        default="balanced",
        description="`balanced`: equally many headlines of each class. `natural`: the same total, shared among the "
        "classes as in the source.",
    )
    train_per_class: PositiveInt = Field(description="Headlines of each class in train; the mean when natural.")
    test_per_class: PositiveInt = Field(description="Headlines of each class in test; the mean when natural.")
    validation_per_class: PositiveInt | None = Field(
        default=None,
        description="At most this many headlines of each class in validation, of those that train and test leave; all "
        "if not given.",
    )
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of the split.")
    classes: Literal["all", "present"] = Field(
        default="all",
        description="`all`: the source must hold all three labels. `present`: a study of the labels that it holds, at "
        "least two; macro-F1 is the mean over those.",
    )
    folds: int | None = Field(
        default=None,
        ge=2,
        description="Cross-validation: train every cell this many times, so that each headline is in test once. Folds "
        "are stratified and keep near copies together, whatever the method; `test_per_class` has no effect. Train and "
        "validation come from the other folds. Such a study estimates a recipe; it promotes nothing.",
    )

    validation_from: datetime | None = Field(
        default=None,
        description="`temporal`: when validation begins, as 2025-01-31, in `data.timezone` unless it names a zone; by "
        "`validation_share` when not given.",
    )
    test_from: datetime | None = Field(
        default=None, description="`temporal`: when test begins; by `test_share` when not given."
    )
    validation_share: float = Field(
        default=0.1, gt=0, lt=1, description="`temporal`: share of the headlines, those before test, in validation."
    )
    test_share: float = Field(
        default=0.2, gt=0, lt=1, description="`temporal`: share of the headlines, the latest, in test."
    )
    windows: int | None = Field(
        default=None,
        ge=2,
        description="`temporal`: walk forward through test in this many windows. Every cell is trained for each: on "
        "what was published before the window, except for the stretch just before it, which is validation. Such a "
        "study estimates a recipe; it promotes nothing.",
    )

    @field_validator("validation_from", "test_from", mode="before")
    @classmethod
    def _iso_date(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                raise ValueError(f"{value!r} is no date: write it as 2025-10-01, or 2025-10-01T09:30") from None
        return value

    @model_validator(mode="after")
    def _settings_of_its_method(self) -> Self:
        if self.folds and self.method in {"given", "temporal"}:
            why = "has the source's own" if self.method == "given" else "goes by time: use split.windows"
            raise ValueError(
                f"folds: {self.folds} folds draw each part, and split.method={self.method} {why}; use "
                "split.method=hashed, or leave split.folds out"
            )
        named = [name for name in OF_TIME if getattr(self, name) != type(self).model_fields[name].default]
        if named and self.method != "temporal":
            raise ValueError(f"{named[0]}: has no effect on split.method={self.method}; set split.method=temporal")
        if self.validation_share + self.test_share >= 1 and not (self.validation_from and self.test_from):
            raise ValueError("validation_share and test_share leave nothing for train: their sum must be below 1")
        return self

    @property
    def effective_seed(self) -> int:
        """The seed of what is fitted on this split: the default where nothing is drawn."""
        return self.seed if self.is_drawn else int(type(self).model_fields["seed"].default)

    @property
    def is_drawn(self) -> bool:
        """Whether headlines are drawn into parts at random."""
        return self.method not in {"given", "temporal"}

    @property
    def repeats(self) -> Repeats | None:
        """The folds or windows; None for a single split."""
        return find_repeats(self.folds, self.windows)

    @property
    def fold_names(self) -> tuple[str, ...]:
        """The name of each fold or window, such as `fold=1`; none for a single split."""
        repeats = self.repeats
        return tuple(f"{repeats.unit}={number}" for number in range(1, repeats.n + 1)) if repeats else ()
