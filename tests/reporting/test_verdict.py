"""A verdict follows from its figures: it names the better one only if interval and test agree."""

from datetime import date

import pytest

from reporting.verdict import (
    describe_baseline,
    describe_cutoffs,
    describe_difference,
    describe_drift,
    describe_excess,
    describe_leaks,
    describe_moved,
    describe_scarcity,
    describe_spread,
    describe_unplaced,
    format_bounds,
    format_figure,
    format_interval,
    format_p_value,
    format_ratio,
)
from schemas.comparison import BaselineVerdict, Difference
from schemas.data_report import Changes, describe_losses
from schemas.scoring import Drift
from schemas.split import Repeats, SplitSettings

CLEAR = Difference(0.034, 0.012, 0.057, 0.0001, 0.0031, 36)


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (CLEAR, "A beats B: +.034 [.012, .057], p=.003 after Holm's correction for 36 comparisons"),
        (CLEAR.mirrored, "B beats A: +.034 [.012, .057], p=.003 after Holm's correction for 36 comparisons"),
        (
            Difference(0.034, 0.012, 0.057, 0.02, 0.4, 1_036),
            "no difference beyond noise: +.034 [.012, .057], p=.400 after Holm's correction for 1,036 comparisons",
        ),
        (Difference(-0.01, -0.02, 0.0, 0.049), "no difference beyond noise: -.010 [-.020, 0], p=.049, not corrected"),
        (Difference(-0.01, -0.02, -0.001, 0.0009), "B beats A: +.010 [.001, .020], p<.001, not corrected"),
        (Difference(0.0, 0.0, 0.0, 1.0), "no difference beyond noise: 0 [0, 0], p=1.000, not corrected"),
    ],
)
def test_the_better_one_is_named_if_interval_and_test_agree(difference: Difference, sentence: str) -> None:
    assert describe_difference("A", "B", difference) == sentence


@pytest.mark.parametrize(
    ("difference", "beats_baseline", "beginning"),
    [
        (CLEAR, True, "it beats the best baseline, TF-IDF: +.034 [.012, .057], p=.003"),
        (CLEAR.mirrored, False, "it is worse than the best baseline, TF-IDF: -.034 [-.057, -.012], p=.003"),
        (
            Difference(0.01, -0.01, 0.03, 0.3, 1.0, 9),
            False,
            "it is no better than the best baseline, TF-IDF, beyond noise: +.010",
        ),
    ],
)
def test_a_baseline_is_beaten_or_not(difference: Difference, beginning: str, *, beats_baseline: bool) -> None:
    verdict = BaselineVerdict(0.1, "5555", "TF-IDF", 0.8, 0.7, difference, beats_baseline)
    assert describe_baseline("it", verdict).startswith(beginning)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0344, ".034"), (-0.9, "-.900"), (1, "1.000"), (-1, "-1.000"), (0, "0"), (-0.0001, "0"), (0.9996, "1.000")],
)
def test_a_figure_has_three_digits(value: float, text: str) -> None:
    assert format_ratio(value) == text


def test_a_figure_of_a_column_keeps_its_zero() -> None:
    assert [format_figure(value) for value in (0.0344, 1, None)] == ["0.034", "1.000", ""]


def test_small_figures_have_no_sign_and_small_p_values_no_digits() -> None:
    assert format_interval(0.0004, -0.01, 0.01) == "0 [-.010, .010]"
    assert (format_p_value(0.00099), format_p_value(0.001), format_p_value(0.05)) == ("p<.001", "p=.001", "p=.050")


def test_a_missing_interval_has_its_reason() -> None:
    assert format_interval(0.03, None, None) == "+.030 (no interval: fewer than 3 headlines tell the two apart)"
    assert format_bounds(None, None) == "(no interval: a label has fewer than 10 headlines)"


