"""The interface of a kind of model: `ModelKind` for its files and `LoadedModel` for a model in memory.

`ModelKind` checks, loads and exports. `LoadedModel` trains (recipes in, folders of fine-tunes out) and gives
probabilities (headlines and decodings in, probabilities of the labels out).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from learning.models.model_files import ModelFiles
from learning.prompt.lengths import Length
from learning.scoring.model_evaluation import Scorer
from learning.training.recipe import Recipe, Training, TrainingOutcome
from schemas.cell import CellSettings, PromptSettings, TrainingSettings
from schemas.evaluation import DecodingSettings
from schemas.label import Label
from schemas.model_card import ExportForm


class LoadedModel(Scorer, Protocol):
    """A base model in memory, which trains and scores."""

    def count_side_by_side(self, headlines: Sequence[str], labels: Sequence[Label], recipe: Recipe) -> int:
        """How many trainings with this recipe run side by side on N headlines with N labels, 1 or more.

        Headlines that are longer than the model takes are cut to the longest beginning that it takes.
        """

    def train(
        self,
        headlines: Sequence[str],
        labels: Sequence[Label],
        trainings: Sequence[Training],
        notify: Callable[[str], None],
    ) -> list[TrainingOutcome]:
        """Train a fine-tune for each recipe and write it to its folder; resume from its checkpoints, if there are any.

        Headlines that are longer than the model takes are cut to the longest beginning that it takes.

        Args:
            headlines: N texts.
            labels: N labels.
            trainings: Recipes that differ only in learning rate, epochs and seed.
            notify: Receives messages for the user.
        """

    def release(self) -> None:
        """Leave the base as it was loaded, without a fine-tune."""


class Export(NamedTuple):
    """The files and settings that an export needs."""

    base_folder: Path
    base_name: str
    revision: str | None
    """The commit of a hub model; None for any other."""
    settings: CellSettings
    """Those of the cell; the prompt is the one that its study asked."""
    decoding: DecodingSettings
    """How its answers were sampled for the ledger."""
    fine_tune: Path
    """The folder of the fine-tune."""


class ModelKind(Protocol):
    """A kind of model."""

    name: str
    """Its name in plans and ids."""

    @property
    def training_changes(self) -> Mapping[int, str]:
        """For each version of the training code, why the same settings give other weights than in the version before.

        The last version is part of a fine-tune's id.
        """

    def claims(self, config: dict[str, Any]) -> bool:
        """Whether a model with this config.json is of the kind."""

    def check_config(self, files: ModelFiles) -> None:
        """Check a configuration; the weights may be absent.

        Raises:
            InputError: The model does not fit.
        """

    def check_folder(self, folder: Path) -> str:
        """Check the files of a model and return their revision: a hash of the files that are read.

        Raises:
            InputError: Something is missing or does not fit.
        """

    def settle(self, settings: CellSettings) -> CellSettings:
        """A cell's settings as they take effect; those that mean nothing to this kind have their defaults.

        Cells that differ only in such settings are therefore one cell.

        Raises:
            InputError: This kind does not support a setting's value.
        """

    def ignored(self, settings: CellSettings) -> tuple[str, ...]:
        """The settings, or groups of settings, that mean nothing to this kind; names of cells leave them out."""

    def answers_untouched(self, folder: Path) -> bool:
        """Whether a checked model answers headlines without a fine-tune."""

    def find_too_long(
        self, config_folder: Path, headlines: Sequence[str], prompt: PromptSettings, complete: Callable[[], Path | None]
    ) -> dict[int, Length]:
        """The headlines that are too long for the model with prompt and label, by index; loads no weights.

        Args:
            config_folder: A folder with the model's configuration; other files may be absent.
            headlines: N texts.
            prompt: The prompt around a headline.
            complete: Returns the folder with all files; called only if a headline may be too long. If it returns None,
                the result is empty.

        Raises:
            InputError: Not even an empty headline fits.
        """

    def load(self, folder: Path, quantization: str, training: TrainingSettings) -> LoadedModel:
        """Load a model whose folder was checked.

        Args:
            folder: Its folder.
            quantization: `nf4` or `none`.
            training: The settings with precision, optimizer and attention.

        Raises:
            InputError: It cannot be loaded, fine-tuned or scored.
        """

    def check_fine_tune(self, folder: Path, expected: str | None) -> str:
        """Check the files of a fine-tune, and return their hash.

        Args:
            folder: Its folder.
            expected: The hash that they must have; any when None.

        Raises:
            AdapterError: They are damaged, or have another hash.
        """

    def describe_export(self, settings: CellSettings, *, merge: bool) -> ExportForm:
        """A description of the export that `write` makes of a cell with these settings, and of its use."""

    def write(self, export: Export, output: Path, *, merge: bool) -> None:
        """Write a fine-tune to an empty folder for other tools: by itself, or merged with the weights of its base."""
