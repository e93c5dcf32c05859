"""Whether accuracy on fresh headlines has dropped beyond noise: a sequential test that may be looked at at any time."""

import math

LEVEL = 0.05
"""Probability, over all looks together, of a false alarm where the accuracy is the reference or more."""

STAKES = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Shares of its capital that a bettor stakes on each headline. Each grows fastest where the accuracy is lower than the
reference by that share of it: of a reference of .8, by 20, 10, 5 and 2.5 points."""


def drop_p_value(right: int, wrong: int, reference: float) -> float:
    """The anytime-valid p-value of H0: the accuracy is `reference` or more.

    Four bettors have a quarter of the capital each. On every headline, each stakes a share f of what it has on a wrong
    answer, at odds that are fair if the accuracy is the reference r. So a right answer takes f of its capital, and a
    wrong one adds f r / (1 - r) of it. The capital after all headlines, of 1 at the start, is

        E = mean over f of (1 - f)^right * (1 + f r / (1 - r))^wrong

    Under H0 no bet is better than fair, so E is a supermartingale, and by Ville's inequality (1939) it ever reaches
    1 / a with a probability of a at most: whenever, and however often, one looks. That also holds where the accuracy
    moves from headline to headline, as long as it stays at the reference or above, given all that came before. The
    p-value is 1 / E, and 1 at most. Constant bets on a mean: Waudby-Smith and Ramdas 2023, "Estimating means of bounded
    random variables by betting"; a mixture of them: their diversified Kelly bettor; e-values and looks at will: Ramdas,
    Grunwald, Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference".

    E depends on the two counts alone, so neither the order of headlines nor how they came in batches matters.

    Args:
        right: Fresh headlines answered right.
        wrong: Fresh headlines answered wrong.
        reference: The accuracy that is held against them, from 0 to below 1.
    """
    gain = reference / (1 - reference)
    logs = [right * math.log1p(-stake) + wrong * math.log1p(stake * gain) for stake in STAKES]
    largest = max(logs)
    capital = largest + math.log(sum(math.exp(each - largest) for each in logs) / len(STAKES))
    return math.exp(-max(capital, 0.0))


def has_dropped(p_value: float) -> bool:
    """Whether a p-value of `drop_p_value` is an alarm."""
    return p_value <= LEVEL
