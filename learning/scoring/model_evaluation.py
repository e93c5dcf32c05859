"""A base model or a fine-tune of it on labelled headlines: scored, sampled and measured at each temperature."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding, LabelProbabilities
from learning.prompt.encoding import encode_prompts, longest_allowed
from learning.scoring.scoring import find_token_budget, score_headlines
from learning.study.evaluation import CurvePoint, Evaluation, LabelledPart, measure_draws
from learning.study.metrics import draw_outcomes, measure
from learning.study.unparsed import UNPARSED, with_unparsed
from schemas.cell import PromptSettings
from schemas.config import DecodingSettings

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
    adapter_hash: str | None = None,
) -> list[Evaluation]:
    """Score a base model, or a fine-tune of it, on several parts at every temperature.

    Args:
        base: The base model.
        adapter_folder: The adapter's folder; None for the untouched base.
        parts: Labelled headlines.
        prompt: The prompt around a headline.
        decoding: Temperatures, cuts and the draws.
        on_headlines: Called with the number of headlines done, over all parts.
        adapter_hash: The hash that the adapter's files must have; any when None.

    Raises:
        AdapterError: It is another adapter, or damaged.
        InputError: A headline is longer than the model takes.
        NotFiniteError: The model's logits are NaN or infinite.
    """
    tokenizer, model = base.tokenizer, base.score_with(adapter_folder, adapter_hash)
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


@dataclass(frozen=True)
class Answers:
    """A model's answers to N headlines without labels."""

    fits: NDArray[np.bool_]
    """[N]: whether a headline is short enough for the model; only such headlines have an answer."""
    probabilities: NDArray[np.float64]
    """[fitting, 4]: probability of negative, neutral, positive and unparsed, in the order of the headlines."""


def answer_headlines(
    base: LoadedBase,
    adapter_folder: Path | None,
    headlines: Sequence[str],
    prompt: PromptSettings,
    decoding: Decoding,
    adapter_hash: str | None = None,
) -> Answers:
    """The answers of a base model, or a fine-tune of it, to headlines without labels.

    Args:
        base: The base model.
        adapter_folder: The adapter's folder; None for the untouched base.
        headlines: N texts.
        prompt: The prompt around a headline.
        decoding: How an answer is sampled.
        adapter_hash: The hash that the adapter's files must have; any when None.

    Raises:
        AdapterError: It is another adapter, or damaged.
        NotFiniteError: The model's logits are NaN or infinite.
    """
    model = base.score_with(adapter_folder, adapter_hash)
    longest = longest_allowed(model.config)
    lengths = np.array([len(ids) for ids in encode_prompts(headlines, base.tokenizer, prompt)])
    fits = lengths <= (np.inf if longest is None else longest)
    probabilities = np.empty((0, UNPARSED + 1))
    if fits.any():
        scored = score_headlines(
            model,
            base.tokenizer,
            base.answers(prompt),
            [headline for headline, fit in zip(headlines, fits, strict=True) if fit],
            prompt,
            [decoding],
            batch_tokens=find_token_budget(model, base.device),
            on_batch=lambda _: None,
        )
        probabilities = scored.sampled[:, 0].numpy()
    return Answers(fits, probabilities)


def _sample(
    part: LabelledPart, scored: LabelProbabilities, decoding: DecodingSettings, seconds: float
) -> list[Evaluation]:
    """An evaluation for each temperature, from the answers to the part."""
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
    """The points of `CURVE_TEMPERATURES`, which begin at column `first`."""
    probabilities = scored.sampled[:, first:].numpy()  # [N, T, 4]
    right = with_unparsed(probabilities)[np.arange(len(labels)), :, labels]
    means = zip(CURVE_TEMPERATURES, right.mean(axis=0), probabilities[..., UNPARSED].mean(axis=0), strict=True)
    return tuple(CurvePoint(temperature, float(accuracy), float(none)) for temperature, accuracy, none in means)
