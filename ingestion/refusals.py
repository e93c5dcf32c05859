"""Why a source is refused as a whole: what its rejected rows have in common, and what would help."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Self

from ingestion.label_maps import PLACEHOLDER, spell_map
from ingestion.label_shapes import assign, describe_shape
from ingestion.labels import SHOWN_CHARACTERS
from schemas.columns import ReadColumns
from schemas.errors import InputError
from schemas.listing import count, cut, list_some
from schemas.source import DataSettings

MOST_SHOWN = 20
"""Most reasons that are listed with examples, and most words of a label map to paste."""
_EXAMPLES = 3
_RAW_CHARACTERS = 80

_UNKNOWN = re.compile(r"""unknown label ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_TIED = re.compile(r"(?:a tie|no majority) among the rows")
_CONFLICT = re.compile(rf"the same text is also labelled|\d+ of \d+ rows with this text|{_TIED.pattern}")
_NO_LABEL = re.compile(r"(?:^|; )no label")

if TYPE_CHECKING:
    import pandas as pd


class RefusedSourceError(InputError):
    """Nothing of a source is ingested, because of its rows; `details` has examples of them."""

    def with_note(self, note: str) -> Self:
        """The same refusal with a note at its end."""
        noted = type(self)(f"{self}; {note}")
        noted.details = self.details
        return noted


class TooManyRejectedError(RefusedSourceError):
    """More of a source's rows were rejected than `data.max_rejected` allows."""


class NothingAcceptedError(RefusedSourceError):
    """No row of a source can be used."""


class Account(NamedTuple):
    """The outcome of reading a source: its rows, those that the settings left out, and the rejected ones.

    A row with labels for several entities counts as one for each, so that there are `rows_added` more than were read.
    """

    rows_read: int
    rows_added: int
    rows_accepted: int
    rows_left_out: int
    rejected: "pd.DataFrame"
    """Columns source, row_number, reason and raw."""
    columns: ReadColumns

    @property
    def rows_counted(self) -> int:
        """The rows of which a share may be rejected: all but those that were left out."""
        return self.rows_read + self.rows_added - self.rows_left_out


def check_account(account: Account, data: DataSettings) -> None:
    """Refuse a source without a usable row, or with too large a share of rejected rows.

    Rows that are left out count as neither.

    Raises:
        NothingAcceptedError: No row can be used.
        TooManyRejectedError: More than `data.max_rejected` were rejected.
    """
    rejected, counted = len(account.rejected), max(account.rows_counted, 1)
    if not account.rows_accepted:
        rows = "its only row cannot" if account.rows_read == 1 else f"none of its {account.rows_read:,} rows can"
        problem = f"{rows} be used"
        raise _describe(NothingAcceptedError(f"source {data.source!r}: {problem}"), account, data)
    if rejected > data.max_rejected * counted:
        share = f"a share of {rejected / counted:.3g} where data.max_rejected allows {data.max_rejected:g}"
        problem = f"{rejected:,} of {counted:,} rows rejected, {share}"
        raise _describe(TooManyRejectedError(f"source {data.source!r}: {problem}"), account, data)


def _describe(refusal: RefusedSourceError, account: Account, data: DataSettings) -> RefusedSourceError:
    """The refusal with what the rejected rows have in common, the remedies and examples."""
    reasons = account.rejected["reason"].value_counts()
    labels = _count_labels(reasons)
    groups = ", ".join(_describe_groups(reasons, labels, account))
    message = f"{refusal}: {groups}; {'; '.join(_find_remedies(reasons, labels, account, data))}"
    described = type(refusal)(message)
    described.details = tuple(_give_examples(account.rejected, reasons))
    return described


def _count_labels(reasons: "pd.Series") -> Counter[str]:
    """The unknown labels with their rows."""
    counts: Counter[str] = Counter()
    for reason, many in reasons.items():
        found = _UNKNOWN.search(str(reason))
        if found:
            counts[ast.literal_eval(found[1])] += int(many)
    return counts


