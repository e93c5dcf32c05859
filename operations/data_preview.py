"""The headlines that a study would use, before it does anything: what was read, and how it is split."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from embedded.paths import EMBEDDED
from learning.study.split import count_leaks
from operations.examples import check_examples
from operations.known_sources import UndatedSourceError
from operations.lengths import warn_of_long
from operations.splitting import Division, describe_division, draw_parts, draw_parts_of_folds, prepare_division
from operations.timeline import find_times
from reporting.verdict import describe_cutoffs, describe_leaks, describe_scarcity, describe_unplaced
from schemas.columns import ReadColumns
from schemas.config import StudyConfig
from schemas.label import LABELS
from schemas.profiles import PROFILES, load_profile

if TYPE_CHECKING:
    import pandas as pd


class TriedSplit(NamedTuple):
    """A split that was tried: headlines by label in each part, and notes for the user."""

    division: Division
    counts: dict[str, Counter[str]]
    notes: list[str]
    tested: frozenset[str]
    """The ids of the test headlines, of all folds or windows."""


def divide_headlines(config: StudyConfig, headlines: "pd.DataFrame") -> TriedSplit:
    """Try the split of a source's headlines.

    Raises:
        InputError: They do not fill the split, too many are too long for a base model, or examples do not fit.
    """
    labels, group_of = (
        dict(zip(headlines["headline_id"], headlines[name], strict=True)) for name in ("label", "group_id")
    )
    division = prepare_division(config, headlines, fetch=False)
    folds = draw_parts_of_folds(headlines, config.split, division)
    parts = folds[0] if folds else draw_parts(headlines, config.split, config.data.near_duplicates, division)
    for own in folds or [parts]:
        check_examples(config, headlines, own, fetch=False)
    present = [label for label in LABELS if label in set(labels.values())]
    counts = {part: Counter(labels[headline] for headline in own) for part, own in parts.items()}
    notes = [warn_of_long(config, division.long), describe_leaks(count_leaks(group_of, parts), len(parts["test"]))]
    notes.append(describe_scarcity([(part, label, own[label]) for part, own in counts.items() for label in present]))
    if config.split.is_drawn:
        notes.append(describe_unplaced(len(headlines) - len(division.left_out) - sum(map(len, parts.values()))))
    notes += describe_division(division, parts)
    tested = frozenset(headline for own in folds or [parts] for headline in own["test"])
    return TriedSplit(division, counts, [note for note in notes if note], tested)


def awaits_data(config: StudyConfig) -> bool:
    """Whether the source is missing and named as in a profile: the name then stands for a file of the user."""
    named = {load_profile(name)["data"]["source"] for name in PROFILES}
    return config.data.source in named - {EMBEDDED} and not Path(config.data.source).exists()


def describe_columns(config: StudyConfig, read: list[ReadColumns]) -> list[tuple[str, str]]:
    """Which columns a study of the user's own data reads, and which others could be meant."""
    if config.data.source == EMBEDDED:
        return []
    lines = [("columns", columns.describe()) for columns in read if columns.describe()]
    return lines + [("warning", warning) for columns in read for warning in columns.warn()]


def describe_data(config: StudyConfig, divided: TriedSplit | None) -> list[tuple[str, str]]:
    """The source, the headlines of each part by label, and notes on the split, which is None without the source."""
    split = config.split
    if divided is None:
        classes = len(LABELS)
        left = f"up to {split.validation_per_class} a class" if split.validation_per_class else "all that is left"
        text = (
            f"{config.data.source} (not found here: give its path with --data); {split.train_per_class * classes} train"
            f", {split.test_per_class * classes} test, validation: {left}"
        )
        return [("data", text)]
    present = [label for label in LABELS if any(counted[label] for counted in divided.counts.values())]
    parts = "; ".join(
        f"{part} {counted.total():,} ({', '.join(f'{counted[label]:,} {label}' for label in present)})"
        for part, counted in divided.counts.items()
    )
    text = f"{config.data.source}{' (synthetic)' if config.data.source == EMBEDDED else ''}: {parts}"
    return [("data", text), *(("note", note) for note in divided.notes)]


def describe_folds(config: StudyConfig) -> list[tuple[str, str]]:
    """What folds or windows do, in a line; none without either."""
    trained = "and every fine-tune and baseline is trained on each; promotes nothing"
    if config.split.windows:
        text = (
            f"{config.split.windows}: the parts above are those of the first; each is tested on headlines after those "
            f"it learned from, {trained}"
        )
        return [("windows", text)]
    text = (
        f"{config.split.folds}: the parts above are those of the first; every headline is in test once "
        f"(split.test_per_class has no effect), {trained}"
    )
    return [("folds", text)] if config.split.folds else []


def preview_cutoffs(config: StudyConfig, tested: Collection[str]) -> list[str]:
    """A sentence for each base model that may have read test headlines and whose last day of training is known.

    Args:
        config: The study.
        tested: The ids of its test headlines.

    Raises:
        InputError: The source cannot be read.
    """
    days = {cell.base_model.name: cell.base_model.trained_until for cell in config.resolve_all()}
    known = [(model, day) for model, day in days.items() if day]
    if not known:
        return []
    try:
        times = find_times(config)
    except UndatedSourceError:
        return []
    published = [times[headline].date() for headline in tested if headline in times]
    rows = [(model, day, sum(date <= day for date in published), len(tested)) for model, day in known]
    return describe_cutoffs(rows, is_only=len(days) == 1)
