"""The source of a scoring: its columns, rows and batches."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from schemas.columns import ReadColumns, join_columns
from schemas.errors import InputError
from schemas.identity import content_id
from schemas.listing import list_some
from schemas.score import ScoreSettings
from schemas.scoring import rename_others
from schemas.source import DateOrder
from storage.home import Home
from storage.unfit import WarehouseUnwritableError

if TYPE_CHECKING:
    import io

    from ingestion.rows import RawRow
    from ingestion.unlabelled import HeadlineBatch
    from storage.scores import Scorer

ROWS_AT_ONCE = 4_096
"""Rows of a source that are in memory together."""
NEWER = ("header_row", "label_columns", "thresholds", "context_column")
"""Settings that are newer than the first scorings."""
STREAM_PATIENCE = 1.0
"""Seconds for which the first row of a batch of a stream waits for more."""


@dataclass(frozen=True)
class ScoreInput:
    """A source that is being scored: its kinds, its columns and its batches."""

    scoring_id: str
    name: str
    location: str
    kinds: Sequence[str]
    columns: ReadColumns
    batches: Iterable["HeadlineBatch"]
    rows: int | None = None
    """How many rows it has; None for a stream."""
    not_read: Sequence[str] = ()
    """Files and sheets that are passed over, each with the reason."""
    labels: Mapping[str, int] | None = None
    """How many rows have each word as their label, empty if it is missing; None for a stream."""
    assumed_order: DateOrder | None = None
    """The order of day and month of the model's study, by which unclear dates are read; None where there are none."""

    def describe(self) -> list[str]:
        """Which column of a table is read, or that a line is a headline; what else could be meant; what is not read."""
        read = [self.columns.describe()] if self.columns.text else []
        read += ["each line is a headline"] if "lines" in self.kinds else []
        if self.assumed_order:
            read.append(
                f"dates that may be day or month first are read as {self.assumed_order}, as in the model's study; "
                "--date-order changes that"
            )
        read += [f"not read: {list_some(self.not_read)}"] if self.not_read else []
        read += [f"warning: {each}" for each in self.columns.warn()]
        renamed = [
            f"{name!r} to {column!r}" for name, column in rename_others(self.columns.kept).items() if name != column
        ]
        read += [f"renamed in the answers: {list_some(renamed)}"] if renamed else []
        return [f"{self.name}: {each}" for each in read]


@contextmanager
def open_input(
    settings: ScoreSettings,
    scorer: "Scorer",
    *,
    truncates: bool = False,
    by_instrument: bool = False,
    likely_order: DateOrder | None = None,
) -> Iterator[ScoreInput]:
    """Open the source of a scoring.

    A stream is read as it comes. Anything else is read once and whole before the block begins: what cannot be scored is
    refused before anything is answered, and the number of rows is known. Its rows are held in a temporary file, so
    memory does not grow with them.

    Args:
        settings: The source and how it is read.
        scorer: The identity of the model's answers.
        truncates: Whether headlines that are too long are truncated.
        by_instrument: Whether one text about two instruments is two questions.
        likely_order: The order of day and month, where the dates do not show it.

    Raises:
        InputError: The source cannot be read, or has nothing that can be scored.
    """
    from ingestion.streams import STREAM

    if settings.source == STREAM:
        yield _open_stream(settings, scorer, by_instrument=by_instrument, likely_order=likely_order)
        return
    identity = scorer.identity | ({"too_long": "truncate"} if truncates else {})
    with _naming_home():
        held = TemporaryFile("w+", dir=Home.from_environment().root, encoding="ascii")  # noqa: SIM115 (closed below)
    try:
        yield _read_whole(settings, identity, held, by_instrument=by_instrument, likely_order=likely_order)
    finally:
        with suppress(OSError):  # it writes what is buffered, which fails again where the disk is full
            held.close()


def _open_stream(
    settings: ScoreSettings, scorer: "Scorer", *, by_instrument: bool, likely_order: DateOrder | None
) -> ScoreInput:
    from ingestion.streams import STREAM, batch_rows, open_stream
    from ingestion.unlabelled import read_batches

    if sys.stdin is None:  # as Python sets it where the descriptor is closed
        raise InputError(f"source {STREAM!r}: standard input is closed: give headlines on it, or the path of a file")
    content = open_stream(cast("io.BufferedReader", sys.stdin.buffer), settings.reading)
    identity = content_id({"stream": time.time_ns(), **scorer.identity})
    reading = settings.reading
    batches = read_batches(
        batch_rows(content.rows, ROWS_AT_ONCE, STREAM_PATIENCE),
        reading.timezone,
        reading.date_order,
        likely_order,
        by_instrument=by_instrument,
    )
    assumed = likely_order if content.columns.published_at and reading.date_order is None else None
    return ScoreInput(identity, STREAM, STREAM, [content.kind], content.columns, batches, assumed_order=assumed)


def _read_whole(
    settings: ScoreSettings,
    model: Mapping[str, Any],
    held: IO[str],
    *,
    by_instrument: bool,
    likely_order: DateOrder | None,
) -> ScoreInput:
    from ingestion.sources import Reading, find_place, iterate_rows
    from ingestion.unlabelled import Words, read_batches

    place, reading, words = find_place(settings.reading), Reading(), Words()
    _hold(words.watch(iterate_rows(place, settings.reading, reading)), held)
    found = settings.reading.date_order or words.find_order()
    order = found or words.find_order(likely_order)
    rules = settings.reading.model_dump(mode="json", exclude={"source", "split_column", "too_long"})
    if found is None:
        rules["date_order"] = order
    # a newer setting without a value is left out, so that the ids of earlier scorings stay the same
    rules = {name: rule for name, rule in rules.items() if rule is not None or name not in NEWER}
    options: dict[str, str] = {} if settings.unparsed == "label" else {"unparsed": settings.unparsed}
    sha256 = place.identify(reading.hashes)
    return ScoreInput(
        content_id({"sha256": sha256, "reading": rules, **model, **options}),
        place.name,
        place.location,
        reading.kinds,
        join_columns(reading.columns),
        read_batches(
            _read_back(held),
            settings.reading.timezone,
            order,
            by_instrument=by_instrument,
        ),
        sum(reading.rows),
        (*place.not_read, *reading.not_read),
        words.labels,
        assumed_order=order if found is None else None,
    )


def _hold(rows: Iterator["RawRow"], held: IO[str]) -> None:
    """Write rows into a file, one batch per line."""
    for batch in iter(lambda: list(islice(rows, ROWS_AT_ONCE)), []):
        with _naming_home():
            held.write(json.dumps(batch) + "\n")  # ASCII escapes also spell what UTF-8 cannot encode
    with _naming_home():
        held.seek(0)


@contextmanager
def _naming_home() -> Iterator[None]:
    """The system names no place where the disk of a nameless file is full; the output may be on another one."""
    try:
        yield
    except OSError as error:
        root = Home.from_environment().root
        raise WarehouseUnwritableError(f"home {root}: cannot be written ({error.strerror}); free disk space") from error


def _read_back(held: IO[str]) -> Iterator[list["RawRow"]]:
    from ingestion.rows import RawRow

    for line in held:
        yield [RawRow(*row) for row in json.loads(line)]
