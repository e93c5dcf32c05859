"""A base model or a fine-tune of it on labelled headlines: scored, sampled and measured at each temperature."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.decoding import UNPARSED, Decoding, LabelProbabilities
from learning.encoding import encode_prompts, longest_allowed
from learning.evaluation import CurvePoint, Evaluation, LabelledPart, measure_draws
from learning.loaded_base import LoadedBase
from learning.metrics import draw_outcomes, measure
from learning.scoring import find_token_budget, score_headlines
from schemas.config import DecodingSettings, PromptSettings
from schemas.label import LABELS, Label

CURVE_TEMPERATURES = tuple(round(10 ** (step / 4), 4) for step in range(-6, 7))
"""From .03 to 32, four for each power of ten: accuracy over temperature, of the same forward pass."""


def evaluate_model(
    base: LoadedBase,
    adapter_folder: Path | None,
    parts: Sequence[LabelledPart],
    *,
    prompt: PromptSettings,
    decoding: DecodingSettings,
    on_headlines: Callable[[int], None],
) -> list[Evaluation]:
    """Score a base model, or a fine-tune of it, on several parts at every temperature.

    Args:
        base: The base model.
        adapter_folder: The adapter's folder; None for the untouched base.
        parts: Labelled headlines.
        prompt: What stands around a headline.
        decoding: Temperatures, cuts and the draws.
        on_headlines: Is told how many headlines are done, over all parts.

    Raises:
        InputError: A headline is longer than the model takes.
    """
    tokenizer, model = base.tokenizer, base.score_with(adapter_folder)
    answers, budget = base.answers(prompt), find_token_budget(model, base.device)
    every = (*decoding.temperatures, *CURVE_TEMPERATURES)
    decodings = [Decoding(temperature, decoding.top_k, decoding.top_p) for temperature in every]
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


def answer_headlines(
    base: LoadedBase, adapter_folder: Path, headlines: Sequence[str], prompt: PromptSettings, decoding: Decoding
) -> NDArray[np.float64]:
    """What a fine-tune says of headlines without labels.

    Returns:
        [N, 4]: probability of negative, neutral, positive and of no label; NaN for a headline that is longer than the
        model takes.
    """
    model = base.score_with(adapter_folder)
    longest = longest_allowed(model.config)
    lengths = [len(ids) for ids in encode_prompts(headlines, base.tokenizer, prompt)]
    fitting = [row for row, length in enumerate(lengths) if longest is None or length <= longest]
    probabilities = np.full((len(headlines), UNPARSED + 1), np.nan)
    if fitting:
        scored = score_headlines(
            model,
            base.tokenizer,
            base.answers(prompt),
            [headlines[row] for row in fitting],
            prompt,
            [decoding],
            batch_tokens=find_token_budget(model, base.device),
            on_batch=lambda _: None,
        )
        probabilities[fitting] = scored.sampled[:, 0].numpy()
    return probabilities


def _sample(
    part: LabelledPart, scored: LabelProbabilities, decoding: DecodingSettings, seconds: float
) -> list[Evaluation]:
    """An evaluation for each temperature, from what the part is answered with."""
    labels, argmax, seed = part.label_numbers, scored.argmax.numpy(), decoding.seed
    evaluations, curve = [], _draw_curve(labels, scored, len(decoding.temperatures))
    for column, temperature in enumerate(decoding.temperatures):
        probabilities = scored.sampled[:, column].numpy()
        outcomes = draw_outcomes(probabilities, part.headline_ids, temperature, seed)
        metrics = measure(labels, outcomes, probabilities, argmax)
        draws = measure_draws(part, probabilities, temperature, seed, range(decoding.draws))
        evaluations.append(
            Evaluation(part, temperature, metrics, outcomes, probabilities, seconds, argmax, draws, curve)
        )
    return evaluations


def _draw_curve(labels: NDArray[np.int64], scored: LabelProbabilities, first: int) -> tuple[CurvePoint, ...]:
    """The points of `CURVE_TEMPERATURES`, which stand from column `first` on."""
    probabilities = scored.sampled[:, first:].numpy()  # [N, T, 4]
    by_label = probabilities[..., : len(LABELS)].copy()
    by_label[..., LABELS.index(Label.NEUTRAL)] += probabilities[..., UNPARSED]
    right = by_label[np.arange(len(labels)), :, labels]
    means = zip(CURVE_TEMPERATURES, right.mean(axis=0), probabilities[..., UNPARSED].mean(axis=0), strict=True)
    return tuple(CurvePoint(temperature, float(accuracy), float(none)) for temperature, accuracy, none in means)