def test_the_spread_over_folds_is_told_from_worst_to_best() -> None:
    spread = {"folds": 3, "accuracy_min": 0.5, "accuracy_max": 0.75, "accuracy_mean": 0.6, "accuracy_sd": 0.1}
    figures = "accuracy is .500 to .750, .600 on average, with a standard deviation of .100"
    assert describe_spread(spread, Repeats(4, "fold")) == f"over its 3 folds {figures}"
    assert describe_spread(spread, Repeats(3, "window")) == f"over its 3 windows {figures}"
    assert describe_spread(None, Repeats(3, "window")) is None


def test_a_validation_part_that_lacks_a_label_is_reported() -> None:
    enough = [("train", "negative", 9), *(("validation", label, 30) for label in ("negative", "neutral", "positive"))]
    assert describe_scarcity(enough) is None
    few = "validation has only 1 neutral headline, so its choice is weak"
    assert describe_scarcity([*enough[:2], ("validation", "neutral", 1), enough[3]]) == few
    assert "only 0 positive headlines" in str(describe_scarcity([*enough[:3], ("train", "positive", 9)]))


@pytest.mark.parametrize("changes", [{}, {"balance": "natural"}, {"method": "temporal"}, {"folds": 3}])
def test_more_headlines_of_a_label_in_test_than_set_are_explained(changes: dict[str, object]) -> None:
    values = {"method": "hashed", "train_per_class": 9, "test_per_class": 80} | changes
    counts = [("test", "negative", 80), ("test", "neutral", 83), ("train", "positive", 99)]
    note = describe_excess(counts, SplitSettings.model_validate(values))
    assert note == (
        None
        if changes
        else "test has 83 neutral headlines: one that was in test once stays there, also when its label changes"
    )
    assert describe_excess(counts[:1], SplitSettings.model_validate(values)) is None


def test_what_a_source_lost_is_told() -> None:
    assert describe_losses("s", None) is None
    assert describe_losses("s", Changes(9, 0, 0, 9)) is None
    assert describe_losses("s", Changes(0, 1, 2, 9)) == (
        "since snapshot s: 1 headline is gone, 2 have another label (snapshot_changes)"
    )


def test_a_label_that_the_study_does_not_have_is_not_reported_as_lacking() -> None:
    validation = [("validation", label, 30) for label in ("negative", "positive")]
    assert describe_scarcity([("train", "negative", 9), *validation]) is None


def test_only_drift_beyond_the_tolerance_is_reported() -> None:
    near = Drift("share of neutral", 90, 0.5, 99, 0.4, 0.1, 0.04, 0.16, None)
    far = Drift("share of positive", 90, 0.1, 99, 0.4, -0.3, -0.4, -0.2, None)
    [line] = describe_drift([near, far], 0.05)
    on_test = "share of positive is 0.100 here and 0.400 on the model's test part"
    assert line == f"warning: drift: {on_test}, beyond 0.05 and beyond noise"


@pytest.mark.parametrize(
    ("n", "leaks", "cutoff", "moved"),
    [
        (
            1,
            "1 of 9 test headlines has near copies",
            "1 of 9 test headlines is not later",
            "1 train headline is a copy or near copy of headlines",
        ),
        (
            2,
            "2 of 9 test headlines have near copies",
            "2 of 9 test headlines are not later",
            "2 train headlines are copies or near copies of headlines",
        ),
    ],
)
def test_doubts_are_told_of_one_headline_or_more_and_not_of_none(n: int, leaks: str, cutoff: str, moved: str) -> None:
    assert leaks in str(describe_leaks(n, 9))
    [sentence] = describe_cutoffs([("a", date(2025, 1, 1), 0, 9), ("b", date(2025, 1, 1), n, 9)], is_only=False)
    assert cutoff in sentence
    assert "of b; it may have read " + ("it" if n == 1 else "them") in sentence
    [sentence] = describe_cutoffs([("a", date(2025, 1, 1), n, 9)], is_only=True)
    assert f"{cutoff} than the base model's training cutoff 2025-01-01; it may" in sentence
    assert moved in str(describe_moved({"train": n}))
    assert str(describe_unplaced(n)).startswith(f"{n} headline{' is' if n == 1 else 's are'} in no part")
    assert (describe_leaks(0, 9), describe_moved({}), describe_unplaced(0)) == (None, None, None)
