"""The promotion gate: what a challenger must pass, the level of each look at the test headlines, and the messages."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.study.comparison import compare
from learning.study.promotion import Rival, is_promoted, judge, spend
from reporting.promotion import _format_p_and_level, describe_checks, describe_look
from schemas.evaluation import PromotionSettings
from schemas.promotion import Check, Look

SETTINGS = PromotionSettings(level=0.05, min_accuracy=0.7, max_unparsed_rate=0.02)
LEVEL = 0.05


def make_rival(name: str, only_right: int, only_other_right: int, n: int = 200) -> Rival:
    """A rival on n neutral headlines, some of which only the challenger or only the rival has right."""
    labels = np.ones(n, dtype=np.int64)
    challenger, other = labels.copy(), labels.copy()
    other[:only_right] = 0
    challenger[only_right : only_right + only_other_right] = 2
    return Rival(name, compare(labels, challenger, other))


def test_a_challenger_that_passes_every_floor_is_promoted() -> None:
    checks = judge(0.9, 0.0, make_rival("svm", 30, 5), make_rival("3f9a", 20, 4), SETTINGS, LEVEL)
    assert [check.floor for check in checks] == ["accuracy", "unparsed rate", "best baseline", "champion"]
    assert is_promoted(checks)


@pytest.mark.parametrize(
    ("accuracy", "unparsed", "baseline", "champion", "missed"),
    [
        (0.699, 0.0, (30, 5), (20, 4), "accuracy"),
        (0.9, 0.021, (30, 5), (20, 4), "unparsed rate"),
        (0.9, 0.0, (6, 2), (20, 4), "best baseline"),
        (0.9, 0.0, (30, 5), (6, 2), "champion"),
        (0.9, 0.0, (30, 5), (4, 20), "champion"),
        (0.9, 0.0, (30, 5), (0, 0), "champion"),
    ],
)
def test_one_missed_floor_prevents_a_promotion(accuracy, unparsed, baseline, champion, missed) -> None:
    checks = judge(accuracy, unparsed, make_rival("svm", *baseline), make_rival("3f9a", *champion), SETTINGS, LEVEL)
    assert [check.floor for check in checks if not check.is_passed] == [missed]
    assert not is_promoted(checks)


def test_a_rival_is_beaten_where_p_is_below_the_level_of_the_look() -> None:
    rival = make_rival("3f9a", 9, 1)  # p = 2 (1 + 10) / 2^10 = .0215
    for rivals in ((None, rival), (rival, None)):  # the champion, and the best baseline
        assert is_promoted(judge(0.9, 0.0, *rivals, SETTINGS, 0.0216))
        assert not is_promoted(judge(0.9, 0.0, *rivals, SETTINGS, 0.0214))


def test_a_match_has_the_accuracies_on_the_headlines_of_both() -> None:
    """The floor of accuracy is of all test headlines, and a rival may not have answered some of them."""
    floor, _, match = judge(0.9, 0.0, None, make_rival("3f9a", 20, 4), SETTINGS, LEVEL)
    assert (floor.value, match.value, match.bound, match.n) == (0.9, 196 / 200, 180 / 200, 200)


def test_all_looks_at_the_same_headlines_share_one_level() -> None:
    levels = []
    for _ in range(1_000):
        levels.append(spend(0.05, [Look(1, 0.05)] * len(levels)).level)
    assert levels[:3] == pytest.approx([0.05 * 6 / (np.pi * k) ** 2 for k in (1, 2, 3)])
    assert 0.0499 < sum(levels) < 0.05


def test_new_headlines_refill_the_budget_in_proportion() -> None:
    assert spend(0.05, [Look(0.5, 0.05), Look(0.5, 0.05)]) == spend(0.05, [Look(1, 0.05)])
    assert spend(0.05, [Look(0, 0.05)] * 9) == spend(0.05, [])
    assert spend(0.05, [Look(0.25, 0.05)]).look == pytest.approx(1.25)


def test_a_later_look_may_lower_the_level_and_cannot_raise_it() -> None:
    assert spend(0.5, [Look(1, 0.05)]) == spend(0.05, [Look(1, 0.05)])
    assert spend(0.5, [Look(1, 0.05), Look(1, 0.2)]).promotion_level == pytest.approx(0.05)
    assert spend(0.01, [Look(1, 0.05)]).promotion_level == pytest.approx(0.01)
    assert spend(0.5, [Look(0.5, 0.1)]).promotion_level == pytest.approx(0.3)  # half of the headlines are new


@pytest.mark.parametrize("growth", [1.0, 1.01, 1.1, 1.5])
def test_new_headlines_between_looks_add_no_more_than_their_share_of_the_budget(growth: float) -> None:
    """Each look has all the headlines of the looks before it, and some that are new."""
    sizes = [900 * growth**number for number in range(60)]
    spent = sum(
        spend(0.05, [Look(earlier / size, 0.05) for earlier in sizes[:number]]).level
        for number, size in enumerate(sizes)
    )
    assert spent <= 0.05 * (1 + np.log2(sizes[-1] / sizes[0]))  # one budget more each time that the headlines double


def test_a_figure_equal_to_its_floor_reaches_it() -> None:
    checks = judge(0.7, 0.02, None, None, SETTINGS, LEVEL)
    assert is_promoted(checks)
    assert describe_checks(checks) == "accuracy .700 reaches the floor of 0.7; unparsed .020, within the 0.02 allowed"
    missed = describe_checks(judge(0.69, 0.03, None, None, SETTINGS, LEVEL))
    assert missed == "accuracy .690 is below the floor of 0.7; unparsed .030, above the 0.02 allowed"


def test_a_baseline_need_not_be_beaten_if_the_setting_says_so() -> None:
    lenient = SETTINGS.model_copy(update={"beat_baseline": False})
    assert is_promoted(judge(0.9, 0.0, make_rival("svm", 0, 50), None, lenient, LEVEL))


def test_a_champion_that_cannot_be_evaluated_is_not_beaten() -> None:
    checks = judge(0.9, 0.0, None, Rival("3f9a", None, "no adapter"), SETTINGS, LEVEL)
    assert not is_promoted(checks)
    assert describe_checks(checks) == (
        "cannot be compared with the champion 3f9a: no adapter; accuracy .900 reaches the floor of 0.7; unparsed 0, "
        "within the 0.02 allowed"
    )


def test_the_message_of_a_decision_begins_with_the_missed_floor() -> None:
    message = describe_checks(judge(0.9, 0.0, make_rival("svm", 30, 5), make_rival("3f9a", 6, 2), SETTINGS, LEVEL))
    assert message.startswith("does not beat the champion 3f9a on 200 headlines: +.020 [")
    assert (
        "], p=.289 at level 0.05; accuracy .900 reaches the floor of 0.7; unparsed 0, within the 0.02 allowed; "
        in message
    )
    assert "; beats the best baseline svm on 200 headlines: +.125 [" in message
    assert message.endswith("], p<.001 at level 0.05")


def test_a_challenger_that_is_worse_beyond_noise_is_called_worse() -> None:
    message = describe_checks(judge(0.9, 0.0, None, make_rival("3f9a", 5, 40), SETTINGS, LEVEL))
    assert message.startswith("is worse than the champion 3f9a on 200 headlines: -.175 [")


def test_a_small_level_is_shown_with_enough_digits_to_compare() -> None:
    level = spend(0.05, [Look(1, 0.05)] * 9).level
    message = describe_checks(judge(0.9, 0.0, None, make_rival("3f9a", 20, 4), SETTINGS, level))
    assert "p=.0015 at level 0.000304" in message
    far = describe_checks(judge(0.9, 0.0, None, make_rival("3f9a", 6, 2), SETTINGS, level))
    assert "p=.289 at level 0.000304" in far
    assert describe_look(spend(0.05, [Look(0.5, 0.05)])) == "look 1.5 at these test headlines: level 0.0135 of 0.05"


@given(st.integers(1, 5000), st.data())
def test_shown_figures_never_contradict_the_verdict(n: int, data: st.DataObject) -> None:
    share, bound = data.draw(st.integers(0, n)) / n, data.draw(st.integers(0, 1000)) / 1000
    is_near = data.draw(st.booleans())
    bound = round(share, 3) if is_near else bound
    for floor, is_passed in (("accuracy", share >= bound), ("unparsed rate", share <= bound)):
        text = describe_checks([Check(floor, is_passed, value=share, bound=bound)])
        shown = float(re.split(r"[ ,]", text)[1])
        assert (shown >= bound if floor == "accuracy" else shown <= bound) == is_passed, text


@given(st.floats(1e-6, 1), st.floats(1e-6, 0.2), st.floats(-1e-4, 1e-4))
def test_a_shown_p_value_is_on_its_side_of_the_shown_level(p_value: float, level: float, near: float) -> None:
    for p in (p_value, min(level * (1 + near), 1.0)):
        shown, _, bound = _format_p_and_level(p, level).partition(" at level ")
        if shown == "p<.001":
            assert p < 0.001 <= float(bound)
        else:
            assert (float(shown.removeprefix("p=")) < float(bound)) == (p < level)
