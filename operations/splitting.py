"""Splits a snapshot into parts, consistently with earlier splits in the warehouse."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.config import StudyConfig
from schemas.plan import IngestedSource
from schemas.split import SplitSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from learning.study.given_split import GivenParts
    from learning.study.split import Member, NearParts, Parts
    from operations.lengths import LongHeadline
    from operations.timeline import TimedParts


class Division(NamedTuple):
    """What a study's split needs to know about its headlines, besides their labels and groups."""

    given: "GivenParts | None"
    """The parts that the source gives them, for the method `given`."""
    long: "list[LongHeadline]"
    """Those that are too long for a base model."""
    left_out: frozenset[str]
    """The ids of those that are in no part because of their length."""
    by_time: "TimedParts | None" = None
    """Their parts, for the method `temporal`."""


NO_DIVISION = Division(None, [], frozenset())
"""For a split that needs nothing else."""


def prepare_division(config: StudyConfig, headlines: "pd.DataFrame", *, fetch: bool) -> Division:
    """Find out what a study's split needs to know about its headlines.

    Args:
        config: The study.
        headlines: Columns headline_id, text_id, text, context and instrument.
        fetch: Whether to download a missing hub model for which a headline may be too long.

    Raises:
        InputError: Too many headlines are too long, or a base model or the source cannot be read.
    """
    from operations.lengths import check_long, find_long, list_left_out
    from operations.timeline import divide_by_time

    long = find_long(config, headlines, fetch=fetch)
    check_long(config, headlines, long)
    given = find_given(config) if config.split.method == "given" else None
    left_out = list_left_out(config, long)
    by_time = None
    if config.split.method == "temporal":
        kept = _keep(headlines, left_out)
        by_time = divide_by_time(config, kept, _list_members(kept))
    return Division(given, long, left_out, by_time)


def settle_study_split(config: StudyConfig, ingested: IngestedSource) -> tuple[str, list[str]]:
    """Split a study's snapshot; see `settle_split`.

    Returns:
        The split's id, and notes for the user, a line each.

    Raises:
        InputError: Too many headlines are too long, they do not fill the split, or a prompt's examples do not fit.
    """
    from operations.examples import check_examples
    from operations.lengths import warn_of_long
    from storage.snapshots import load_snapshot
    from storage.splits import load_folds, load_split, save_long

    warehouse = Home.from_environment().warehouse
    headlines = load_snapshot(warehouse, ingested.snapshot_id)
    division = prepare_division(config, headlines, fetch=True)
    snapshot, split = ingested.snapshot_id, config.split
    if split.repeats:
        identifier = settle_folds(snapshot, headlines, split, division)
    else:
        identifier = settle_split(snapshot, headlines, split, config.data.near_duplicates, division)
    parts = load_split(warehouse, identifier)
    for own in [load_split(warehouse, fold) for fold in load_folds(warehouse, identifier)] or [parts]:
        check_examples(config, headlines, own, fetch=True)
    resolution = "rejected" if config.data.too_long == "reject" else "truncated"
    save_long(warehouse, identifier, [(*each[:1], *each[2:], resolution) for each in division.long])
    notes = [warn_of_long(config, division.long), *describe_division(division, parts)]
    return identifier, [note for note in notes if note]


def describe_division(division: Division, parts: "Parts") -> list[str | None]:
    """Notes on given parts and on parts by time: which headlines moved, and when each part ends."""
    from learning.study.given_split import count_moved
    from operations.timeline import describe_times
    from reporting.verdict import describe_moved

    notes = []
    if division.given is not None:
        kept = {headline: own for headline, own in division.given.items() if headline not in division.left_out}
        notes.append(describe_moved(count_moved(kept, parts)))
    if division.by_time:
        notes.append(describe_times(division.by_time))
    return notes


def find_given(config: StudyConfig) -> "GivenParts":
    """The parts that a study's source gives its headlines; read again where an older version ingested it.

    Raises:
        InputError: The source cannot be read.
    """
    from operations.known_sources import load_or_read
    from storage.headlines import load_given

    def load(warehouse: Path, ingest_id: str) -> "pd.DataFrame | None":
        known = load_given(warehouse, ingest_id)
        return None if known.empty else known

    pairs = load_or_read(config.data, load, lambda ingestion: ingestion.given)
    given: dict[str, set[str]] = {}
    for headline, part in zip(pairs["headline_id"], pairs["part"], strict=True):
        given.setdefault(headline, set()).add(part)
    return given


def settle_split(
    snapshot_id: str,
    headlines: "pd.DataFrame",
    split: SplitSettings,
    near_duplicates: str,
    division: Division = NO_DIVISION,
) -> str:
    """Split a snapshot into train, validation and test, and return the split's id.

    A known split stays as it is; a new one respects the test parts of all earlier ones with the same seed.

    Args:
        snapshot_id: The snapshot.
        headlines: Its rows, as `storage.snapshots.load_snapshot` returns them.
        split: How it is drawn.
        near_duplicates: What counts as a near copy, as in `schemas.source.DataSettings`.
        division: What else it needs to know about the headlines.

    Raises:
        SplitError: A class has too few headlines.
    """
    from storage.splits import SplitsChangedError, count_splits, load_split_counts, save_split

    warehouse = Home.from_environment().warehouse
    identifier = identify_split(snapshot_id, headlines, split, division)
    settings = split.model_dump(mode="json")
    while not load_split_counts(warehouse, identifier):
        known = count_splits(warehouse)
        parts = draw_parts(headlines, split, near_duplicates, division)
        with suppress(SplitsChangedError):
            save_split(warehouse, identifier, snapshot_id, parts, settings, drawn_beside=known)
    return identifier


