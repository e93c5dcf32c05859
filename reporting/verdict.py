"""Describes comparisons, and doubts about them, in a sentence each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from schemas.comparison import LEAST_DISCORDANT, LEAST_OF_A_LABEL, BaselineVerdict, Difference
from schemas.listing import count, list_some
from schemas.scoring import Drift
from schemas.split import Repeats, SplitSettings

FEW = 30
"""Headlines of a label from which on accuracy on it is known within .17 (Wilson's interval at 95 %, at worst)."""


def describe_scarcity(counts: Iterable[tuple[str, str, int]]) -> str | None:
    """A warning that validation is too small to choose by; None if it is not.

    Args:
        counts: How many headlines each part has of each label: (part, label, n).
    """
    every = list(counts)
    validation = dict.fromkeys((label for _, label, _ in every), 0)
    validation |= {label: n for part, label, n in every if part == "validation"}
    label, least = min(validation.items(), key=lambda each: each[1])
    if least >= FEW:
        return None
    return f"validation has only {count(least, f'{label} headline')}, so its choice is weak"


def describe_excess(counts: Iterable[tuple[str, str, int]], split: SplitSettings) -> str | None:
    """A note that the test part of a balanced `hashed` split has more of a label than set; None if it has not.

    Args:
        counts: Part, label and number of headlines.
        split: The settings.
    """
    is_bound = split.method == "hashed" and split.balance == "balanced" and not split.repeats
    more = [f"{n:,} {label}" for part, label, n in counts if part == "test" and n > split.test_per_class]
    if not is_bound or not more:
        return None
    return f"test has {list_some(more)} headlines: one that was in test once stays there, also when its label changes"


def describe_unplaced(unplaced: int) -> str | None:
    """A note that headlines are in no part of a drawn split; None if there are none."""
    if not unplaced:
        return None
    headlines = count(unplaced, "headline is", "headlines are")
    return f"{headlines} in no part: beyond the sizes of the parts, or near copies of others"


def describe_leaks(leaks: int, n: int) -> str | None:
    """A warning that test shares headlines with train; None if it does not.

    Args:
        leaks: Test headlines of which a copy or near copy is in train.
        n: Test headlines.
    """
    if not leaks:
        return None
    share = f"{leaks:,} of {n:,} test headlines {'has' if leaks == 1 else 'have'} near copies in train"
    return f"{share}, which flatters a model that remembers; split.method=hashed keeps near copies in one part"


def describe_cutoffs(cutoffs: Iterable[tuple[str, date, int, int]], *, is_only: bool) -> list[str]:
    """A sentence for each base model that may have read test headlines when it was pretrained.

    Args:
        cutoffs: Each model whose last day of training is known: its name, that day, how many test headlines are not
            later, and how many there are.
        is_only: Whether the study has one base model.
    """
    sentences = []
    for model, day, read, n in cutoffs:
        cutoff = f"the base model's training cutoff {day}" if is_only else f"the training cutoff {day} of {model}"
        are, them = ("is", "it") if read == 1 else ("are", "them")
        if read:
            sentences.append(f"{read:,} of {n:,} test headlines {are} not later than {cutoff}; it may have read {them}")
    return sentences


def describe_spread(spread: Mapping[str, float] | None, repeats: Repeats | None) -> str | None:
    """How much the folds or windows of a cell differ, from a row of `leaderboard_over_folds`; None without any."""
    if spread is None or repeats is None:
        return None
    worst, best = format_ratio(spread["accuracy_min"]), format_ratio(spread["accuracy_max"])
    mean, deviation = format_ratio(spread["accuracy_mean"]), format_ratio(spread["accuracy_sd"])
    return (
        f"over its {spread['folds']} {repeats.units} accuracy is {worst} to {best}, {mean} on average, with a standard "
        f"deviation of {deviation}"
    )


def describe_moved(moved: Mapping[str, int]) -> str | None:
    """A note that headlines of an official split are in no part; None if there are none.

    Args:
        moved: How many of each given part are a copy or near copy of one in another part.
    """
    if not moved:
        return None
    listed = " and ".join(f"{count:,} {part}" for part, count in moved.items())
    single = sum(moved.values()) == 1
    return (
        f"the source's own split: {listed} headline{' is a copy' if single else 's are copies'} or near "
        f"{'copy' if single else 'copies'} of headlines in another part, and therefore in no part; test stays whole"
    )


def describe_difference(name: str, other: str, difference: Difference) -> str:
    """Which of two cells is better, or that they do not differ beyond noise, with the figures."""
    if difference.is_significant and difference.value < 0:
        name, other, difference = other, name, difference.mirrored
    verdict = f"{name} beats {other}" if difference.is_significant else "no difference beyond noise"
    return f"{verdict}: {_format_figures(difference)}"


def describe_baseline(name: str, verdict: BaselineVerdict) -> str:
    """Whether a cell beats the best baseline of its study, with the figures."""
    best, figures = f"the best baseline, {verdict.baseline}", _format_figures(verdict.difference)
    if verdict.beats_baseline:
        return f"{name} beats {best}: {figures}"
    if verdict.difference.is_significant:
        return f"{name} is worse than {best}: {figures}"
    return f"{name} is no better than {best}, beyond noise: {figures}"


FEW_DISCORDANT = f"no interval: fewer than {LEAST_DISCORDANT} headlines tell the two apart"
FEW_OF_A_LABEL = f"no interval: a label has fewer than {LEAST_OF_A_LABEL} headlines"


def describe_drift(drifts: Sequence[Drift], tolerance: float) -> list[str]:
    """How the answers to a source differ from those on test beyond a tolerance, in lines, or why this is not known."""
    if drifts and drifts[0].reason:
        return [f"drift: nothing can be said, because {drifts[0].reason}"]
    return [
        f"warning: drift: {drift.measure} is {drift.value:.3f} here and {drift.test_value:.3f} on the model's test "
        f"part, beyond {tolerance:g} and beyond noise"
        for drift in drifts
        if drift.exceeds(tolerance)
    ]


def format_interval(value: float, low: float | None, high: float | None, why: str = FEW_DISCORDANT) -> str:
    """A difference with its interval, `+.034 [.012, .057]`, or with the reason `why` it has none."""
    figure = format_ratio(value)
    signed = figure if figure.startswith(("-", "0")) else f"+{figure}"
    return f"{signed} ({why})" if low is None or high is None else f"{signed} {format_bounds(low, high)}"


def format_bounds(low: float | None, high: float | None) -> str:
    """An interval, `[.843, .888]`, or the reason there is none, in brackets."""
    return f"({FEW_OF_A_LABEL})" if low is None or high is None else f"[{format_ratio(low)}, {format_ratio(high)}]"


def format_with_bounds(value: float, low: float | None, high: float | None) -> str:
    """A figure with its interval, `.867 [.843, .888]`, or with the reason there is none."""
    return f"{format_ratio(value)} {format_bounds(low, high)}"


def format_p_value(p_value: float) -> str:
    """A p-value with three digits, `p=.003`; a smaller one is `p<.001`."""
    return "p<.001" if p_value < 0.001 else f"p={format_ratio(p_value)}"  # noqa: PLR2004 (three digits)


def format_bare_p_value(p_value: float) -> str:
    """A p-value for a column headed p: `.003`, `<.001`."""
    return format_p_value(p_value).removeprefix("p").removeprefix("=")


def describe_drop(epoch: int, p_value: float) -> str:
    """When and why a race dropped a cell."""
    return f"dropped after epoch {epoch}, worse than the best on validation (p={p_value:.1g})"


def format_ratio(value: float, digits: int = 3) -> str:
    """Digits without the leading zero, as papers print them: `.034`, `-.012`, `1.000`, `0`."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.strip("-0.") else "0"


def format_figure(value: float | None) -> str:
    """Three digits with the leading zero, for columns: `0.034`; empty where there is none."""
    return "" if value is None else f"{value:.3f}"


def _format_figures(difference: Difference) -> str:
    interval = format_interval(difference.value, difference.low, difference.high)
    if difference.p_holm is None:
        return f"{interval}, {format_p_value(difference.p_value)}, not corrected"
    return (
        f"{interval}, {format_p_value(difference.p_holm)} after Holm's correction for {difference.pairs:,} comparisons"
    )
