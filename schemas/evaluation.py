"""Settings of how models are judged: baselines, decoding, the race and the gate."""

from typing import Any

from pydantic import Field, field_validator

from schemas.settings import NamingSettings, PositiveFloat, PositiveInt, Settings, refuse_repeats

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
        default=None, description="Sample among the k likeliest tokens; all when not given. No effect on encoders."
    )
    top_p: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Sample among the fewest tokens that hold this probability; all if not given. No effect on "
        "encoders.",
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
        default=0.05, ge=0, le=1, description="Largest share of test headlines to which its answer may be no label."
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
