"""Which columns of a table were read, as storage keeps them and people are shown them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class ReadColumns:
    """The columns of text and label, by name, or by number from 1 where a table has no header.

    `other_texts` and `other_labels` are columns that could be meant as well. A source that is no table has none of all.
    Where the label is no word in one column, `label_shape` says how it is read, and `label` has several names. `kept`
    are the other columns, and `part` is the column of an official split, where one is named. `published_at`,
    `instrument` and `publisher` are the columns of when a headline was published, what it is about, and who published
    it; `context` is that of the text before it.
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

    def with_about(self, names: Mapping[str, str]) -> Self:
        """The same with the columns of time, instrument, publisher and context, by the names of the fields here."""
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
        told = ", ".join(f"{what} from {_show(name)}" for what, name in read if name is not None)
        told += f" ({self.label_shape})" if self.label_shape else ""
        more = (
            ("part of the split", self.part),
            ("time of publication", self.published_at),
            ("instrument", self.instrument),
            ("publisher", self.publisher),
            ("context", self.context),
        )
        return told + "".join(f", {what} from {_show(name)}" for what, name in more if name is not None)

    def warn(self) -> list[str]:
        """A sentence for each column that could be another one."""
        kinds = (("text", self.text, self.other_texts), ("label", self.label, self.other_labels))
        return [_warn(what, name, others) for what, name, others in kinds if name is not None and others]


NO_COLUMNS = ReadColumns()
"""Of a source that is no table."""


def join_columns(columns: Iterable[ReadColumns]) -> ReadColumns:
    """The columns of several files as those of one source: each name once, in the order of the files."""
    every = list(columns)
    return ReadColumns(
        text=_join(each.text for each in every),
        label=_join(each.label for each in every),
        other_texts=tuple(dict.fromkeys(name for each in every for name in each.other_texts)),
        other_labels=tuple(dict.fromkeys(name for each in every for name in each.other_labels)),
        part=_join(each.part for each in every),
        label_shape=_join(each.label_shape for each in every),
        kept=tuple(dict.fromkeys(name for each in every for name in each.kept)),
        published_at=_join(each.published_at for each in every),
        instrument=_join(each.instrument for each in every),
        publisher=_join(each.publisher for each in every),
        context=_join(each.context for each in every),
    )


def _show(name: str) -> str:
    return f"column {name}" if name.isdigit() else repr(name)


def _join(names: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(name for name in names if name is not None)) or None


def _warn(what: str, name: str, others: tuple[str, ...]) -> str:
    listed = " or ".join(map(repr, others))
    return f"the {what} was read from {_show(name)}, and {listed} could be meant: if so, set {what}_column"
