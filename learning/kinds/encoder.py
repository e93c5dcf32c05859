"""Encoders with a classification head: fine-tuned with all weights or LoRA, or untouched if they know sentiment."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learning.kinds.settling import ignored_by_schedule, settle_training
from learning.prompt.lengths import Length
from schemas.cell import CellSettings, LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from schemas.model_card import ExportForm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from learning.kinds.kind import Export
    from learning.models.device import Device
    from learning.models.encoder_rows import Row
    from learning.models.fine_tune import FineTune
    from learning.models.model_files import ModelFiles
    from learning.prompt.decoding import Decoding, LabelProbabilities
    from learning.training.recipe import Recipe, Training, TrainingOutcome

TRAINING_CHANGES = {1: "encoders are trained"}
"""Like `learning.study.identity.TRAINING_CHANGES`, for encoders."""


class EncoderKind:
    """The kind `encoder`."""

    name = "encoder"

    @property
    def training_changes(self) -> dict[int, str]:
        """See `learning.kinds.kind.ModelKind`."""
        return TRAINING_CHANGES

    def claims(self, config: dict[str, Any]) -> bool:
        """Any encoder of a family that transformers has as sequence classifiers."""
        from learning.models.encoder_checks import is_encoder

        return is_encoder(config)

    def check_config(self, files: "ModelFiles") -> None:
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_checks import check_config
        from learning.models.encoder_checks import check_encoder

        check_config(files, check_encoder)

    def check_folder(self, folder: Path) -> str:
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_model import check_model_folder
        from learning.models.encoder_checks import check_encoder

        return check_model_folder(folder, check_encoder).revision

    def settle(self, settings: CellSettings) -> CellSettings:
        """Set quantization to `none`, and settings that mean nothing to an encoder to their defaults."""
        full = settings.training.method != "lora"
        values = {"loss": "completion", "method": "auto" if full else "lora"}
        return settings.model_copy(
            update={
                "base_model": settings.base_model.model_copy(update={"quantization": "none"}),
                "prompt": PromptSettings(),
                "lora": LoraSettings() if full else settings.lora,
                "training": settle_training(settings.training).model_copy(update=values),
            }
        )

    def ignored(self, settings: CellSettings) -> tuple[str, ...]:
        """An encoder has no prompt and one loss; with all its weights trained it has no adapter."""
        ignored = ("base_model.quantization", "prompt", "training.loss", *ignored_by_schedule(settings.training))
        return ignored if settings.training.method == "lora" else (*ignored, "lora")

    def answers_untouched(self, folder: Path) -> bool:
        """Whether it has a head for the three labels."""
        from learning.models.base_model import NOUN
        from learning.models.encoder_checks import find_labels
        from learning.models.model_files import find_configuration

        return find_labels(find_configuration(NOUN, folder)) is not None

    def find_too_long(
        self,
        config_folder: Path,
        headlines: Sequence[str],
        prompt: PromptSettings,  # noqa: ARG002 (an encoder has none)
        complete: Callable[[], Path | None],
    ) -> dict[int, Length]:
        """See `learning.kinds.kind.ModelKind`."""
        from learning.models.base_model import NOUN
        from learning.models.bound import read_config
        from learning.models.encoder import load_encoder_tokenizer
        from learning.models.encoder_checks import most_tokens
        from learning.prompt.lengths import SPECIAL_TOKENS, count_bytes

        bound = most_tokens(read_config(NOUN, config_folder))
        if bound is None:
            return {}
        places = [place for place, text in enumerate(headlines) if count_bytes(text) + SPECIAL_TOKENS > bound]
        folder = complete() if places else None
        if folder is None:
            return {}
        encoded = load_encoder_tokenizer(folder)([headlines[place] for place in places])["input_ids"]
        lengths = {place: Length(len(ids), bound) for place, ids in zip(places, encoded, strict=True)}
        return {place: length for place, length in lengths.items() if length.tokens > bound}

    def load(self, folder: Path, quantization: str, training: TrainingSettings) -> "EncoderModel":  # noqa: ARG002
        """See `learning.kinds.kind.ModelKind`; encoders are not quantised."""
        from learning.models.device import choose_device

        return EncoderModel(folder, choose_device(training))

    def check_fine_tune(self, folder: Path, expected: str | None) -> str:
        """All weights, or a LoRA adapter; see `learning.models.encoder_checks.check_fine_tuned`."""
        from learning.models.encoder_checks import check_fine_tuned

        return check_fine_tuned(folder, expected)

    def describe_export(self, settings: CellSettings, *, merge: bool) -> ExportForm:  # noqa: ARG002
        """A whole classifier, even if an adapter was trained."""
        merged = ", with the LoRA adapter added" if settings.training.method == "lora" else ""
        return ExportForm(
            is_whole=True,
            summary="a classifier for transformers' pipeline",
            description=f"The folder holds a whole sequence classifier in float32{merged}.",
            library="transformers",
            task="text-classification",
            usage=(
                "The input is just the headline, without a prompt. The pipeline's probabilities are at temperature 1.",
                "",
                "```python",
                "from transformers import pipeline",
                "",
                'classify = pipeline("text-classification", model="FOLDER", top_k=None, truncation=True)',
                'classify(["Profit rose in the third quarter"])',
                "```",
            ),
        )

    def write(self, export: "Export", output: Path, *, merge: bool) -> None:  # noqa: ARG002 (the export is whole either way)
        """Write a folder that transformers' `pipeline("text-classification")` loads."""
        from learning.models.device import choose_device
        from learning.models.encoder import write_classifier

        write_classifier(export.base_folder, export.fine_tune, choose_device(export.settings.training), output)