def _describe_groups(reasons: "pd.Series", labels: Counter[str], account: Account) -> Iterator[str]:
    """How many rows there are of each kind of fault."""
    if labels:
        column = f" in {_name_column(account.columns)}" if account.columns.label else ""
        yield f"{count(labels.total(), 'row')} with an unknown label{column} ({_list_counts(labels)})"
    known = {"without a label": _NO_LABEL, "whose text has several labels": _CONFLICT}
    for what, pattern in known.items():
        if number := _sum(reasons, pattern):
            yield f"{count(number, 'row')} {what}"
    others = Counter({str(why): int(n) for why, n in reasons.items() if not _is_grouped(str(why))})
    if others:
        [(reason, _)] = others.most_common(1)
        why = "with" if len(others) == 1 else "for other reasons, most often:"
        yield f"{count(others.total(), 'row')} {why} {reason}"
    if account.rows_left_out:
        yield f"{count(account.rows_left_out, 'row')} left out by the label map or data.agreement"


def _is_grouped(reason: str) -> bool:
    return any(pattern.search(reason) for pattern in (_UNKNOWN, _NO_LABEL, _CONFLICT))


def _find_remedies(reasons: "pd.Series", labels: Counter[str], account: Account, data: DataSettings) -> Iterator[str]:
    """What would help, the likeliest first."""
    columns = account.columns
    shape = describe_shape(list(labels), data)
    if shape:
        yield f"the column {shape}"
    elif len(labels) > MOST_SHOWN or max(map(len, labels), default=0) >= SHOWN_CHARACTERS:
        yield f"if another column holds the label, name it with {data.option('label_column')}"
    elif labels:
        pasted = spell_map(labels, data)
        choice = f", with positive, neutral, negative or null (such rows are left out) for {PLACEHOLDER}"
        yield f"map them by {assign(data, 'label_map', pasted)}{choice if PLACEHOLDER in pasted else ''}"
    yield from columns.warn()
    if _sum(reasons, _NO_LABEL):
        if account.rows_accepted:
            yield f"rows without a label are left out by {assign(data, 'label_map', spell_map([''], data))}"
        else:
            yield "headlines without labels are scored by fintone score"
    if _sum(reasons, _CONFLICT):
        choices = ["keep"] if data.conflicts == "majority" else ["majority", "keep"]
        what = "ties are settled" if _sum(reasons, _TIED) else "conflicting labels are settled"
        yield f"{what} by {' or '.join(data.option('conflicts', choice) for choice in choices)}"
    if not all(_is_grouped(str(reason)) for reason in reasons.index):
        read = columns.describe()
        yield "mend the rows" + (f", or name the right columns ({read})" if read else "")
    if reasons.empty:
        yield "map labels to positive, neutral or negative"
    if account.rows_accepted:
        yield "or raise data.max_rejected"


def _give_examples(rejected: "pd.DataFrame", reasons: "pd.Series") -> Iterator[str]:
    """A line for each of the commonest reasons with some of its rows."""
    shown = reasons.index[:MOST_SHOWN]
    rows = rejected[rejected["reason"].isin(shown)].groupby("reason", sort=False).head(_EXAMPLES)
    is_one_file = len(set(rejected["source"])) == 1
    for reason in shown:
        examples = rows[rows["reason"] == reason]
        places = zip(examples["source"], examples["row_number"], examples["raw"], strict=True)
        lines = (f"{'' if is_one_file else f'{file} '}row {number} {_cut(raw)}" for file, number, raw in places)
        yield f"{count(int(reasons[reason]), 'row')}: {reason}: {', '.join(lines)}"
    if len(reasons) > MOST_SHOWN:
        yield f"{count(len(reasons) - MOST_SHOWN, 'more reason')}"


def _cut(raw: str) -> str:
    return repr(cut(" ".join(raw.split()), _RAW_CHARACTERS))


def _name_column(columns: ReadColumns) -> str:
    is_one = not columns.label_shape or "," not in (columns.label or "")
    return f"column {columns.label!r}" if is_one else f"the columns {columns.label}"


def _list_counts(labels: Counter[str]) -> str:
    return list_some([f"{word!r} {number:,}" for word, number in labels.most_common()])


def _sum(reasons: "pd.Series", pattern: re.Pattern[str]) -> int:
    return sum(int(count) for reason, count in reasons.items() if pattern.search(str(reason)))
