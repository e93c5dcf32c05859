"""Tests whether accuracy on fresh headlines has dropped beyond noise: a sequential test, valid at any time."""

import math

LEVEL = 0.05
"""Probability of a false alarm, over all looks together, if the accuracy is the reference or more."""

STAKES = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""The share of its capital that each bettor stakes on each headline. A bettor's capital grows fastest if the accuracy
is below the reference by that share of it: with a reference of .8, by 20, 10, 5 and 2.5 points."""


def drop_p_value(right: int, wrong: int, reference: float) -> float:
    """The anytime-valid p-value of H0: the accuracy is `reference` or more.

    Four bettors have a quarter of the capital each. On every headline, each stakes a share f of its capital on a wrong
    answer, at odds that are fair if the accuracy is the reference r. So a right answer takes f of its capital, and a
    wrong one adds f r / (1 - r) of it. The capital after all headlines, starting from 1, is

        E = mean over f of (1 - f)^right * (1 + f r / (1 - r))^wrong

    Under H0 no bet is better than fair, so E is a supermartingale, and by Ville's inequality (1939) the probability
    that it ever reaches 1 / a is at most a, whenever and however often one looks. That also holds if the accuracy
    changes from headline to headline, as long as it stays at the reference or above, given all earlier headlines. The
    p-value is 1 / E, and at most 1. Constant bets on a mean: Waudby-Smith and Ramdas 2023, "Estimating means of bounded
    random variables by betting"; a mixture of them: their diversified Kelly bettor; e-values and looks at will: Ramdas,
    Grunwald, Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference".

    E depends only on the two counts, so neither the order of headlines nor their division into batches matters.

    Args:
        right: Number of fresh headlines that were answered right.
        wrong: Number of fresh headlines that were answered wrong.
        reference: The accuracy to compare with, from 0 to below 1.
    """
    gain = reference / (1 - reference)
    logs = [right * math.log1p(-stake) + wrong * math.log1p(stake * gain) for stake in STAKES]
    largest = max(logs)
    capital = largest + math.log(sum(math.exp(log - largest) for log in logs) / len(STAKES))
    return math.exp(-max(capital, 0.0))


def has_dropped(p_value: float) -> bool:
    """Whether a p-value of `drop_p_value` is an alarm."""
    return p_value <= LEVEL
