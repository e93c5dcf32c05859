"""The places of the columns of a table that are read, and whether two of them are the same column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from ingestion.label_groups import LabelGroup
from schemas.columns import ReadColumns
from schemas.source import DataSettings


@dataclass(frozen=True)
class Columns:
    """The places of text, label and split part in a row, and their names; `label` is None if a group holds the label.

    `others` has the names of the other columns that are kept, by their places. `about` has the places of the columns of
    time, instrument, publisher and context, by the name of their field in a raw row.
    """

    text: int
    label: int | None
    read: ReadColumns
    group: LabelGroup | None = None
    others: Mapping[int, str] = field(default_factory=dict)
    part: int | None = None
    about: Mapping[str, int] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[int, ...]:
        """The places of the columns of the label."""
        return self.group.places if self.group else () if self.label is None else (self.label,)

    def describe_shared(self, settings: DataSettings) -> str | None:
        """Describe a column that is the text or the label and another one too, with the remedy; None if there is none.

        Any other two, such as instrument and publisher, may be the same column. A wrong column of parts is found by its
        words, row by row.
        """
        names = {"label": "label_columns" if self.group else "label_column"}
        uses = [("text", self.text), *(("label", place) for place in self.labels), *self.about.items()]
        for (role, place), (other, other_place) in combinations(uses, 2):
            if place == other_place and role in {"text", "label"}:
                name = getattr(self.read, "text" if role == "text" else other)
                options = " or ".join(settings.option(names.get(each, f"{each}_column")) for each in (role, other))
                return f"would have {name!r} as the column of {role} and of {other}: name another one with {options}"
        return None
