"""One model on labelled headlines: probabilities, draws and figures for each temperature. Knows no Prefect, no SQL."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.adapter import attach_saved_adapter
from learning.base_model import load_model, load_tokenizer
from learning.baselines import fit_baseline
from learning.decoding import Decoding
from learning.device import choose_device, start_peak_memory
from learning.metrics import Metrics, draw_outcomes, measure, parsed_labels
from learning.scoring import score_headlines
from schemas.config import DecodingSettings, PromptSettings
from schemas.label import LABELS


@dataclass(frozen=True)
class LabelledPart:
    """The headlines of one part of the split."""

    name: str
    headline_ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def label_numbers(self) -> NDArray[np.int64]:
        """[N] labels, numbered as in `schemas.label.LABELS`."""
        return np.array([LABELS.index(label) for label in self.labels])


@dataclass(frozen=True)
class Evaluation:
    """A model on one part at one temperature, with a prediction for each headline of the part."""

    part: LabelledPart
    temperature: float | None
    """None for a baseline, which does not sample."""
    metrics: Metrics
    predicted: NDArray[np.int64]
    """[N] label numbers."""
    probabilities: NDArray[np.float64] | None
    """[N, 4]: negative, neutral, positive, unparsed; None for a baseline that decides without any."""
    seconds: float
    """Of scoring the part at all temperatures."""


def evaluate_model(
    parts: Sequence[LabelledPart],
    model_folder: Path,
    adapter_folder: Path | None,
    *,
    quantization: str,
    prompt: PromptSettings,
    decoding: DecodingSettings,
    on_headlines: Callable[[int], None],
) -> list[Evaluation]:
    """Score a base model, or a fine-tune of it, on several parts at every temperature.

    Args:
        parts: Labelled headlines.
        model_folder: The base model's folder.
        adapter_folder: The adapter's folder; None for the untouched base.
        quantization: Of the base model's weights.
        prompt: What stands around a headline.
        decoding: Temperatures, cuts and the seed of the draws.
        on_headlines: Is told how many headlines are done, over all parts.

    Raises:
        InputError: The model's folder is not fit, or a headline is longer than it takes.
    """
    device = choose_device()
    start_peak_memory(device)
    tokenizer = load_tokenizer(model_folder)
    model = load_model(model_folder, quantization, device)
    decodings = [Decoding(temperature, decoding.top_k, decoding.top_p) for temperature in decoding.temperatures]
    evaluations: list[Evaluation] = []
    finished = 0
    if adapter_folder is not None:
        model = attach_saved_adapter(model, adapter_folder)
    for part in parts:
        start = time.monotonic()
        probabilities = score_headlines(
            model,
            tokenizer,
            part.texts,
            prompt,
            decodings,
            batch_tokens=device.scoring_tokens,
            on_batch=lambda done, before=finished: on_headlines(before + done),  # type: ignore[misc]
        ).numpy()
        seconds = time.monotonic() - start
        finished += len(part.texts)
        evaluations += [
            _sample(part, probabilities[:, column], temperature, decoding.seed, seconds)
            for column, temperature in enumerate(decoding.temperatures)
        ]
    return evaluations


def evaluate_baseline(
    name: str, train: LabelledPart, parts: Sequence[LabelledPart], seed: int, encoder_folder: Path | None = None
) -> list[Evaluation]:
    """Fit a baseline on train and evaluate it on each part.

    Where it decides without probabilities, it is measured as one that is sure of what it says.

    Raises:
        EncoderError: The encoder of its embeddings cannot be loaded.
    """
    answer = fit_baseline(name, train.texts, train.label_numbers, seed, encoder_folder)
    evaluations = []
    for part in parts:
        start = time.monotonic()
        predicted, by_label = answer(part.texts)
        probabilities = None if by_label is None else np.pad(by_label, ((0, 0), (0, 1)))
        certain = np.eye(len(LABELS) + 1)[predicted]
        metrics = measure(part.label_numbers, predicted, certain if probabilities is None else probabilities, seed)
        evaluations.append(Evaluation(part, None, metrics, predicted, probabilities, time.monotonic() - start))
    return evaluations


def _sample(
    part: LabelledPart, probabilities: NDArray[np.float64], temperature: float, seed: int, seconds: float
) -> Evaluation:
    outcomes = draw_outcomes(probabilities, part.headline_ids, temperature, seed)
    metrics = measure(part.label_numbers, outcomes, probabilities, seed)
    return Evaluation(part, temperature, metrics, parsed_labels(outcomes), probabilities, seconds)
