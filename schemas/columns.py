"""Which columns of a table were read, as storage keeps them and people are shown them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadColumns:
    """The columns of text and label, by name, or by number from 1 where a table has no header.

    `other_texts` and `other_labels` are columns that could be meant as well. A source that is no table has none of all.
    Where the label is no word in one column, `label_shape` says how it is read, and `label` has several names. `kept`
    are the columns that pass through to answers, and `part` is the column of an official split, where one is named.
    """

    text: str | None = None
    label: str | None = None
    other_texts: tuple[str, ...] = ()
    other_labels: tuple[str, ...] = ()
    label_shape: str | None = None
    kept: tuple[str, ...] = ()
    part: str | None = None

    def describe(self) -> str:
        """The columns that were read, in words; empty for a source that is no table."""
        read = (("text", self.text), ("label", self.label))
        told = ", ".join(f"{what} from {_show(name)}" for what, name in read if name is not None)
        told += f" ({self.label_shape})" if self.label_shape else ""
        return told if self.part is None else f"{told}, part of the split from {_show(self.part)}"

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
    )


def _show(name: str) -> str:
    return f"column {name}" if name.isdigit() else repr(name)


def _join(names: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(name for name in names if name is not None)) or None


def _warn(what: str, name: str, others: tuple[str, ...]) -> str:
    listed = " or ".join(map(repr, others))
    return f"the {what} was read from {_show(name)}, and {listed} could be meant: if so, set {what}_column"
