"""What travels between tasks: ids and frozen settings, never a model, a frame of text or a connection."""

from pathlib import Path
from typing import Literal

from schemas.config import Settings, StudyConfig

PARTS = ("validation", "test")
"""Parts of the split that every cell is evaluated on: one chooses, the other judges."""


class IngestedSource(Settings):
    """A source whose rows lie in the warehouse; not new if they lay there before."""

    ingest_id: str
    snapshot_id: str
    source: str
    synthetic: bool
    is_new: bool


class BaseModelPlan(Settings):
    """The base model that a study starts from, found and checked."""

    name: str
    folder: Path
    revision: str
    quantization: Literal["nf4", "none"]


class EncoderPlan(Settings):
    """The encoder of the embeddings baseline, found and checked."""

    name: str
    folder: Path
    revision: str


class BaselinePlan(Settings):
    """A baseline of a study, and what identifies it."""

    name: str
    version: int
    encoder_revision: str | None = None


class CellPlan(Settings):
    """One cell of a study: the untouched base, a baseline, or a fine-tune."""

    cell_id: str
    kind: Literal["base", "baseline", "fine-tuned"]
    model: str
    learning_rate: float | None = None
    epochs: int | None = None
    seed: int | None = None

    @property
    def title(self) -> str:
        """How people see the cell: `lr=2e-04 epochs=3 seed=42`, or the name of the model."""
        if self.learning_rate is None:
            return f"base model {self.model}" if self.kind == "base" else self.model
        return f"lr={format_rate(self.learning_rate)} epochs={self.epochs} seed={self.seed}"


class StudyPlan(Settings):
    """A study with its data and all its cells."""

    study_id: str
    config: StudyConfig
    snapshot_id: str
    split_id: str
    base: BaseModelPlan
    base_cell: CellPlan
    baselines: tuple[CellPlan, ...]
    cells: tuple[CellPlan, ...]
    encoder: EncoderPlan | None = None


def format_rate(learning_rate: float) -> str:
    """A learning rate in scientific notation with no more digits than it has: `2e-04`, `1.5e-03`."""
    mantissa, exponent = f"{learning_rate:.12e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def name_cell(kind: str, model: str, learning_rate: float | None, epochs: int | None, seed: int | None) -> str:
    """A cell as a line of a table: `2e-04, 3 epochs, seed 42`, `base: NAME` or `baseline: NAME`."""
    if kind == "fine-tuned" and learning_rate is not None:
        return f"{format_rate(learning_rate)}, {epochs} epoch{'' if epochs == 1 else 's'}, seed {seed}"
    return f"{kind}: {model}"