class EncoderModel:
    """An encoder: its folder, its tokenizer, and the classifier that was used last."""

    def __init__(self, folder: Path, device: "Device") -> None:
        """Load the encoder, which shows at once whether it can be loaded."""
        from dataclasses import replace

        import torch

        from learning.models.encoder import load_encoder, load_encoder_tokenizer
        from learning.models.encoder_checks import most_tokens

        self.folder = folder
        self.device = device if device.name == "cuda" else replace(device, dtype=torch.float32)  # no autocast there
        self.tokenizer = load_encoder_tokenizer(folder)
        self.loaded: tuple[FineTune | None, Any] = (None, load_encoder(folder, device))
        self.bound = most_tokens(self.loaded[1].config.to_dict())

    @property
    def arithmetic(self) -> str:
        """Encoders score in float32."""
        return "float32"

    def fits(self, headlines: Sequence[str], prompt: PromptSettings) -> "NDArray[np.bool_]":  # noqa: ARG002
        """See `learning.scoring.model_evaluation.Scorer`."""
        import numpy as np

        if self.bound is None or not headlines:
            return np.ones(len(headlines), dtype=bool)
        return np.array([len(ids) <= self.bound for ids in self.tokenizer(list(headlines))["input_ids"]])

    def _encode(self, headlines: Sequence[str]) -> "list[Row]":
        from learning.models.encoder_rows import encode_headlines

        return encode_headlines(headlines, self.tokenizer, self.bound)

    def probabilities(
        self,
        fine_tune: "FineTune | None",
        headlines: Sequence[str],
        prompt: PromptSettings,  # noqa: ARG002 (an encoder has none)
        decodings: "Sequence[Decoding]",
        on_headlines: Callable[[int], None],
    ) -> "LabelProbabilities":
        """See `learning.scoring.model_evaluation.Scorer`."""
        from learning.models.quiet import quiet_libraries
        from learning.scoring.classification import classify_rows

        with quiet_libraries():
            return classify_rows(
                self._score_with(fine_tune),
                self._encode(headlines),
                [decoding.temperature for decoding in decodings],
                pad_token=self.tokenizer.pad_token_id,
                device=self.device,
                on_batch=on_headlines,
            )

    def _score_with(self, fine_tune: "FineTune | None") -> Any:
        from learning.models.encoder import load_encoder, load_fine_tuned

        if self.loaded[0] != fine_tune or self.loaded[1] is None:
            self.loaded = (None, None)
            model = (
                load_fine_tuned(self.folder, *fine_tune, self.device)
                if fine_tune
                else load_encoder(self.folder, self.device)
            )
            self.loaded = (fine_tune, model)
        return self.loaded[1]

    def count_side_by_side(self, headlines: Sequence[str], labels: Sequence[Label], recipe: "Recipe") -> int:  # noqa: ARG002
        """1: encoders share no pass."""
        return 1

    def train(
        self,
        headlines: Sequence[str],
        labels: Sequence[Label],
        trainings: "Sequence[Training]",
        notify: Callable[[str], None],
    ) -> "list[TrainingOutcome]":
        """Train one after the other; see `learning.training.encoder_training.train_encoder`."""
        from learning.training.encoder_training import train_encoder

        self.release()
        rows, pad_token = self._encode(headlines), self.tokenizer.pad_token_id
        return [train_encoder(self.folder, rows, labels, each, self.device, pad_token, notify) for each in trainings]

    def release(self) -> None:
        """Drop the classifier that was used last."""
        self.loaded = (None, None)


KIND = EncoderKind()
