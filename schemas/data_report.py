"""The results of an ingestion, as numbers and short texts: read by storage, shown by reporting and the command line."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from schemas.columns import NO_COLUMNS, ReadColumns
from schemas.label import LABELS
from schemas.listing import count
from schemas.settings import Settings

MOST_REASONS = 3
"""The most reasons that one line lists."""


def describe_damage(headlines: int, example: str | None) -> str:
    """How many headlines look damaged, with the first of them."""
    return f"{count(headlines, 'headline looks', 'headlines look')} damaged, as in {example!r}"


def warn_of_labels(labels: Collection[str]) -> list[str]:
    """A sentence about the labels that no headline has; empty where each of the three has some."""
    missing = [label.value for label in LABELS if label not in labels]
    if not missing:
        return []
    problem = f"no headline is labelled {' or '.join(missing)}, and a study needs all three labels"
    of_two = ", or set split.classes=present for a study of two labels" if len(missing) == 1 else ""
    return [f"{problem}: check that the right column is read, and that data.label_map names every word{of_two}"]


class LabelCount(NamedTuple):
    """Headlines of one label, the rows that they stand for, and their share of all headlines."""

    label: str
    headlines: int
    rows: int
    share: float


class ReasonCount(NamedTuple):
    """Rows that were rejected for one kind of reason, with one of them in full."""

    reason: str
    rows: int
    example: str


def describe_reasons(reasons: Sequence[ReasonCount]) -> str:
    """The commonest reasons in brackets, with a space before them; empty where there are none."""
    listed = ", ".join(
        f"{count.rows:,}: {count.example}{' and the like' if count.rows > 1 and count.example != count.reason else ''}"
        for count in reasons[:MOST_REASONS]
    )
    return f" (most often {listed})" if listed else ""


class CopyCount(NamedTuple):
    """Groups of near copies of one kind, their headlines, and how many of the groups have more than one label."""

    kind: str
    groups: int
    headlines: int
    conflicting: int


class CopyGroup(NamedTuple):
    """One group of near copies."""

    example: str
    headlines: int
    kind: str
    labels: tuple[str, ...]


class Lengths(NamedTuple):
    """Lengths of the headlines of one label, or of all where the label is None."""

    label: str | None
    characters_median: float
    characters_p99: float
    characters_max: int
    words_median: float


class Changes(NamedTuple):
    """Headlines against the previous snapshot."""

    added: int
    removed: int
    relabelled: int
    unchanged: int


def describe_losses(previous: str | None, changes: Changes | None) -> str | None:
    """What a source has lost since the previous snapshot, in a line: headlines, and labels; None if nothing."""
    if changes is None or not (changes.removed or changes.relabelled):
        return None
    gone = count(changes.removed, "headline is gone", "headlines are gone")
    relabelled = count(changes.relabelled, "has another label", "have another label")
    return f"since snapshot {previous}: {gone}, {relabelled} (snapshot_changes)"


class Drift(NamedTuple):
    """One measure now and before.

    `drift` is none, moderate or major for a population stability index; None for other measures, and where a `reason`
    explains why it is unknown.
    """

    measure: str
    value: float
    previous_value: float
    drift: str | None
    reason: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether the measure is a population stability index, which compares now with before in one value."""
        return self.drift is not None or self.reason is not None

    @property
    def verdict(self) -> str:
        """The drift in words; empty for a measure that is not an index."""
        return f"unknown, because {self.reason}" if self.reason else self.drift or ""


class DataReport(Settings):
    """An ingestion and its snapshot; changes and drift are empty for the first of a source."""

    ingest_id: str
    source: str
    kind: str
    encoding: str | None
    columns: ReadColumns = NO_COLUMNS
    synthetic: bool
    snapshot_id: str
    previous_snapshot_id: str | None
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    rows_quarantined: int
    labels: tuple[LabelCount, ...]
    reasons: tuple[ReasonCount, ...]
    copies: tuple[CopyCount, ...]
    largest_groups: tuple[CopyGroup, ...]
    resolutions: tuple[tuple[str, int], ...]
    lengths: tuple[Lengths, ...]
    changes: Changes | None
    drift: tuple[Drift, ...]
    not_read: tuple[str, ...] | None = None
    """Files and sheets that were skipped, each with the reason; None where an older version ingested."""
    headlines_damaged: int | None = None
    """Headlines whose text looks damaged; None where an older version ingested."""
    damaged_example: str | None = None
    rows_added: int = 0
    """Extra rows from those with a label for each of several entities, which become a row for each."""
    rows_left_out: int = 0
    """Rows that the settings left out."""
    left_out: tuple[tuple[str, int], ...] = ()
    """The commonest reasons for leaving them out, each with its rows."""

    def warn(self) -> list[str]:
        """A sentence for each doubt about the columns, and about labels that no headline has."""
        return [*self.columns.warn(), *warn_of_labels([count.label for count in self.labels])]

    def describe_added(self) -> str:
        """How many rows further entities added, to follow the number of rows read; empty where there are none."""
        return f", and {self.rows_added:,} more for further entities" if self.rows_added else ""

    def describe_left_out(self) -> str:
        """How many rows were left out, with the commonest reasons."""
        listed = ", ".join(f"{rows:,}: {reason}" for reason, rows in self.left_out[:MOST_REASONS])
        return f"{self.rows_left_out:,} (most often {listed})"
