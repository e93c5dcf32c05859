"""A model's evaluations and its comparison with stored answers sample as they are told to."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.kinds.causal import CausalModel
from learning.models.device import Device
from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding
from learning.scoring.canaries import CanaryCheck, compare_canaries
from learning.scoring.model_evaluation import CURVE_TEMPERATURES, answer_headlines, evaluate_model
from learning.study.evaluation import Evaluation, LabelledPart
from learning.study.unparsed import UNPARSED
from schemas.cell import PromptSettings
from schemas.evaluation import DecodingSettings
from schemas.model_card import Canaries

PROMPT = PromptSettings()
HEADLINES = ("Profit rose .", "Sales fell by a tenth", "A plant opens", "Profit " * 3_000)
"""The last is longer than the model takes."""


@pytest.fixture(scope="module")
def model() -> CausalModel:
    return CausalModel(LoadedBase(MODEL_FOLDER, "none", Device("cpu", torch.float32, "adamw_torch", 1_000)))


@pytest.fixture(scope="module")
def canaries(model: CausalModel) -> Canaries:
    """The answers of the untouched model at a temperature and with cuts at which each of them has an effect."""
    decoding = Decoding(3.0, 40, 0.9)
    answers = answer_headlines(model, None, HEADLINES, PROMPT, decoding, truncate=True)
    none = (None,) * len(HEADLINES)
    return Canaries(3.0, 40, 0.9, HEADLINES, answers.probabilities, "float32", none, none)


@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (40, None), (None, 0.9), (40, 0.9)])
def test_an_evaluation_samples_with_the_cuts_of_its_settings(
    model: CausalModel, top_k: int | None, top_p: float | None
) -> None:
    part = LabelledPart("test", ("a", "b", "c"), HEADLINES[:3], ("positive", "negative", "neutral"))
    decoding = DecodingSettings(temperatures=(0.5, 3.0), top_k=top_k, top_p=top_p)
    evaluations = evaluate_model(model, None, [part], prompt=PROMPT, decoding=decoding, on_headlines=lambda _: None)
    for evaluation, temperature in zip(evaluations, (0.5, 3.0), strict=True):
        expected = answer_headlines(model, None, part.texts, PROMPT, Decoding(temperature, top_k, top_p))
        assert evaluation.probabilities is not None
        np.testing.assert_allclose(evaluation.probabilities, expected.probabilities, atol=1e-9)


def test_an_evaluation_has_the_draws_and_the_seed_of_its_settings_and_counts_headlines_over_all_parts(
    model: CausalModel,
) -> None:
    parts = [
        LabelledPart("validation", ("a", "b"), HEADLINES[:2], ("positive", "negative")),
        LabelledPart("test", tuple(map(str, range(40))), HEADLINES[:1] * 40, ("positive",) * 40),
    ]
    done: list[int] = []

    def evaluate(seed: int) -> Evaluation:
        decoding = DecodingSettings(temperatures=(10.0,), draws=3, seed=seed)
        return evaluate_model(model, None, parts, prompt=PROMPT, decoding=decoding, on_headlines=done.append)[1]

    first, again, other = evaluate(1), evaluate(1), evaluate(2)
    assert [len(each.draws) for each in (first, other)] == [3, 3]
    assert first.outcomes.tolist() == again.outcomes.tolist() != other.outcomes.tolist()
    third = len(done) // 3
    assert done == [*done[:third]] * 3
    assert done[:third] == sorted(set(done[:third]))
    assert (done[0], done[third - 1]) == (2, 42)


def test_a_curve_has_the_expected_accuracy_and_the_unparsed_share_at_each_temperature(model: CausalModel) -> None:
    part, truth = LabelledPart("test", ("a", "b", "c"), HEADLINES[:3], ("positive", "negative", "neutral")), [2, 0, 1]
    decoding = DecodingSettings(temperatures=(0.5, 3.0), top_k=40)
    [evaluation, _] = evaluate_model(model, None, [part], prompt=PROMPT, decoding=decoding, on_headlines=lambda _: None)
    assert [point.temperature for point in evaluation.curve] == list(CURVE_TEMPERATURES)
    assert evaluation.seconds < 60
    for point in evaluation.curve:
        answers = answer_headlines(model, None, part.texts, PROMPT, Decoding(point.temperature, 40, None)).probabilities
        unparsed = answers[:, UNPARSED]
        right = answers[range(3), truth].mean() + unparsed[2] / 3  # which counts as neutral
        assert (point.expected_accuracy, point.unparsed_rate) == pytest.approx((right, unparsed.mean()))


@pytest.mark.parametrize("truncate", [False, True])
def test_a_headline_that_is_too_long_is_answered_only_on_request(model: CausalModel, *, truncate: bool) -> None:
    answers = answer_headlines(model, None, HEADLINES, PROMPT, Decoding(1.0, None, None), truncate=truncate)
    assert answers.fits.tolist() == [True, True, True, False]
    assert answers.answered.tolist() == [True, True, True, truncate]
    assert len(answers.probabilities) == 3 + truncate


def test_the_same_model_gives_stored_answers_also_to_headlines_that_are_cut(
    model: CausalModel, canaries: Canaries
) -> None:
    check = compare_canaries(canaries, model, None, PROMPT)
    assert (check.headlines, check.largest_difference, check.passed) == (4, pytest.approx(0, abs=1e-9), True)


@pytest.mark.parametrize("changed", [{"temperature": 1.0}, {"top_k": None}, {"top_p": None}])
def test_stored_answers_are_compared_with_answers_that_are_sampled_as_they_were(
    model: CausalModel, canaries: Canaries, changed: dict[str, float | None]
) -> None:
    assert not compare_canaries(replace(canaries, **changed), model, None, PROMPT).passed  # type: ignore[arg-type]


@pytest.mark.parametrize(("temperature", "tolerance"), [(3.0, 0.05), (1.0, 0.05), (0.5, 0.1), (0.1, 0.5), (0.01, 0.5)])
def test_a_low_temperature_multiplies_what_rounding_may_cost(
    model: CausalModel, canaries: Canaries, temperature: float, tolerance: float
) -> None:
    rounded = replace(canaries, temperature=temperature, computed_in="bfloat16")
    assert compare_canaries(rounded, model, None, PROMPT).tolerance == pytest.approx(tolerance)


@pytest.mark.parametrize(("computed_in", "tolerance"), [("float32", 1e-3), ("", 1e-3), ("bfloat16", 0.05)])
def test_the_coarser_of_two_precisions_decides_what_difference_is_rounding(
    model: CausalModel, canaries: Canaries, computed_in: str, tolerance: float
) -> None:
    for share, passes in ((0.9, True), (1.1, False)):
        moved = canaries.probabilities.copy()
        moved[1, 2] += share * tolerance
        check = compare_canaries(replace(canaries, probabilities=moved, computed_in=computed_in), model, None, PROMPT)
        assert (check.tolerance, check.passed) == (tolerance, passes)


def test_answers_that_are_no_numbers_are_another_model() -> None:
    assert not CanaryCheck(4, float("nan"), 0.05).passed
