"""Columns of a table: which were read, as they are stored and as they are shown, and one that has a known name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class ReadColumns:
    """The columns of text and label, by name, or by number from 1 where a table has no header.

    `other_texts` and `other_labels` are columns that could also be meant. All fields are empty for a source that is not
    a table. Where the label is not a word in one column, `label_shape` says how it is read, and `label` has several
    names. `kept` are the other columns, and `part` is the column of an official split, where one is named.
    `published_at`, `instrument` and `publisher` are the columns of when a headline was published, what it is about, and
    who published it; `context` is the column of the text that is shown before it. `undated` is a column that may hold
    times of publication and is not read as such; it is not stored.
    """

    text: str | None = None
    label: str | None = None
    other_texts: tuple[str, ...] = ()
    other_labels: tuple[str, ...] = ()
    label_shape: str | None = None
    kept: tuple[str, ...] = ()
    part: str | None = None
    published_at: str | None = None
    instrument: str | None = None
    publisher: str | None = None
    context: str | None = None
    undated: str | None = None

    def with_about(self, names: Mapping[str, str]) -> Self:
        """A copy with the columns of time, instrument, publisher and context, by the names of these fields."""
        return replace(
            self,
            published_at=names.get("published_at"),
            instrument=names.get("instrument"),
            publisher=names.get("publisher"),
            context=names.get("context"),
        )

    @property
    def says_more(self) -> bool:
        """Whether a source has more than text and label: a time, an instrument, a publisher or other columns."""
        return bool(self.published_at or self.instrument or self.publisher or self.kept)

    def describe(self) -> str:
        """The columns that were read, in words; empty for a source that is no table."""
        read = (("text", self.text), ("label", self.label))
        text = ", ".join(f"{content} from {_show(name)}" for content, name in read if name is not None)
        text += f" ({self.label_shape})" if self.label_shape else ""
        more = (
            ("part of the split", self.part),
            ("time of publication", self.published_at),
            ("instrument", self.instrument),
            ("publisher", self.publisher),
            ("context", self.context),
        )
        return text + "".join(f", {content} from {_show(name)}" for content, name in more if name is not None)

    def warn(self) -> list[str]:
        """A sentence for each column that could be another one, and for dates that are not read."""
        kinds = (("text", self.text, self.other_texts), ("label", self.label, self.other_labels))
        warnings = [_warn(kind, name, others) for kind, name, others in kinds if name is not None and others]
        if self.undated is not None:
            warnings.append(
                f"{self.undated!r} is not read as time of publication, since no order of day and month fits nearly all "
                "of its first dates: mend them, or set published_at_column and date_order, and other rows are rejected"
            )
        return warnings


NO_COLUMNS = ReadColumns()
"""The columns of a source that is not a table."""


def join_columns(columns: Iterable[ReadColumns]) -> ReadColumns:
    """The columns of several files as those of one source: each name once, in the order of the files."""
    tables = list(columns)
    return ReadColumns(
        text=_join(table.text for table in tables),
        label=_join(table.label for table in tables),
        other_texts=tuple(dict.fromkeys(name for table in tables for name in table.other_texts)),
        other_labels=tuple(dict.fromkeys(name for table in tables for name in table.other_labels)),
        part=_join(table.part for table in tables),
        label_shape=_join(table.label_shape for table in tables),
        kept=tuple(dict.fromkeys(name for table in tables for name in table.kept)),
        published_at=_join(table.published_at for table in tables),
        instrument=_join(table.instrument for table in tables),
        publisher=_join(table.publisher for table in tables),
        context=_join(table.context for table in tables),
        undated=_join(table.undated for table in tables),
    )


def _show(name: str) -> str:
    return f"column {name}" if name.isdigit() else repr(name)


def _join(names: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(name for name in names if name is not None)) or None


def _warn(kind: str, name: str, others: tuple[str, ...]) -> str:
    listed = " or ".join(map(repr, dict.fromkeys(other for other in others if other != name)))
    if not listed:
        return f"the {kind} was read from the first of the columns {name!r}: if another is right, rename it"
    return f"the {kind} was read from {_show(name)}, and {listed} could be meant: if so, name it with --{kind}-column"


def find_column(names: Iterable[str], known: Sequence[str]) -> str | None:
    """The first column with one of the known names, the earlier ones first, without regard to case; else None."""
    by_name = {name.strip().lower(): name for name in reversed([*names])}
    return next((by_name[name] for name in known if name in by_name), None)
