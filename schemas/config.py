"""Every setting of a study, with its meaning, unit and bounds. Values live in `profiles/`; defaults are few.

A `StudyConfig` is the parameter of the flow `retrain`, so these descriptions are also the form in the Prefect UI.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.formats import Format, LabelledFormat
from schemas.label import LABELS, Label, fold_word
from schemas.listing import show

STUDY_INSTRUCTION = (
    "Analyze the sentiment of the news headline enclosed in square brackets, determine if it is positive, neutral, or "
    "negative, and return the answer as the corresponding sentiment label "
    '"positive" or "neutral" or "negative".'
)
"""The instruction of Camargo 2024, section 4.2, to the byte."""


PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(ge=1, lt=2**31)]


Value = TypeVar("Value", str, float)


def _refuse_repeats(values: tuple[Value, ...]) -> tuple[Value, ...]:
    if len(set(values)) != len(values):
        raise ValueError(f"{show(list(values))} names a value twice")
    return values


class Settings(BaseModel):
    """Frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NamingSettings(Settings):
    """Settings that name files, columns or models: no text in them holds a NUL character, which no path may hold."""

    @field_validator("*")
    @classmethod
    def _no_null_character(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError(f"{value!r:.50} holds a NUL character: take it out")
        return value


class DataSettings(NamingSettings):
    """Where the labelled headlines come from and how they are read."""

    is_labelled: ClassVar[bool] = True
    """Whether a row needs a label."""

    @classmethod
    def call(cls, setting: str) -> str:
        """What the commands that read such a source call a setting of it."""
        return f"data.{setting}"

    @classmethod
    def option(cls, setting: str, value: str = "NAME") -> str:
        """How these commands set it."""
        return f"--set {cls.call(setting)}={value}"

    source: str = Field(
        description="`embedded`, the path of a file or folder, or hf:ORG/NAME[:CONFIG][@REVISION].", min_length=1
    )
    text_column: str | None = Field(
        default=None,
        description="Column of the headline; found by names and values when not given. "
        "Its number, from 1, where a CSV has no header.",
    )
    label_column: str | None = Field(
        default=None,
        description="Column of the label; found by names and values when not given. Its number, from 1, where a CSV "
        "has no header.",
    )
    label_map: dict[str, Label] | None = Field(
        default=None, description="The source's label words, case ignored, to positive, neutral or negative."
    )
    encoding: str | None = Field(default=None, description="Text encoding; detected when not given.")
    format: LabelledFormat | None = Field(
        default=None, description="Kind of file, `csv` for tabs too; recognised by the content when not given."
    )
    delimiter: str | None = Field(
        default=None,
        description="Character between the fields of a CSV, or `tab`; found when not given.",
    )
    header_row: PositiveInt | None = Field(
        default=None,
        description="Line of a CSV, or row of an Excel sheet, that names the columns, from 1; found when not given.",
    )
    agreement: Literal[50, 66, 75, 100] = Field(
        default=50, description="FinancialPhraseBank only: least share of annotators that agree, in per cent."
    )
    duplicates: Literal["merge", "keep"] = Field(
        default="merge",
        description="`merge`: rows of equal text and label become one headline. `keep`: every row stays, as in the "
        "study, those whose labels disagree too; a copy may then cross a split of the method `study`.",
    )
    conflicts: Literal["drop", "majority", "keep"] = Field(
        default="drop",
        description="Merged duplicates whose labels disagree. `drop`: all are rejected. `majority`: the label of more "
        "than half of them is accepted and the others are rejected. `keep`: one headline for each label.",
    )
    near_duplicates: Literal["numbers", "reworded"] = Field(
        default="reworded",
        description="What counts as a near copy, which never crosses a split. `numbers`: texts that differ in numbers, "
        "case, links, @mentions, trailing hashtags and damage alone. `reworded`: also texts whose words are nearly the "
        "same, in any order.",
    )
    max_rejected: float = Field(
        default=0.1, ge=0, le=1, description="Share of the rows that may be rejected; beyond it nothing is ingested."
    )

    @field_validator("label_map")
    @classmethod
    def _one_label_a_word(cls, value: dict[str, Label] | None) -> dict[str, Label] | None:
        known: dict[str, str] = {}
        for word, label in (value or {}).items():
            folded = fold_word(word)
            if not folded:
                raise ValueError(
                    f"it maps an empty word to {label}: a row without a label has none, leave the word out"
                )
            if label != known.setdefault(folded, label):
                raise ValueError(f"it maps {word!r:.50} to {known[folded]} and to {label}, case ignored: keep one")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value in {"tab", "\\t"}:
            return "\t"
        if value is not None and (len(value) != 1 or value in '"\r\n'):
            raise ValueError(f"{value!r} is no delimiter: give one character, or tab")
        return value


class UnlabelledSettings(DataSettings):
    """Where headlines without labels come from and how they are read; a label beside one is of no matter."""

    is_labelled: ClassVar[bool] = False

    @classmethod
    def call(cls, setting: str) -> str:
        """What `fintone score` calls a setting of its source."""
        return "--source-format" if setting == "format" else f"--{setting.replace('_', '-')}"

    @classmethod
    def option(cls, setting: str, value: str = "") -> str:
        """How it sets it."""
        return f"{cls.call(setting)} {value}".rstrip()

    format: Format | None = Field(  # type: ignore[assignment]
        default=None,
        description="Kind of file, `csv` for tabs too, `lines` for a headline a line; recognised by the content when "
        "not given.",
    )


class SplitSettings(Settings):
    """Which headlines train, which choose between models, and which judge."""

    method: Literal["hashed", "study"] = Field(
        description="`hashed`: by a seeded hash of each group of near copies, which it keeps in one part. `study`: "
        "scikit-learn's `train_test_split` on each class in the order of the source, as the study did it."
    )
    balance: Literal["balanced", "natural"] = Field(
        default="balanced",
        description="`balanced`: as many headlines of each class. `natural`: the same number in all, shared among the "
        "classes as in the source.",
    )
    train_per_class: PositiveInt = Field(description="Headlines of each class in train; the mean when natural.")
    test_per_class: PositiveInt = Field(description="Headlines of each class in test; the mean when natural.")
    validation_per_class: PositiveInt | None = Field(
        default=None,
        description="Headlines of each class in validation at most, of what train and test leave; all if not given.",
    )
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of the split.")


class PromptSettings(Settings):
    """The words around a headline and the word that stands for each label."""

    instruction: str = Field(default=STUDY_INSTRUCTION, description="Text before the headline.", min_length=1)
    label_words: dict[Label, str] = Field(
        default_factory=lambda: {label: label.value for label in LABELS},
        description="The word that the model answers for each label.",
    )
    spellings: Literal["exact", "any"] = Field(
        default="exact",
        description="What counts as a label. `exact`: a token that holds its word, as in the study, or the tokens of "
        "the word. `any`: also capitalised, in capitals, and without the space before it; costs scoring time.",
    )

    @model_validator(mode="after")
    def _one_word_a_label(self) -> Self:
        if set(self.label_words) != set(LABELS) or len(set(self.label_words.values())) != len(LABELS):
            raise ValueError("label_words needs one word of its own for each of negative, neutral and positive")
        words = [word.casefold() for word in self.label_words.values()]
        if any(one != other and one in other for one in words for other in words):
            raise ValueError(f"label_words {words}: none may stand inside another, or an answer could mean both")
        if not all(word.strip() == word and word for word in self.label_words.values()):
            raise ValueError("label_words must not be empty or begin or end with white space")
        return self


class BaseModelSettings(NamingSettings):
    """The model that is fine-tuned."""

    name: str = Field(description="`embedded`, a folder, or ORG/NAME on the hub.", min_length=1)
    revision: str | None = Field(
        default=None,
        description="Hub model only: commit, branch or tag; the newest commit when not given. The commit is recorded.",
    )
    quantization: Literal["nf4", "none"] = Field(default="nf4", description="4-bit NormalFloat weights, or none.")


class BaselineSettings(NamingSettings):
    """What the models are measured against, on the same headlines."""

    names: tuple[str, ...] = Field(
        default=("majority class", "finance lexicon", "TF-IDF + linear SVM"),
        description="Which run: `majority class`, the train part's; `finance lexicon`, fintone's own word lists; "
        "`TF-IDF + linear SVM`, on words and characters.",
    )
    embedding_model: str | None = Field(
        default=None,
        description="Also run sentence embeddings + logistic regression, with this encoder in sentence-transformers' "
        "format: a folder, or ORG/NAME[@REVISION] on the hub. Needs `pip install 'fintone[embeddings]'`.",
        min_length=1,
    )

    @field_validator("names")
    @classmethod
    def _all_different(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _refuse_repeats(values)


class LoraSettings(Settings):
    """The adapter. It sits on all linear layers and has no bias."""

    r: PositiveInt = Field(default=64, description="Rank.")
    alpha: PositiveFloat = Field(default=16, description="Scale: the update is multiplied by alpha / r.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout on the adapter's input while it trains.")


class TrainingSettings(Settings):
    """What every cell of the grid has in common."""

    loss: Literal["completion", "whole-text"] = Field(
        description="Loss over the label alone, or over every token of the text, as in the study."
    )
    batch_size: PositiveInt = Field(default=8, description="Headlines an optimiser step.")
    micro_batch_size: PositiveInt | None = Field(
        default=None,
        description="Headlines a forward pass; the gradient of a batch is accumulated over several. By the device when "
        "not given; halved where memory runs out.",
    )
    schedule: Literal["constant", "cosine", "warmup-stable-decay"] = Field(
        description="Learning rate after the warm-up. `constant` and `warmup-stable-decay` do not depend on the number "
        "of epochs until a decay begins, so that cells which differ in epochs alone share their training."
    )
    warmup_ratio: float = Field(
        default=0.03, ge=0, lt=1, description="Share of the first epoch's steps to warm up; of all steps for a cosine."
    )
    decay_ratio: float = Field(
        default=0.2, gt=0, le=1, description="Share of a cell's steps that `warmup-stable-decay` falls to zero over."
    )
    weight_decay: float = Field(default=0.001, ge=0, description="Decoupled weight decay.")
    max_grad_norm: PositiveFloat = Field(default=0.3, description="Gradients are clipped to this norm.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto",
        description="Of activations and of weights that are not quantised; adapters are always float32. `auto`: "
        "float32 on a CPU; on a GPU bfloat16, or float16 where it has none.",
    )
    optimizer: Literal["auto", "adamw_torch", "adamw_torch_fused", "paged_adamw_32bit", "paged_adamw_8bit"] = Field(
        default="auto",
        description="AdamW's kind. `auto`: torch's fused one; on a GPU that has no room for whole weights a paged one.",
    )
    attention: Literal["auto", "sdpa", "eager"] = Field(
        default="auto", description="Implementation of attention; the model's own choice for `auto`."
    )
    gradient_checkpointing: bool | None = Field(
        default=None,
        description="Compute activations anew in the backward pass, for less memory; when not given, on a GPU that has "
        "no room for whole weights.",
    )
    side_by_side: Literal["auto"] | PositiveInt = Field(
        default="auto",
        description="Trainings that share each pass over the base model, of those that differ in learning rate, epochs "
        "and seed alone. `auto`: on a GPU as many as its memory takes, on a CPU one. One, too, where the base stays in "
        "4 bits or activations are computed anew.",
    )
    checkpoint_minutes: PositiveFloat = Field(
        default=5, description="Minutes between checkpoints, from which a killed training goes on."
    )
    checkpoint_steps: PositiveInt | None = Field(default=None, description="Steps between checkpoints as well.")
    retries: int = Field(
        default=2, ge=0, description="How often a cell that died is tried again before it counts as failed."
    )

    @model_validator(mode="after")
    def _whole_micro_batches(self) -> Self:
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            raise ValueError(f"batch_size {self.batch_size} is no multiple of micro_batch_size {self.micro_batch_size}")
        return self


class GridSettings(Settings):
    """The hyperparameters that vary: one cell for each combination."""

    learning_rates: tuple[PositiveFloat, ...] = Field(description="Peak learning rates.", min_length=1)
    epochs: tuple[PositiveInt, ...] = Field(description="Passes over the train part.", min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(
        default=(42,), description="Seeds of initialisation, order and dropout.", min_length=1
    )
    curve_epochs: tuple[PositiveInt, ...] = Field(
        default=(), description="After the grid, also train the best learning rate for these epochs."
    )

    @field_validator("learning_rates", "epochs", "seeds", "curve_epochs")
    @classmethod
    def _all_different(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return _refuse_repeats(values)


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
        description="Draws for each headline. The first is its prediction in the ledger, and never changes with their "
        "number; more of them show how far a sampled figure moves, and cost no scoring.",
    )
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of the draws.")


class PromotionSettings(Settings):
    """When the fine-tune that validation chose takes the champion's place. They change no id of a study or a cell."""

    level: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Level that all judgements by the same test headlines share: McNemar's exact tests against the "
        "champion and the best baseline have 6 / (pi^2 k^2) of it at the k-th judgement.",
    )
    min_accuracy: float = Field(default=0.5, ge=0, le=1, description="Accuracy on test that it must reach.")
    max_unparsed_rate: float = Field(
        default=0.05, ge=0, le=1, description="Share of test headlines at most that it may answer with no label."
    )
    beat_baseline: bool = Field(default=True, description="Whether it must beat the study's best baseline, too.")


class RunnerSettings(Settings):
    """Where cells are trained and scored. It changes no result, and so no id of a study or a cell."""

    kind: Literal["local", "ray"] = Field(
        default="local",
        description="`local`: on this machine (`training.side_by_side`). `ray`: on the nodes of a Ray cluster, cells "
        "that share no training side by side. Needs `pip install 'fintone[ray]'` and a Prefect server.",
    )
    address: str | None = Field(
        default=None,
        description="Of the Ray cluster: HOST:6379, or ray://HOST:10001. When not given, the one that runs on this "
        "machine or, where none does, one that is started for the run.",
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


class ScoreSettings(NamingSettings):
    """Headlines without labels, the model that labels them, and where the answers go beside the warehouse."""

    source: str = Field(
        description="The path of a file or folder, hf:ORG/NAME[:CONFIG][@REVISION], or - for standard input.",
        min_length=1,
    )
    model: str = Field(
        default="champion", description="`champion`, or the id of a fine-tuned cell, or its first 4 characters or more."
    )
    temperature: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Sampling temperature of the probabilities, one that the model was judged at; the nearest to 1 of "
        "these when not given.",
    )
    output: str | None = Field(
        default=None, description="A file for the answers: .csv, .jsonl or .parquet. The warehouse has them anyhow."
    )
    text_column: str | None = Field(
        default=None, description="Column of the headline; found by names and values when not given."
    )
    encoding: str | None = Field(default=None, description="Text encoding; detected when not given.")
    format: Format | None = Field(
        default=None, description="Kind of file, `lines` for a headline a line; recognised when not given."
    )
    delimiter: str | None = Field(
        default=None, description="Character between the fields of a CSV; found if not given."
    )
    header_row: PositiveInt | None = Field(
        default=None,
        description="Line of a CSV, or row of an Excel sheet, that names the columns, from 1; found if not given.",
    )
    raw: bool = Field(
        default=False, description="Keep text as it is in a CSV that a spreadsheet would run as a formula."
    )
    unparsed: Literal["label", "neutral"] = Field(
        default="label",
        description="The label of an answer that is no label. `label`: unparsed. `neutral`: neutral, as in the study's "
        "evaluations. Its probability is not part of the confidence either way.",
    )
    drift_tolerance: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="How far a label's share, or the mean confidence, may lie from that on the model's test part, "
        "beyond noise, before an event tells of it.",
    )

    @property
    def reading(self) -> UnlabelledSettings:
        """How the source is read."""
        names = {"source", "text_column", "encoding", "format", "delimiter", "header_row"}
        return UnlabelledSettings(**self.model_dump(include=names))


class StudyConfig(Settings):
    """One study: snapshot x split x base model x grid x temperatures. One config, one answer."""

    name: str = Field(description="Name of the profile.", pattern=r"^[a-z][a-z0-9-]*$")
    data: DataSettings
    split: SplitSettings
    prompt: PromptSettings = PromptSettings()
    base_model: BaseModelSettings
    baselines: BaselineSettings = BaselineSettings()
    lora: LoraSettings = LoraSettings()
    training: TrainingSettings
    grid: GridSettings
    decoding: DecodingSettings
    promotion: PromotionSettings = PromotionSettings()
    runner: RunnerSettings = RunnerSettings()
