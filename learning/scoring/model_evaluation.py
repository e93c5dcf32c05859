"""Evaluates a base model or a fine-tune on labelled headlines: scores, samples and measures at each temperature."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from learning.models.fine_tune import FineTune
from learning.prompt.decoding import Decoding, LabelProbabilities
from learning.study.evaluation import CurvePoint, Evaluation, LabelledPart, measure_draws
from learning.study.metrics import draw_outcomes, measure
from learning.study.unparsed import UNPARSED, true_label_probabilities
from schemas.cell import PromptSettings
from schemas.evaluation import DecodingSettings

CURVE_TEMPERATURES = tuple(round(10 ** (step / 4), 4) for step in range(-6, 7))
"""From .03 to 32, four for each power of ten: temperatures for the curve of accuracy, from the same forward pass."""


class Scorer(Protocol):
    """A model in memory that answers headlines, untouched or with a fine-tune."""

    @property
    def arithmetic(self) -> str:
        """The dtype of its arithmetic: float32, bfloat16 or float16."""

    def fits(self, headlines: Sequence[str], prompt: PromptSettings) -> NDArray[np.bool_]:
        """[N]: whether each of N headlines is short enough for the model."""

    def probabilities(
        self,
        fine_tune: FineTune | None,
        headlines: Sequence[str],
        prompt: PromptSettings,
        decodings: Sequence[Decoding],
        on_headlines: Callable[[int], None],
    ) -> LabelProbabilities:
        """The probabilities of the answers to N headlines for each of D decodings: [N, D, 4].

        Args:
            fine_tune: The fine-tune; None for the untouched base.
            headlines: N texts; those that do not fit are cut to the longest beginning that does.
            prompt: The prompt around a headline.
            decodings: How an answer is sampled.
            on_headlines: Called with the number of headlines that are done.

        Raises:
            AdapterError: The fine-tune has another hash, or is damaged.
            InputError: Not even an empty headline fits.
            NotFiniteError: The model's logits are NaN or infinite.
        """


def evaluate_model(
    model: Scorer,
    fine_tune: FineTune | None,
    parts: Sequence[LabelledPart],
    *,
    prompt: PromptSettings,
    decoding: DecodingSettings,
    on_headlines: Callable[[int], None],
) -> list[Evaluation]:
    """Score a base model, or a fine-tune of it, on several parts at every temperature.

    Args:
        model: The base model.
        fine_tune: The fine-tune; None for the untouched base.
        parts: Labelled headlines.
        prompt: The prompt around a headline.
        decoding: Temperatures, cuts and draws.
        on_headlines: Called with the number of headlines that are done, over all parts.

    Raises:
        AdapterError: The fine-tune has another hash, or is damaged.
        NotFiniteError: The model's logits are NaN or infinite.
    """
    temperatures = (*decoding.temperatures, *CURVE_TEMPERATURES)
    decodings = [Decoding(temperature, decoding.top_k, decoding.top_p) for temperature in temperatures]
    evaluations: list[Evaluation] = []
    finished = 0
    for part in parts:
        start = time.monotonic()
        scored = model.probabilities(
            fine_tune,
            part.texts,
            prompt,
            decodings,
            lambda done, before=finished: on_headlines(before + done),  # type: ignore[misc]
        )
        finished += len(part.texts)
        evaluations += _sample(part, scored, decoding, time.monotonic() - start)
    return evaluations


@dataclass(frozen=True)
class Answers:
    """A model's answers to N headlines without labels."""

    fits: NDArray[np.bool_]
    """[N]: whether a headline is short enough for the model."""
    answered: NDArray[np.bool_]
    """[N]: whether a headline has an answer: all that fit do, and if long ones are truncated, the others too."""
    probabilities: NDArray[np.float64]
    """[answered, 4]: probability of negative, neutral, positive and unparsed, in the order of the headlines."""


def answer_headlines(
    model: Scorer,
    fine_tune: FineTune | None,
    headlines: Sequence[str],
    prompt: PromptSettings,
    decoding: Decoding,
    on_headlines: Callable[[int], None] = lambda _: None,
    *,
    truncate: bool = False,
) -> Answers:
    """Answer headlines without labels with a base model or a fine-tune of it.

    Args:
        model: The base model.
        fine_tune: The fine-tune; None for the untouched base.
        headlines: N texts.
        prompt: The prompt around a headline.
        decoding: How an answer is sampled.
        on_headlines: Called with the number of headlines that are done.
        truncate: Whether a headline that is too long is cut to the longest beginning that fits; else it has no answer.

    Raises:
        AdapterError: The fine-tune has another hash, or is damaged.
        NotFiniteError: The model's logits are NaN or infinite.
    """
    fits = model.fits(headlines, prompt)
    answered = np.ones_like(fits) if truncate else fits
    probabilities = np.empty((0, UNPARSED + 1))
    if answered.any():
        chosen = [headline for headline, is_chosen in zip(headlines, answered, strict=True) if is_chosen]
        scored = model.probabilities(fine_tune, chosen, prompt, [decoding], on_headlines)
        probabilities = scored.sampled[:, 0].numpy()
    return Answers(fits, answered, probabilities)


def _sample(
    part: LabelledPart, scored: LabelProbabilities, decoding: DecodingSettings, seconds: float
) -> list[Evaluation]:
    """An evaluation for each temperature, from the answers to the part."""
    part = part.without_texts()
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
    right = true_label_probabilities(labels, probabilities)
    means = zip(CURVE_TEMPERATURES, right.mean(axis=0), probabilities[..., UNPARSED].mean(axis=0), strict=True)
    return tuple(CurvePoint(temperature, float(accuracy), float(none)) for temperature, accuracy, none in means)
