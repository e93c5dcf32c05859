"""One model on labelled headlines: probabilities, draws and figures for each temperature. Knows no Prefect, no SQL."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.base_model import load_tokenizer
from learning.baselines import fit_baseline
from learning.decoding import Decoding, LabelProbabilities
from learning.device import choose_device, start_peak_memory
from learning.metrics import Metrics, OutcomeFigures, draw_outcomes, measure, measure_outcomes
from learning.scoring import find_answers, score_headlines
from learning.scoring_model import find_token_budget, load_scoring_model
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
    outcomes: NDArray[np.int64]
    """[N] label numbers, or `UNPARSED`: the first draw or, of a baseline, what it decides."""
    probabilities: NDArray[np.float64] | None
    """[N, 4]: negative, neutral, positive, unparsed; None for a baseline without probabilities."""
    seconds: float
    """Of scoring the part at all temperatures."""
    argmax: NDArray[np.int64] | None = None
    """[N] outcomes as the temperature goes to 0; None for a baseline, which decides once."""
    draws: tuple[OutcomeFigures, ...] = ()
    """Figures of each draw; none for a baseline."""


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
        decoding: Temperatures, cuts and the draws.
        on_headlines: Is told how many headlines are done, over all parts.

    Raises:
        InputError: The model's folder is not fit, or a headline is longer than it takes.
    """
    device = choose_device()
    start_peak_memory(device)
    tokenizer = load_tokenizer(model_folder)
    model = load_scoring_model(model_folder, quantization, adapter_folder, device)
    answers, budget = find_answers(model, tokenizer, prompt), find_token_budget(model, device)
    decodings = [Decoding(temperature, decoding.top_k, decoding.top_p) for temperature in decoding.temperatures]
    evaluations: list[Evaluation] = []
    finished = 0
    for part in parts:
        start = time.monotonic()
        scored = score_headlines(
            model,
            tokenizer,
            answers,
            part.texts,
            prompt,
            decodings,
            batch_tokens=budget,
            on_batch=lambda done, before=finished: on_headlines(before + done),  # type: ignore[misc]
        )
        finished += len(part.texts)
        evaluations += _sample(part, scored, decoding, time.monotonic() - start)
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
        metrics = measure(part.label_numbers, predicted, probabilities, seed)
        evaluations.append(Evaluation(part, None, metrics, predicted, probabilities, time.monotonic() - start))
    return evaluations


def measure_draws(
    part: LabelledPart, probabilities: NDArray[np.float64], temperature: float, seed: int, numbers: range
) -> tuple[OutcomeFigures, ...]:
    """Figures of the draws with these numbers, from the [N, 4] probabilities of a part at one temperature."""
    drawn = (draw_outcomes(probabilities, part.headline_ids, temperature, seed, number) for number in numbers)
    return tuple(measure_outcomes(part.label_numbers, outcomes) for outcomes in drawn)


def _sample(
    part: LabelledPart, scored: LabelProbabilities, decoding: DecodingSettings, seconds: float
) -> list[Evaluation]:
    """An evaluation for each temperature, from what the part is answered with."""
    labels, argmax, seed = part.label_numbers, scored.argmax.numpy(), decoding.seed
    evaluations = []
    for column, temperature in enumerate(decoding.temperatures):
        probabilities = scored.sampled[:, column].numpy()
        outcomes = draw_outcomes(probabilities, part.headline_ids, temperature, seed)
        metrics = measure(labels, outcomes, probabilities, seed, argmax)
        draws = measure_draws(part, probabilities, temperature, seed, range(decoding.draws))
        evaluations.append(Evaluation(part, temperature, metrics, outcomes, probabilities, seconds, argmax, draws))
    return evaluations
