"""The promotion gate: what a challenger must clear, and what is said of it."""

import numpy as np
import pytest

from learning.comparison import compare
from learning.promotion import Rival, is_promoted, judge
from reporting.promotion import tell_checks
from schemas.config import PromotionSettings

SETTINGS = PromotionSettings(level=0.05, min_accuracy=0.7, max_unparsed_rate=0.02)


def meet(name: str, only_right: int, only_other_right: int, n: int = 200) -> Rival:
    """A rival on n neutral headlines: so many that the challenger alone has right, so many that the rival has."""
    labels = np.ones(n, dtype=np.int64)
    own, other = labels.copy(), labels.copy()
    other[:only_right] = 0
    own[only_right : only_right + only_other_right] = 2
    return Rival(name, compare(labels, own, other))


def test_who_clears_every_floor_is_promoted() -> None:
    checks = judge(0.9, 0.0, meet("svm", 30, 5), meet("3f9a", 20, 4), SETTINGS)
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
def test_one_floor_that_is_missed_is_enough(accuracy, unparsed, baseline, champion, missed) -> None:
    checks = judge(accuracy, unparsed, meet("svm", *baseline), meet("3f9a", *champion), SETTINGS)
    assert [check.floor for check in checks if not check.is_passed] == [missed]
    assert not is_promoted(checks)


def test_the_level_is_that_of_the_config() -> None:
    rival = meet("3f9a", 9, 1)  # p = 2 (1 + 10) / 2^10 = .0215
    assert is_promoted(judge(0.9, 0.0, None, rival, SETTINGS))
    strict = SETTINGS.model_copy(update={"level": 0.02})
    assert not is_promoted(judge(0.9, 0.0, None, rival, strict))


def test_floors_are_reached_by_who_stands_on_them() -> None:
    assert is_promoted(judge(0.7, 0.02, None, None, SETTINGS))


def test_a_baseline_need_not_be_beaten_where_the_config_says_so() -> None:
    lenient = SETTINGS.model_copy(update={"beat_baseline": False})
    assert is_promoted(judge(0.9, 0.0, meet("svm", 0, 50), None, lenient))


def test_a_champion_that_cannot_be_evaluated_is_not_beaten() -> None:
    checks = judge(0.9, 0.0, None, Rival("3f9a", None, "no adapter"), SETTINGS)
    assert not is_promoted(checks)
    assert tell_checks(checks) == (
        "cannot be compared with the champion 3f9a: no adapter; accuracy .900 reaches the floor of 0.7; unparsed 0, "
        "within the 0.02 allowed"
    )


def test_the_decision_is_told_with_what_was_missed_first() -> None:
    told = tell_checks(judge(0.9, 0.0, meet("svm", 30, 5), meet("3f9a", 6, 2), SETTINGS))
    assert told.startswith("does not beat the champion 3f9a on 200 headlines: +.020 [")
    assert (
        "], p=.289 at level 0.05; accuracy .900 reaches the floor of 0.7; unparsed 0, within the 0.02 allowed; " in told
    )
    assert "; beats the best baseline svm on 200 headlines: +.125 [" in told
    assert told.endswith("], p<.001 at level 0.05")
