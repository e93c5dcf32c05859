"""Headlines without labels, batch by batch: which can be scored, and why the others cannot."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from ingestion.identity import normalise_text, text_id
from ingestion.rows import RawRow
from ingestion.validation import validate_batch


@dataclass(frozen=True)
class HeadlineBatch:
    """Some rows of a source in order: `headlines` and `rejected` (row_number, reason, raw).

    `headlines` has the columns row_number, text, `context`, which is the text to show before it or None, text_id of the
    two, `trained_id` of the text alone, `word`, which is the label of the source or None, and `others`, the cells of
    other columns by name. Row numbers count all rows of the source from 1.
    """

    headlines: pd.DataFrame
    rejected: pd.DataFrame

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return len(self.headlines) + len(self.rejected)


def read_batches(batches: Iterable[Sequence[RawRow]]) -> Iterator[HeadlineBatch]:
    """Validate the rows of a source, which come in batches; its labels are ignored."""
    count = 0
    for rows in batches:
        first = count + 1
        accepted, rejected, _ = validate_batch(rows, None, first)
        count += len(rows)
        texts = [normalise_text(text) for text in accepted["text"]]
        own = [rows[number - first] for number in accepted["row_number"]]
        asked = [
            text if row.context is None else f"{text}\n{row.context}" for text, row in zip(texts, own, strict=True)
        ]
        headlines = accepted[["row_number", "text"]].assign(
            context=pd.Series([row.context for row in own], index=accepted.index, dtype="object"),
            text_id=pd.Series(list(map(text_id, asked)), index=accepted.index, dtype="str"),
            trained_id=pd.Series(list(map(text_id, texts)), index=accepted.index, dtype="str"),
            word=pd.Series([row.label for row in own], index=accepted.index, dtype="object"),
            others=pd.Series([row.others or {} for row in own], index=accepted.index, dtype="object"),
        )
        yield HeadlineBatch(headlines.reset_index(drop=True), rejected.reset_index(drop=True))