def settle_folds(snapshot_id: str, headlines: "pd.DataFrame", split: SplitSettings, division: Division) -> str:
    """Split a snapshot into folds or windows, and return the id of the split of all of them together.

    Raises:
        SplitError: A class has too few headlines.
    """
    from learning.study.identity import fold_split_id
    from storage.splits import load_folds, save_folds

    warehouse = Home.from_environment().warehouse
    identifier = identify_split(snapshot_id, headlines, split, division)
    if not load_folds(warehouse, identifier):
        drawn = enumerate(draw_parts_of_folds(headlines, split, division), start=1)
        folds = {fold_split_id(identifier, number): parts for number, parts in drawn}
        save_folds(warehouse, identifier, snapshot_id, folds, split.model_dump(mode="json"))
    return identifier


def identify_split(snapshot_id: str, headlines: "pd.DataFrame", split: SplitSettings, division: Division) -> str:
    """The id of a split; where no label is missing it is the same for all classes and for those that are present.

    Raises:
        SplitError: A class is missing that the split needs.
    """
    from learning.study.identity import split_id
    from learning.study.split_sizes import find_classes
    from schemas.label import LABELS

    present = set(_keep(headlines, division.left_out)["label"])
    if split.classes == "present" and len(find_classes(present, split)) == len(LABELS):
        split = split.model_copy(update={"classes": "all"})
    windows = division.by_time.windows if division.by_time else ()
    return split_id(snapshot_id, split, division.given, division.left_out, windows)


def draw_parts_of_folds(headlines: "pd.DataFrame", split: SplitSettings, division: Division) -> "list[Parts]":
    """The parts of each fold or window of a split; none where it has neither. See `draw_parts`."""
    from learning.study.folds import draw_folds

    if division.by_time:
        return division.by_time.windows if split.windows else []
    left_out = division.left_out
    with _naming_left_out(left_out):
        return draw_folds(_list_members(_keep(headlines, left_out)), split, split.folds) if split.folds else []


def draw_parts(
    headlines: "pd.DataFrame",
    split: SplitSettings,
    near_duplicates: str,
    division: Division = NO_DIVISION,
) -> "Parts":
    """Split headlines, consistently with earlier splits in the warehouse.

    Args:
        headlines: Columns headline_id, label, text_id, group_id and text.
        split: How it is drawn.
        near_duplicates: What counts as a near copy, as in `schemas.source.DataSettings`.
        division: What else the split needs to know about them.

    Raises:
        SplitError: A class has too few headlines.
    """
    from learning.study.given_split import split_as_given
    from learning.study.split import split_headlines

    if division.by_time:
        return division.by_time.windows[0]
    kept = _keep(headlines, division.left_out)
    members = _list_members(kept)
    if split.method == "given":
        return split_as_given(members, split, division.given or {})
    with _naming_left_out(division.left_out):
        if split.method == "study":
            return split_headlines(members, split)
        return _draw_hashed(members, kept, split, near_duplicates)


def _list_members(headlines: "pd.DataFrame") -> "list[Member]":
    from learning.study.split import Member

    columns = (headlines[name] for name in ("headline_id", "label", "text_id", "group_id"))
    return [Member(*values) for values in zip(*columns, strict=True)]


@contextmanager
def _naming_left_out(left_out: Collection[str]) -> Iterator[None]:
    """Add the number of headlines that were left out to the error of a split that fails in the block."""
    from learning.study.split_sizes import SplitError

    try:
        yield
    except SplitError as error:
        if not left_out:
            raise
        raise SplitError(f"{error} (headlines longer than a base model takes, left out: {len(left_out):,})") from error


def _keep(headlines: "pd.DataFrame", left_out: Collection[str]) -> "pd.DataFrame":
    return headlines[~headlines["headline_id"].isin(left_out)] if left_out else headlines


def _draw_hashed(
    members: "list[Member]", headlines: "pd.DataFrame", split: SplitSettings, near_duplicates: str
) -> "Parts":
    from learning.study.split import split_headlines
    from storage.splits import load_earlier_parts
    from storage.unfit import WarehouseMissingError

    try:
        earlier = load_earlier_parts(Home.from_environment().warehouse, split.seed)
    except WarehouseMissingError:
        return split_headlines(members, split)
    absent = earlier[~earlier["text_id"].isin(headlines["text_id"])]
    near = _find_near(headlines, absent, near_duplicates)
    known: Mapping[str, str] = dict(zip(earlier["text_id"], earlier["part"], strict=True))
    return split_headlines(members, split, known, near)


def _find_near(headlines: "pd.DataFrame", absent: "pd.DataFrame", near_duplicates: str) -> "NearParts":
    """The groups of headlines that hold a near copy of a text that is not among them, by the part of that text."""
    from ingestion.near_duplicates import group_near_copies

    if absent.empty:
        return {}
    texts = [*headlines["text"].tolist(), *absent["text"].tolist()]
    groups = group_near_copies(texts, near_duplicates).tolist()
    parts: dict[int, set[str]] = {}
    for number, part in zip(groups[len(headlines) :], absent["part"].tolist(), strict=True):
        parts.setdefault(number, set()).add(part)
    near: dict[str, set[str]] = {}
    for group, number in zip(headlines["group_id"].tolist(), groups, strict=False):
        near.setdefault(group, set()).update(parts.get(number, ()))
    return near
