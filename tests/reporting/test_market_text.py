"""What a measurement of the market says in words."""

from reporting.market import describe_quantile, format_percent, show_test

FIFTH = {"days": 4, "mean_return": -0.0051, "share_up": 0.25}


def test_a_mean_return_without_an_interval_says_why() -> None:
    text = "4 instrument-days, mean return -0.51% (too few sessions for an interval), 25% up"
    assert describe_quantile({**FIFTH, "low": None, "high": None}) == text
    text = "4 instrument-days, mean return -0.51% [-0.90%, +0.10%], 25% up"
    assert describe_quantile({**FIFTH, "low": -0.009, "high": 0.001}) == text


def test_a_return_that_rounds_to_nothing_has_no_minus() -> None:
    assert format_percent(-0.00001) == "+0.00%"


def test_a_test_without_figures_has_its_reason_in_their_place() -> None:
    row = {"scope": "overall", "instrument": None, "horizon": 5, "measure": "sentiment", "days": 6, "p_holm": None}
    unknown = dict.fromkeys(("estimate", "low", "high"))
    assert show_test({**row, **unknown, "reason": "6 sessions with headlines"}) == {
        "of": "their mean",
        "return over": "5 sessions",
        "measure": "coefficient",
        "estimate": "6 sessions with headlines",
        "95 %": "",
        "p": "",
        "measured on": "6 days",
    }
