"""Drift between a scored source and the test part, against statsmodels and the interval of a mean in Python."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from learning.study.intervals import mean_interval
from storage.warehouse import writing
from tests.asking import ask
from tests.reigns import answer
from tests.storage.replacing import replace_evaluations

NEGATIVE, NEUTRAL, POSITIVE, UNPARSED = (
    (0.6, 0.2, 0.1, 0.1),
    (0.1, 0.5, 0.3, 0.1),
    (0.1, 0.1, 0.8, 0.0),
    (0, 0.1, 0.2, 0.7),
)
NAMES = ("p_negative", "p_neutral", "p_positive", "p_unparsed")


def score(warehouse: Path, answers: list[tuple[float, ...]]) -> None:
    """Score a source with one headline for each answer, the first of them in two rows."""
    texts = [f"headline {number}" for number in range(len(answers))]
    answer(warehouse, "tuned", *((text, None, None) for text in [*texts, texts[0]]))
    with writing(warehouse) as connection:
        for text, values in zip(texts, answers, strict=True):
            changes = ", ".join(f"{name} = {value}" for name, value in zip(NAMES, values, strict=True))
            connection.execute(f"UPDATE ledger.scores SET {changes} WHERE text = ?", [text])


def judge(warehouse: Path, evaluation: Callable[..., Any], answers: list[tuple[float, ...]]) -> None:
    """Give the cell these answers on its test part, and others on validation."""
    records = [evaluation("tuned", 0.1), evaluation("tuned", 0.1, evaluation_id="validation", part="validation")]
    frames = []
    for record, each in zip(records, (answers, [NEUTRAL] * 50), strict=True):
        ids = [f"{number:016d}" for number in range(len(each))]
        frame = pd.DataFrame(each, columns=list(NAMES))
        frames.append(frame.assign(evaluation_id=record.evaluation_id, headline_id=ids, predicted="neutral"))
    replace_evaluations(warehouse, records, pd.concat(frames))


def test_drift_is_the_difference_of_two_shares_and_of_two_means(finished: Path, evaluation: Callable[..., Any]) -> None:
    score(finished, [POSITIVE] * 30 + [NEGATIVE] * 5 + [NEUTRAL] * 4 + [UNPARSED] * 1)
    judge(finished, evaluation, [POSITIVE] * 10 + [NEGATIVE] * 20 + [NEUTRAL] * 5 + [UNPARSED] * 15)
    columns = "measure, n, test_n, verdict, value, test_value, difference, difference_low, difference_high"
    rows = ask(finished, f"SELECT {columns} FROM score_drift")
    assert [row[:4] for row in rows] == [
        ("negative", 40, 50, "below"),
        ("neutral", 40, 50, "no difference"),
        ("positive", 40, 50, "above"),
        ("unparsed", 40, 50, "below"),
        ("confidence", 40, 50, "above"),
    ]
    for row, (here, there) in zip(rows, ((5, 20), (4, 5), (30, 10), (1, 15)), strict=False):
        bounds = confint_proportions_2indep(here, 40, there, 50, method="newcomb", compare="diff")
        assert row[4:] == pytest.approx((here / 40, there / 50, here / 40 - there / 50, *bounds))
    own = np.repeat([0.8, 0.6, 0.5, 0.2], [30, 5, 4, 1])  # what is unparsed has the confidence of its likeliest label
    test = np.repeat([0.8, 0.6, 0.5, 0.2], [10, 20, 5, 15])
    (low, high), (test_low, test_high) = mean_interval(own), mean_interval(test)
    mean, test_mean = own.mean(), test.mean()
    difference = mean - test_mean
    least = difference - math.hypot(mean - low, test_high - test_mean)
    most = difference + math.hypot(high - mean, test_mean - test_low)
    assert rows[4][4:] == pytest.approx((mean, test_mean, difference, least, most))


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        (29, 30, "the source has only 29 different headlines, 30 are needed"),
        (1, 1, "the source has only 1 different headline, 30 are needed"),
        (30, 1, "the test part has only 1 headline, 30 are needed"),
        (30, 29, "the test part has only 29 headlines, 30 are needed"),
        (30, 30, None),
    ],
)
def test_with_fewer_than_thirty_headlines_on_a_side_drift_is_unknown(
    finished: Path, evaluation: Callable[..., Any], here: int, there: int, reason: str | None
) -> None:
    score(finished, [POSITIVE] * here)
    judge(finished, evaluation, [NEGATIVE] * there)
    rows = ask(finished, "SELECT verdict, reason, difference_low IS NULL FROM score_drift WHERE measure = 'positive'")
    assert rows == [("above" if reason is None else "unknown", reason, reason is not None)]
