"""How often each interval that fintone shows holds the true value: `python -m benchmarks.coverage`, some minutes.

Samples are drawn from models whose accuracy is known, at the sizes and accuracies of `POINTS`. An interval should hold
the true value in 95 of 100 samples. Where a bootstrap is the usual method, its percentile interval is measured on
samples of the same kind. The table goes into `docs/numbers.md`.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binom

from benchmarks.arguments import positive
from benchmarks.machine import write_results
from benchmarks.readme import fill_blocks
from learning.study.comparison import compare
from learning.study.confusion import count_confusion, macro_f1
from learning.study.intervals import Interval, accuracy_interval, macro_f1_interval, mean_interval
from reporting.markdown import render_table
from schemas.label import LABELS
from storage.warehouse import prepare_warehouse, reading

DOCUMENT = Path(__file__).parents[1] / "docs" / "numbers.md"
SIZES, ACCURACIES = (30, 90, 300, 900), (0.5, 0.9, 0.97)
POINTS = tuple(product(SIZES, ACCURACIES))
SAMPLES, BOOTSTRAPPED, RESAMPLES = 4_000, 400, 500
SELDOM = 0.02
"""Coverage is not shown if fewer than this share of samples have an interval: hardly anybody sees one."""

NATURAL = (0.125, 0.594, 0.281)
"""Shares of negative, neutral and positive in FinancialPhraseBank."""
BALANCED = (1 / 3, 1 / 3, 1 / 3)
SPREAD = 3.0
"""Standard deviation of a model's log odds of the right label, at temperature 1."""
SURELY_WRONG = "expected accuracy, seldom surely wrong"
"""The row of a model whose mistakes a small sample cannot foresee."""
TESTED = 300
"""Headlines of the test part that a scored source is compared with."""
CORRELATION = 0.3
"""Correlation between two models' being right on the same headline."""

Labels = NDArray[np.int64]
Random = np.random.Generator
Estimates = Iterator[tuple[Interval | None, float]]
"""The interval of each sample, None if none is shown, and the true value."""
Estimator = Callable[[Random, int, float, int], Estimates]
"""Takes a random generator, n, an accuracy and the number of samples to draw."""


def answer(random: Random, n: int, accuracy: float, shares: tuple[float, ...]) -> tuple[Labels, Labels]:
    """Labels, and the answers of a model that is right on each with the same chance; its mistakes are spread evenly."""
    labels = np.arange(n) % len(LABELS) if shares == BALANCED else random.choice(len(LABELS), n, p=shares)
    return labels, np.where(random.random(n) < accuracy, labels, (labels + random.integers(1, 3, n)) % 3)


def answer_twice(random: Random, n: int, accuracy: float, other: float) -> tuple[Labels, Labels, Labels]:
    """Balanced labels, and the answers of two models that are right together more often than by chance."""
    labels = np.arange(n) % len(LABELS)
    both = accuracy * other + CORRELATION * np.sqrt(accuracy * (1 - accuracy) * other * (1 - other))
    luck = random.random(n)
    right, other_right = luck < accuracy, (luck < both) | ((luck >= accuracy) & (luck < accuracy + other - both))
    wrong, other_wrong = ((labels + random.integers(1, 3, n)) % 3 for _ in range(2))
    return labels, np.where(right, labels, wrong), np.where(other_right, labels, other_wrong)


def odds(random: Random, n: int, accuracy: float, temperature: float) -> NDArray[np.float64]:
    """Probabilities of the right label: normal log odds, a share `accuracy` of them above 0, over the temperature."""
    return np.asarray(1 / (1 + np.exp(-random.normal(SPREAD * ndtri(accuracy), SPREAD, n) / temperature)))


def true_macro_f1(accuracy: float, shares: tuple[float, ...]) -> float:
    """Macro-F1 of `answer` on infinitely many headlines."""
    size = len(LABELS)
    confusion = np.full((size, size), (1 - accuracy) / 2) + np.eye(size) * (accuracy - (1 - accuracy) / 2)
    return macro_f1(np.array(shares)[:, None] * confusion)


