"""Headlines without labels, batch by batch: which can be scored, and why the others cannot."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from ingestion.date_order import DateOrderError, find_order
from ingestion.dates import list_dates, parse_dates
from ingestion.identity import normalise_text, text_id
from ingestion.rows import RawRow
from ingestion.validation import validate_batch
from schemas.source import DateOrder


@dataclass(frozen=True)
class HeadlineBatch:
    """Some rows of a source in order: `headlines` and `rejected` (row_number, reason, raw).

    `headlines` has the columns row_number, text, `context` (the text to show before it, or None), text_id (of the
    question), `trained_id` (of the text only), `word` (the label of the source, or None), `others` (the cells of other
    columns by name), `published_at` (a time in UTC) and `instrument`. Row numbers count all rows of the source from 1.
    """

    headlines: pd.DataFrame
    rejected: pd.DataFrame
    unread_dates: int
    """The number of headlines whose date cannot be read; they are answered without it."""
    date_order: DateOrder | None = None
    """The order by which its numeric dates were read; None where it has none, or their order is unclear."""

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return len(self.headlines) + len(self.rejected)


class Words:
    """Collects words of a whole source while it is read: its numeric dates, to find their order, and its labels."""

    def __init__(self) -> None:
        """Begin with none."""
        self._dates: set[str] = set()
        self.labels: Counter[str] = Counter()
        """How many rows have each word for a label; empty for a missing one."""

    def watch(self, rows: Iterable[RawRow]) -> Iterator[RawRow]:
        """Yield the rows as they come, and collect their words."""
        for row in rows:
            if row.published_at:
                self._dates.update(list_dates([row.published_at]))
            if row.defect is None:
                self.labels[row.label or ""] += 1
            yield row

    def find_order(self, likely: DateOrder | None = None) -> DateOrder | None:
        """The order that fits all dates, of several the likely one; None where there are none, or none can be found."""
        try:
            return find_order(sorted(self._dates), likely) if self._dates else None
        except DateOrderError:
            return None


def read_batches(
    batches: Iterable[Sequence[RawRow]],
    timezone: str = "UTC",
    order: DateOrder | None = None,
    likely: DateOrder | None = None,
    *,
    by_instrument: bool = False,
) -> Iterator[HeadlineBatch]:
    """Validate the rows of a source, which come in batches; its labels are ignored.

    Args:
        batches: The rows.
        timezone: The zone of dates that name none.
        order: The order of numeric dates; found from each batch if None.
        likely: The order that is chosen if it and others fit a batch, unless an earlier batch had another one.
        by_instrument: Whether one text about two instruments is two questions.
    """
    count = 0
    for rows in batches:
        first = count + 1
        accepted, rejected, _ = validate_batch(rows, None, first)
        count += len(rows)
        texts = [normalise_text(text) for text in accepted["text"]]
        kept = [rows[number - first] for number in accepted["row_number"]]
        questions = [_describe(text, row, by_instrument=by_instrument) for text, row in zip(texts, kept, strict=True)]
        published_at, found = _read_dates(accepted["published_at"], timezone, order, likely)
        likely = found or likely
        headlines = accepted[["row_number", "text"]].assign(
            context=pd.Series([row.context for row in kept], index=accepted.index, dtype="object"),
            text_id=pd.Series(list(map(text_id, questions)), index=accepted.index, dtype="str"),
            trained_id=pd.Series(list(map(text_id, texts)), index=accepted.index, dtype="str"),
            word=pd.Series([row.label for row in kept], index=accepted.index, dtype="object"),
            others=pd.Series([row.others or {} for row in kept], index=accepted.index, dtype="object"),
            published_at=published_at,
            instrument=accepted["instrument"],
        )
        unread = int((accepted["published_at"].notna() & headlines["published_at"].isna()).sum())
        yield HeadlineBatch(headlines.reset_index(drop=True), rejected.reset_index(drop=True), unread, found)


def _describe(text: str, row: RawRow, *, by_instrument: bool) -> str:
    """The text that identifies a question: the headline, its context, and what it is about."""
    question = text if row.context is None else f"{text}\n{row.context}"
    return f"{question}\ninstrument={row.instrument}" if by_instrument and row.instrument else question


def _read_dates(
    words: pd.Series, timezone: str, order: DateOrder | None, likely: DateOrder | None
) -> tuple[pd.Series, DateOrder | None]:
    """Times in UTC, missing if there is no word or it cannot be read; and the order of the numeric dates."""
    known = words.dropna()
    try:
        times, found = parse_dates(known, timezone, order, likely)
    except DateOrderError:
        return pd.Series(pd.NaT, index=words.index, dtype="datetime64[us]"), None
    return times.reindex(words.index), found
