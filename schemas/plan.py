"""What tasks pass to each other: ids and frozen settings, never a model, a frame of text or a connection."""

from pathlib import Path
from typing import Literal, NamedTuple

from schemas.cell import CellSettings
from schemas.config import StudyConfig
from schemas.settings import Settings

PARTS = ("validation", "test")
"""Parts of the split that every cell is evaluated on: one chooses, the other judges."""


class IngestedSource(Settings):
    """A source whose rows are in the warehouse; not new if they were there before."""

    ingest_id: str
    snapshot_id: str
    source: str
    synthetic: bool
    is_new: bool


class BaseModelPlan(Settings):
    """A base model that a study starts from, found and checked."""

    name: str
    folder: Path
    revision: str
    quantization: Literal["nf4", "none"]
    kind_of_model: str
    """As `causal` or `encoder`; see `learning.kinds`."""
    training_version: int
    """Version of the kind's training code."""
    answers_untouched: bool
    """Whether the untouched model is a cell too."""


class FoundModel(NamedTuple):
    """A base model that was found for a cell, and the cell's settings as its kind of model follows them."""

    base: BaseModelPlan
    settings: CellSettings
    ignored: tuple[str, ...] = ()
    """Settings, or groups of settings, that mean nothing to the kind."""


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
    """One cell of a study: an untouched base, a baseline, or a fine-tune."""

    cell_id: str
    kind: Literal["base", "baseline", "fine-tuned"]
    model: str
    """The base model, or the baseline."""
    name: str
    """The readable name of the cell; it shows what varies in the study, as `lr=2e-04 epochs=3`."""


class ModelCell(CellPlan):
    """A cell with a base model, untouched or with an adapter."""

    kind: Literal["base", "fine-tuned"]
    base: BaseModelPlan
    settings: CellSettings
    """Resolved; for an untouched base, those of the training have no effect except precision and attention."""
    ignored: tuple[str, ...] = ()
    """Settings, or groups of settings, that mean nothing to its kind of model; its name leaves them out."""
    training_id: str | None = None
    """The id of a fine-tune's training, which it shares with those that differ from it only in epochs."""

    def __hash__(self) -> int:
        """By its id: settings hold a mapping."""
        return hash(self.cell_id)


class StudyPlan(Settings):
    """A study with its data and all its cells."""

    study_id: str
    config: StudyConfig
    snapshot_id: str
    split_id: str
    base_cells: tuple[ModelCell, ...]
    baselines: tuple[CellPlan, ...]
    cells: tuple[ModelCell, ...]
    encoder: EncoderPlan | None = None
    folds: tuple["StudyPlan", ...] = ()
    """The study on each fold of its split, with the cells that are trained and evaluated there; `cells` pools them."""

    @property
    def runs(self) -> tuple["StudyPlan", ...]:
        """The studies to train: the study on each fold, or the study itself where it has no folds."""
        return self.folds or (self,)

    @property
    def cells_without_folds(self) -> tuple[ModelCell, ...]:
        """Untouched bases that answer all folds at once, since their prompt holds nothing from a fold."""
        return tuple(base for base in self.base_cells if self.folds and not base.settings.prompt.examples)


def format_rate(learning_rate: float) -> str:
    """A learning rate in scientific notation without trailing zeros: `2e-04`, `1.5e-03`."""
    mantissa, exponent = f"{learning_rate:.12e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
