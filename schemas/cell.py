"""The settings of a fine-tune: its base model, its prompt, its adapter and its training."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.label import LABELS, Label
from schemas.settings import NamingSettings, PositiveFloat, PositiveInt, Settings

STUDY_INSTRUCTION = (
    "Analyze the sentiment of the news headline enclosed in square brackets, determine if it is positive, neutral, or "
    "negative, and return the answer as the corresponding sentiment label "
    '"positive" or "neutral" or "negative".'
)
"""The instruction of Camargo 2024, section 4.2, to the byte."""


WITHOUT_EFFECT = frozenset(
    {
        "micro_batch_size",
        "gradient_checkpointing",
        "side_by_side",
        "checkpoint_minutes",
        "checkpoint_steps",
        "retries",
    }
)
"""Settings of a training that change memory, speed or safety, but not the gradient of a batch."""


OF_RECORD = ("trained_until",)
"""Settings of a base model that document it and change no result."""

TRAINED_UNTIL = "base_model.trained_until"

OF_EXAMPLES = ("examples_by", "examples_seed")
"""Settings of a prompt that have an effect only where it has examples."""

MOST_EXAMPLES = 256
"""The most examples before a headline; no base model profits from as many."""


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
    examples: int = Field(
        default=0,
        ge=0,
        le=MOST_EXAMPLES,
        description="Labelled headlines of the train part that are shown before each headline, in training, evaluation "
        "and scoring. Never the headline itself or a near copy of it.",
    )
    examples_by: Literal["fixed", "nearest"] = Field(
        default="fixed",
        description="Which examples. `fixed`: the same before every headline, balanced over the labels and not trained "
        "on. `nearest`: those most similar to the headline, by TF-IDF of their characters.",
    )
    examples_seed: int = Field(
        default=42,
        ge=0,
        lt=2**32,
        description="Seed of the choice of `fixed` examples and of the order in which examples are shown.",
    )

    context: bool = Field(
        default=True,
        description="Show the text of `data.context_column` before each headline, where the data have one.",
    )

    template: str = Field(
        default="{headline}",
        description="The text in the square brackets. `{headline}` is the headline and `{instrument}` what it is "
        "about, as in `{instrument}: {headline}`: the same text may be good for one instrument and bad for another.",
    )

    @property
    def names_instrument(self) -> bool:
        """Whether the prompt names what a headline is about."""
        return "{instrument}" in self.template

    @field_validator("template")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        message = f"template {value!r}: it needs {{headline}} once, may have {{instrument}}, and no other braces"
        try:
            fields = [field for field in Formatter().parse(value) if field[1] is not None]
        except ValueError:
            raise ValueError(message) from None
        names = [name for _, name, _, _ in fields]
        plain = all(not form and not conversion for *_, form, conversion in fields)
        if names.count("headline") != 1 or not {*names} <= {"headline", "instrument"} or not plain:
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_word_a_label(self) -> Self:
        if set(self.label_words) != set(LABELS) or len(set(self.label_words.values())) != len(LABELS):
            raise ValueError("label_words needs one word of its own for each of negative, neutral and positive")
        words = [word.casefold() for word in self.label_words.values()]
        if any(one != other and one in other for one in words for other in words):
            raise ValueError(f"label_words {words}: none may be part of another, or an answer could mean both")
        if not all(word.strip() == word and word for word in self.label_words.values()):
            raise ValueError("label_words must not be empty or begin or end with white space")
        return self


HUB_NAME_WITH_REVISION = re.compile(r"([\w.-]+/[\w.-]+)@(.+)")


class BaseModelSettings(NamingSettings):
    """The model that is fine-tuned."""

    name: str = Field(description="`embedded`, a folder, or ORG/NAME[@REVISION] on the hub.", min_length=1)
    revision: str | None = Field(
        default=None,
        description="Hub model only: commit, branch or tag; the newest commit when not given. The commit is recorded.",
    )
    quantization: Literal["nf4", "none"] = Field(
        default="nf4",
        description="4-bit NormalFloat weights of linear layers, or none. The experts of a mixture keep 16 bits.",
    )
    trained_until: date | None = Field(
        default=None,
        description="Last day of the texts that the model was pretrained on, as in 2023-03-01. It may have read "
        "headlines of that day or before; those of test are counted, and `scores` marks them. Changes no result and no "
        "id. Where several models vary, give each its own, in a grid of its own.",
    )

    @field_validator("trained_until", mode="before")
    @classmethod
    def _a_day(cls, value: Any) -> Any:
        """Refuse a number, which would be read as seconds since 1970."""
        if isinstance(value, bool | int | float):
            raise ValueError(f"{value!r} is no day: write one as in 2023-03-01")  # noqa: TRY004 (pydantic shows it)
        return value

    @model_validator(mode="before")
    @classmethod
    def _split_revision(cls, values: Any) -> Any:
        """Take the revision out of the name of a hub model."""
        named = HUB_NAME_WITH_REVISION.fullmatch(str(values.get("name"))) if isinstance(values, Mapping) else None
        if named is None or Path(named.string).expanduser().exists():
            return values
        return {**values, "name": named[1], "revision": named[2]}


class LoraSettings(Settings):
    """The adapter. It sits on all linear layers and has no bias."""

    r: PositiveInt = Field(default=64, description="Rank.")
    alpha: PositiveFloat = Field(default=16, description="Scale: the update is multiplied by alpha / r.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout on the adapter's input while it trains.")


class TrainingSettings(Settings):
    """How a model is trained: an adapter, or all weights of an encoder."""

    learning_rate: PositiveFloat = Field(default=2e-4, description="Peak learning rate.")
    epochs: PositiveInt = Field(default=3, description="Passes over the train part.")
    seed: int = Field(default=42, ge=0, lt=2**32, description="Seed of initialisation, order and dropout.")
    loss: Literal["completion", "whole-text"] = Field(
        description="Loss over the label only, or over every token of the text, as in the study."
    )
    method: Literal["auto", "full", "lora"] = Field(
        default="auto",
        description="What is trained: a LoRA adapter, or all weights. `auto`: an adapter on a causal language model, "
        "all weights of an encoder.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="Encoder only: weight of each class in the loss. `balanced`: inverse to its share of train.",
    )
    batch_size: PositiveInt = Field(default=8, description="Headlines per optimiser step.")
    micro_batch_size: PositiveInt | None = Field(
        default=None,
        description="Headlines per forward pass; the gradient of a batch is accumulated over several. When not given, "
        "the largest divisor of the batch up to 16, for an encoder the whole batch; halved where memory runs out. "
        "Another value draws dropout from other random numbers.",
    )
    schedule: Literal["constant", "cosine", "warmup-stable-decay"] = Field(
        description="Learning rate after the warm-up. `constant` and `warmup-stable-decay` do not depend on the number "
        "of epochs until a decay begins, so cells that differ only in epochs share their training."
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
        description="Precision of activations and of weights that are not quantised; adapters are always float32. "
        "`auto`: float32 on a CPU; on a GPU bfloat16, or float16 if the GPU lacks bfloat16. An encoder has float32 "
        "weights and scores in float32; on a CPU this setting has no effect on an encoder.",
    )
    optimizer: Literal["auto", "adamw_torch", "adamw_torch_fused", "paged_adamw_32bit", "paged_adamw_8bit"] = Field(
        default="auto",
        description="Variant of AdamW. `auto`: torch's fused one; for causal models a paged one on a GPU without room "
        "for whole weights.",
    )
    attention: Literal["auto", "sdpa", "eager"] = Field(
        default="auto", description="Implementation of attention; the model's own choice for `auto`."
    )
    gradient_checkpointing: bool | None = Field(
        default=None,
        description="Compute activations again in the backward pass, to save memory; when not given, only for causal "
        "models on a GPU without room for whole weights.",
    )
    side_by_side: Literal["auto"] | PositiveInt = Field(
        default="auto",
        description="How many trainings share each pass over the base model; they may differ only in learning rate, "
        "epochs and seed. `auto`: as many as a GPU's memory takes; one on a CPU, on Ray, for encoders, and "
        "where the base stays in 4 bits or activations are computed again.",
    )
    checkpoint_minutes: PositiveFloat = Field(
        default=5, description="Minutes between checkpoints, from which a killed training goes on."
    )
    checkpoint_steps: PositiveInt | None = Field(
        default=None, description="Also write a checkpoint after this many steps."
    )
    retries: int = Field(
        default=2, ge=0, description="How often a cell that died is tried again before it counts as failed."
    )

    @model_validator(mode="after")
    def _whole_micro_batches(self) -> Self:
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            raise ValueError(f"batch_size {self.batch_size} is no multiple of micro_batch_size {self.micro_batch_size}")
        return self


class CellSettings(Settings):
    """The resolved settings of one cell."""

    base_model: BaseModelSettings
    prompt: PromptSettings = PromptSettings()
    lora: LoraSettings = LoraSettings()
    training: TrainingSettings
