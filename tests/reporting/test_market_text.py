"""What a measurement of the market says in words."""

from reporting.market import describe_quantile

FIFTH = {"days": 4, "mean_return": -0.0051, "share_up": 0.25}


def test_a_mean_return_without_an_interval_says_why() -> None:
    text = "4 instrument-days, mean return -0.51% (too few sessions for an interval), 25% up"
    assert describe_quantile({**FIFTH, "low": None, "high": None}) == text
    text = "4 instrument-days, mean return -0.51% [-0.90%, +0.10%], 25% up"
    assert describe_quantile({**FIFTH, "low": -0.009, "high": 0.001}) == text