def estimate_macro_f1(shares: tuple[float, ...]) -> Estimator:
    """The estimator of macro-F1 where labels have these shares."""

    def estimate(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
        truth = true_macro_f1(accuracy, shares)
        for _ in range(samples):
            yield macro_f1_interval(count_confusion(*answer(random, n, accuracy, shares))), truth

    return estimate


def estimate_mean(temperature: float) -> Estimator:
    """The estimator of expected accuracy at this temperature."""

    def estimate(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
        truth = float(odds(np.random.default_rng(0), 4_000_000, accuracy, temperature).mean())
        for _ in range(samples):
            yield mean_interval(odds(random, n, accuracy, temperature)), truth

    return estimate


def estimate_mean_of_surely_wrong(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
    """Intervals of expected accuracy of a model that gives right answers about .98 and wrong ones about .02."""
    sure = 50
    for _ in range(samples):
        right = random.random(n) < accuracy
        values = np.where(right, random.beta(sure, 1, n), random.beta(1, sure, n))
        yield mean_interval(values), (accuracy * sure + 1 - accuracy) / (sure + 1)


def estimate_difference(better_by: float, figure: str) -> Estimator:
    """The estimator of the difference of two models' accuracy or macro-F1, the first better by `better_by`."""

    def estimate(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
        other = accuracy - better_by
        truth = (
            better_by if figure == "difference" else true_macro_f1(accuracy, BALANCED) - true_macro_f1(other, BALANCED)
        )
        for _ in range(samples):
            compared = compare(*answer_twice(random, n, accuracy, other))
            low, high = getattr(compared, f"{figure}_low"), getattr(compared, f"{figure}_high")
            yield None if low is None else (low, high), truth

    return estimate


def draw_share(random: Random, n: int, share: float) -> NDArray[np.float64]:
    """1 for each headline whose answer is a certain label, else 0; the label is the answer with this chance."""
    return np.asarray(random.random(n) < share, dtype=np.float64)


def draw_confidence(random: Random, n: int, accuracy: float) -> NDArray[np.float64]:
    """Probability of the likeliest of the right label and two others, at temperature 1."""
    right = odds(random, n, accuracy, 1.0)
    return np.maximum(right, (1 - right) / 2)


def estimate_drift(measure: str, draw: Callable[[Random, int, float], NDArray[np.float64]]) -> Estimator:
    """The estimator of what the view `score_drift` measures, where source and test part have the same distribution."""

    def estimate(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
        source, test = (np.stack([draw(random, size, accuracy) for _ in range(samples)]) for size in (n, TESTED))
        drawn = {"m0": source.mean(1), "v0": source.var(1, ddof=1), "m1": test.mean(1), "v1": test.var(1, ddof=1)}
        for low, high in _bound_drift(measure, n, drawn):
            yield (low, high), 0.0

    return estimate


def _bound_drift(measure: str, n: int, drawn: dict[str, NDArray[np.float64]]) -> list[tuple[float, float]]:
    """The warehouse's formulas, applied to the figures m0 and v0 of a source and m1 and v1 of a test part."""

    def bound(value: str, side: str, size: int) -> str:
        return f"measured_low('{measure}', {value}, v{side}, {size})"

    source_low, source_high = bound("m0", "0", n), f"1 - {bound('1 - m0', '0', n)}"
    test_low, test_high = bound("m1", "1", TESTED), f"1 - {bound('1 - m1', '1', TESTED)}"
    low = f"difference_low(m0, {source_low}, m1, {test_high})"
    high = f"-difference_low(m1, {test_low}, m0, {source_high})"
    with TemporaryDirectory() as folder:
        warehouse = Path(folder) / "warehouse.duckdb"
        prepare_warehouse(warehouse)
        with reading(warehouse) as connection:
            connection.register("drawn", drawn)
            rows = connection.execute(f"SELECT {low}, {high} FROM drawn").fetchall()  # noqa: S608 (our own names)
    return [(low, high) for low, high in rows]


def bootstrap_macro_f1(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
    """The percentile bootstrap of macro-F1."""
    for _ in range(samples):
        counts = count_confusion(*answer(random, n, accuracy, BALANCED))
        drawn = random.multinomial(n, counts.ravel() / n, RESAMPLES).reshape(-1, *counts.shape)
        yield percentiles(np.array([macro_f1(matrix) for matrix in drawn])), true_macro_f1(accuracy, BALANCED)


def bootstrap_mean(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
    """The percentile bootstrap of expected accuracy at temperature 0.1."""
    truth = float(odds(np.random.default_rng(0), 4_000_000, accuracy, 0.1).mean())
    for _ in range(samples):
        values = odds(random, n, accuracy, 0.1)
        yield percentiles(values[random.integers(n, size=(RESAMPLES, n))].mean(axis=1)), truth


def bootstrap_difference(random: Random, n: int, accuracy: float, samples: int) -> Estimates:
    """The percentile bootstrap of the difference of two accuracies."""
    for _ in range(samples):
        labels, answers, other = answer_twice(random, n, accuracy, accuracy)
        gain = (answers == labels) * 1 - (other == labels)
        shares = np.bincount(gain + 1, minlength=3) / n
        drawn = random.multinomial(n, shares, RESAMPLES)
        yield percentiles((drawn[:, 2] - drawn[:, 0]) / n), 0.0


def percentiles(values: NDArray[np.float64]) -> Interval:
    """The middle 95 % of resampled figures."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


SIMULATED = {
    "macro-F1, balanced labels": estimate_macro_f1(BALANCED),
    "macro-F1, labels as in FinancialPhraseBank": estimate_macro_f1(NATURAL),
    **{f"expected accuracy, T = {each:g}": estimate_mean(each) for each in (0.1, 1.0, 10.0)},
    SURELY_WRONG: estimate_mean_of_surely_wrong,
    "difference of accuracy, equal models": estimate_difference(0.0, "difference"),
    "difference of accuracy, one .05 better": estimate_difference(0.05, "difference"),
    "difference of macro-F1, equal models": estimate_difference(0.0, "macro_f1_difference"),
    "difference of macro-F1, one .05 better": estimate_difference(0.05, "macro_f1_difference"),
    f"drift of a share, test part of {TESTED}": estimate_drift("positive", draw_share),
    f"drift of the mean confidence, test part of {TESTED}": estimate_drift("confidence", draw_confidence),
}
USUAL = {
    "bootstrap of macro-F1, balanced labels": bootstrap_macro_f1,
    "bootstrap of expected accuracy, T = 0.1": bootstrap_mean,
    "bootstrap of the difference, equal models": bootstrap_difference,
}


def cover_accuracy(n: int, accuracy: float) -> float:
    """Exact coverage of the interval of an accuracy."""
    held = [hits for hits in range(n + 1) if accuracy_interval(hits, n)[0] <= accuracy <= accuracy_interval(hits, n)[1]]
    return float(binom.pmf(held, n, accuracy).sum())


def cover(estimates: Estimates) -> tuple[float, float]:
    """The share of samples with an interval, and how many of these intervals hold the truth."""
    rows = list(estimates)
    shown = [(interval, truth) for interval, truth in rows if interval is not None]
    held = sum(interval[0] - 1e-12 <= truth <= interval[1] + 1e-12 for interval, truth in shown)
    return len(shown) / len(rows), held / max(len(shown), 1)


def measure(samples: int, bootstrapped: int) -> dict[str, float]:
    """Coverage of every interval at every point, and the share of samples in which it is shown where that is not 1."""
    figures = {name_point("accuracy", *point): cover_accuracy(*point) for point in POINTS}
    for ways, count in ((SIMULATED, samples), (USUAL, bootstrapped)):
        for name, estimate in ways.items():
            for number, point in enumerate(POINTS):
                shown, covered = cover(estimate(np.random.default_rng(number), *point, count))
                if shown >= SELDOM:
                    figures[name_point(name, *point)] = covered
                if shown < 1:
                    figures[f"{name_point(name, *point)}, shown"] = shown
            print(f"{name}: {', '.join(read(figures, name, *point) for point in POINTS)}", flush=True)
    return figures


def name_point(name: str, n: int, accuracy: float) -> str:
    """The name of a figure."""
    return f"{name}, n = {n}, accuracy {accuracy:g}"


def read(figures: dict[str, float], name: str, n: int, accuracy: float) -> str:
    """A figure as in the table: `.951`, followed by the share of samples with an interval if not all have one."""
    key = name_point(name, n, accuracy)
    shown = figures.get(f"{key}, shown", 1.0)
    if key not in figures:
        return "none"
    covered = f"{figures[key]:.3f}".removeprefix("0")
    return covered if round(shown, 2) == 1 else f"{covered} ({shown:.0%})"


def build_table(figures: dict[str, float]) -> str:
    """A table in Markdown with a row for each interval and a column for each point."""
    titles = ["interval", *(f"{n}, {accuracy:g}".replace("0.", ".") for n, accuracy in POINTS)]
    rows = [[name, *(read(figures, name, *point) for point in POINTS)] for name in ("accuracy", *SIMULATED, *USUAL)]
    return render_table(titles, rows)


def main() -> None:
    """Simulate; with the default samples, write `results/coverage.json` and put the table into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=positive, default=SAMPLES, help="samples of each interval at each point")
    parser.add_argument("--bootstrapped", type=positive, default=BOOTSTRAPPED, help="samples of each bootstrap")
    arguments = parser.parse_args()
    figures = measure(arguments.samples, arguments.bootstrapped)
    if (arguments.samples, arguments.bootstrapped) != (SAMPLES, BOOTSTRAPPED):
        print(build_table(figures))
        return
    write_results("coverage", figures, {}, samples=arguments.samples, bootstrapped=arguments.bootstrapped)
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(fill_blocks(text, {"coverage": build_table(figures)}), encoding="utf-8")
    print(f"the table of {DOCUMENT.name} is written")


if __name__ == "__main__":
    main()
