"""Causal language models: used untouched, or with a LoRA adapter that was trained on 4-bit or whole weights."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learning.kinds.settling import ignored_by_schedule, settle_training
from learning.study import identity
from schemas.cell import CellSettings, PromptSettings, TrainingSettings
from schemas.errors import InputError
from schemas.label import Label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from learning.kinds.kind import Export
    from learning.models.fine_tune import FineTune
    from learning.models.loaded_base import LoadedBase
    from learning.models.model_files import ModelFiles
    from learning.prompt.decoding import Decoding, LabelProbabilities
    from learning.prompt.lengths import Length
    from learning.training.recipe import Recipe, Training, TrainingOutcome
    from schemas.model_card import ExportForm


class CausalKind:
    """The kind `causal`."""

    name = identity.FIRST_KIND

    @property
    def training_changes(self) -> dict[int, str]:
        """See `learning.study.identity.TRAINING_CHANGES`."""
        return identity.TRAINING_CHANGES

    def claims(self, config: dict[str, Any]) -> bool:  # noqa: ARG002 (the last kind claims what is left)
        """Any model: one that is not causal is refused when its files are checked."""
        return True

    def check_config(self, files: "ModelFiles") -> None:
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_checks import check_causal, check_config

        check_config(files, check_causal)

    def check_folder(self, folder: Path) -> str:
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_model import check_model_folder

        return check_model_folder(folder).revision

    def settle(self, settings: CellSettings) -> CellSettings:
        """Set the method to `auto`: a causal language model trains an adapter, with every class of equal weight."""
        if settings.training.method == "full":
            raise InputError(
                f"training.method full: {settings.base_model.name} is a causal language model, of which an adapter is "
                "trained; set training.method=auto, or give an encoder"
            )
        if settings.training.class_weights != "none":
            raise InputError(
                f"training.class_weights {settings.training.class_weights}: {settings.base_model.name} is a causal "
                "language model, whose loss has no classes; set training.class_weights=none, or give an encoder"
            )
        training = settle_training(settings.training).model_copy(update={"method": "auto"})
        return settings.model_copy(update={"training": training})

    def ignored(self, settings: CellSettings) -> tuple[str, ...]:
        """What the schedule ignores."""
        return ignored_by_schedule(settings.training)

    def answers_untouched(self, folder: Path) -> bool:  # noqa: ARG002
        """True: any causal language model does."""
        return True

    def find_too_long(
        self, config_folder: Path, headlines: Sequence[str], prompt: PromptSettings, complete: Callable[[], Path | None]
    ) -> "dict[int, Length]":
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_model import NOUN, load_tokenizer
        from learning.models.bound import read_bound
        from learning.prompt.lengths import find_candidates, find_too_long

        bound = read_bound(NOUN, config_folder)
        if bound is None or not find_candidates(headlines, prompt, bound):
            return {}
        folder = complete()
        return {} if folder is None else find_too_long(headlines, load_tokenizer(folder), prompt, bound)

    def load(self, folder: Path, quantization: str, training: TrainingSettings) -> "CausalModel":
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.device import choose_device
        from learning.models.loaded_base import LoadedBase
        from learning.scoring.probe import probe_base

        base = LoadedBase(folder, quantization, choose_device(training))
        probe_base(base)
        return CausalModel(base)

    def check_fine_tune(self, folder: Path, expected: str | None) -> str:
        """A LoRA adapter in PEFT's format; see `learning.models.adapter_files.check_adapter`."""
        from learning.models.adapter_files import check_adapter

        return check_adapter(folder, expected)

    def describe_export(self, settings: CellSettings, *, merge: bool) -> "ExportForm":
        """A LoRA adapter, or whole weights with the adapter in them."""
        from learning.kinds.causal_card import describe_export

        return describe_export(settings, merge=merge)

    def write(self, export: "Export", output: Path, *, merge: bool) -> None:
        """Write a LoRA adapter in PEFT's format, or whole weights with the adapter in them."""
        from learning.models.export import write_adapter, write_merged, write_script

        settings = export.settings
        if merge:
            write_merged(
                export.base_folder, settings.base_model.quantization, export.fine_tune, settings.training, output
            )
        elif export.revision:
            write_adapter(export.fine_tune, export.base_name, export.revision, output)
        else:
            write_adapter(export.fine_tune, str(export.base_folder), None, output)
        write_script(export.base_folder, settings, export.decoding, output, merge=merge)


class CausalModel:
    """A causal language model in memory."""

    def __init__(self, base: "LoadedBase") -> None:
        """Train and score with this base."""
        self.base = base

    @property
    def arithmetic(self) -> str:
        """The dtype of the activations, as torch names it."""
        return self.base.device.dtype_name

    def fits(self, headlines: Sequence[str], prompt: PromptSettings) -> "NDArray[np.bool_]":
        """See `learning.scoring.model_evaluation.Scorer`."""
        import numpy as np

        from learning.prompt.encoding import longest_allowed
        from learning.prompt.lengths import find_too_long

        bound, fits = longest_allowed(self.base.model.config), np.ones(len(headlines), dtype=bool)
        fits[list(find_too_long(headlines, self.base.tokenizer, prompt, bound))] = False
        return fits

    def _fit(self, headlines: Sequence[str], prompt: PromptSettings) -> list[str]:
        """The headlines, each cut if the model does not take it whole."""
        from learning.prompt.encoding import longest_allowed
        from learning.prompt.lengths import fit_headlines

        return fit_headlines(headlines, self.base.tokenizer, prompt, longest_allowed(self.base.model.config))

    def probabilities(
        self,
        fine_tune: "FineTune | None",
        headlines: Sequence[str],
        prompt: PromptSettings,
        decodings: "Sequence[Decoding]",
        on_headlines: Callable[[int], None],
    ) -> "LabelProbabilities":
        """See `learning.scoring.model_evaluation.Scorer`."""
        from learning.scoring.scoring import find_token_budget, score_headlines

        model = self.base.score_with(fine_tune)
        return score_headlines(
            model,
            self.base.tokenizer,
            self.base.answers(prompt),
            self._fit(headlines, prompt),
            prompt,
            decodings,
            batch_tokens=find_token_budget(model, self.base.device),
            on_batch=on_headlines,
        )

    def count_side_by_side(self, headlines: Sequence[str], labels: Sequence[Label], recipe: "Recipe") -> int:
        """See `learning.kinds.kind.LoadedModel`."""
        from learning.training.cell import count_side_by_side

        return count_side_by_side(self.base, self._fit(headlines, recipe.prompt), labels, recipe)

    def train(
        self,
        headlines: Sequence[str],
        labels: Sequence[Label],
        trainings: "Sequence[Training]",
        notify: Callable[[str], None],
    ) -> "list[TrainingOutcome]":
        """See `learning.training.cell.train_adapters`."""
        from learning.training.cell import train_adapters

        fitting = self._fit(headlines, trainings[0].recipe.prompt)
        return train_adapters(self.base, fitting, labels, trainings, notify=notify)

    def release(self) -> None:
        """See `learning.kinds.kind.LoadedModel`."""
        self.base.release()


KIND = CausalKind()
