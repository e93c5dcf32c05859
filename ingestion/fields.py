"""Where text and label are in a table whose cells may be nested: a column, and a path within its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ingestion.about import name_about, read_word
from ingestion.cells import is_empty, is_unicode
from ingestion.column_names import end_of
from ingestion.columns import PROMPT_NAMES, SAMPLE_ROWS, MissingColumnError, Table, choose_columns
from ingestion.entities import are_entities
from ingestion.frames import Frame, find_frame
from ingestion.label_groups import Cells, LabelGroup
from ingestion.labels import LabelWords, label_word
from ingestion.nesting import SEVERAL, Path, follow, is_nested, list_paths
from ingestion.others import name_others, take_others
from ingestion.rows import RawRow, broken_row
from schemas.columns import ReadColumns
from schemas.listing import list_some
from schemas.source import DataSettings


class Field(NamedTuple):
    """A value of a row: its name, the place of its column, and its path within the cell."""

    name: str
    place: int
    path: Path = ()


@dataclass(frozen=True)
class Fields:
    """The fields of text and label, how they are shown, and the words around each text that are not read."""

    text: Field
    label: Field | None
    """None if no label is read, or several fields hold it together."""
    read: ReadColumns
    frame: Frame
    group: LabelGroup | None = None
    grouped: tuple[Field, ...] = ()
    """The fields of the group, in its order."""
    others: Mapping[int, str] = field(default_factory=dict)
    """The names of the other columns that are kept, by their places."""
    part: Field | None = None
    """The field with the part of an official split, if one is named."""
    is_flat: bool = False
    """Whether nested cells of the other columns become texts."""
    about: Mapping[str, Field] = field(default_factory=dict)
    """The fields of time, instrument and publisher, by their name in a raw row."""

    @property
    def places(self) -> tuple[int, ...]:
        """The places of the columns of text and label."""
        return tuple(dict.fromkeys(field.place for field in self._all))

    @property
    def taken(self) -> tuple[int, ...]:
        """The places of all columns whose cells are taken."""
        about = (each.place for each in self.about.values())
        return tuple(dict.fromkeys((*self.places, *about, *self.others)))

    @property
    def _all(self) -> tuple[Field, ...]:
        return (self.text, *(each for each in (self.label, self.part) if each), *self.grouped)

    def make_row(self, cells: Cells, raw: str) -> RawRow:
        """Make a row from cells. Its text must be a string; its label may be a number, without decimals if whole.

        An empty cell means that there is no label, even if a label map names the empty word.

        Args:
            cells: At least the cells of `taken`, by their places.
            raw: The row as it was.
        """
        values = {each: follow(cells[each.place], each.path) for each in self._all}
        for each, value in values.items():
            if value is SEVERAL:
                return broken_row(raw, f"several values in {each.name!r}")
        text, label = values[self.text], values[self.label] if self.label else None
        if not isinstance(text, str):
            return broken_row(raw, f"no text in {self.text.name!r}")
        word = None if is_empty(label) else label_word(label)
        part = self.part and ("" if is_empty(values[self.part]) else label_word(values[self.part]))
        if not all(map(is_unicode, (text, word or "", part or ""))):
            return broken_row(raw, "half a surrogate pair, which is not Unicode")
        others = take_others(cells, self.others, flat=self.is_flat)
        row = RawRow(self.frame.strip(text), word, raw, part=part, others=others)
        if self.about:
            found = {name: follow(cells[each.place], each.path) for name, each in self.about.items()}
            words: dict[str, Any] = {
                name: None if cell is SEVERAL else read_word(name, cell) for name, cell in found.items()
            }
            row = row._replace(**words)
        if self.group is None:
            return row
        return self.group.label(row, dict(zip(self.group.places, (values[each] for each in self.grouped), strict=True)))


def find_fields(source: str, names: Sequence[str], rows: Sequence[Sequence[Any]], settings: DataSettings) -> Fields:
    """The fields of text and label, by the names of the columns and the first rows.

    Raises:
        MissingColumnError: A field that is needed is missing.
    """
    sample = rows[:SAMPLE_ROWS]
    fields = _list_fields(names, sample, settings)
    cells = [[follow(_cell(row, field.place), field.path) for field in fields] for row in sample]
    nested = frozenset(place for place, field in enumerate(fields) if field.path)
    try:
        columns = choose_columns(source, Table([field.name for field in fields], cells, settings, nested))
    except MissingColumnError as error:
        differing = [field.name for place, field in enumerate(fields) if any(row[place] is SEVERAL for row in cells)]
        raise _name_elements(error, differing) from None
    text = fields[columns.text]
    is_prompt = end_of(text.name) in PROMPT_NAMES
    texts = (row[columns.text] for row in cells if is_prompt)
    frame = find_frame(each for each in texts if isinstance(each, str) and not is_empty(each))
    label = None if columns.label is None else fields[columns.label]
    grouped = tuple(fields[place] for place in columns.group.places) if columns.group else ()
    part = None if columns.part is None else fields[columns.part]
    about = {name: fields[place] for name, place in columns.about.items()}
    read_fields = (text,) if settings.keeps_read else (text, label, part, *grouped, *about.values())
    others = name_others(names, {each.place for each in read_fields if each and not each.path})
    read = replace(columns.read, kept=tuple(others.values()))
    return Fields(text, label, read, frame, columns.group, grouped, others, part, settings.keeps_read, about)


def _name_elements(error: MissingColumnError, differing: Sequence[str]) -> MissingColumnError:
    """The error, with a remedy where lists have several values."""
    if not differing:
        return error
    names = list_some([repr(name) for name in differing])
    return MissingColumnError(f"{error}; lists differ in {names}: name one element by its place, as in a.0.b")


def _list_fields(names: Sequence[str], rows: Sequence[Sequence[Any]], settings: DataSettings) -> list[Field]:
    """The fields of each column in order, then those that the settings name by another path."""
    fields, words = [], LabelWords.of(settings)
    for place, name in enumerate(names):
        cells = [_cell(row, place) for row in rows]
        is_whole = not any(map(is_nested, cells)) or are_entities(cells, words)
        paths = [()] if is_whole else list_paths(cells)
        fields += [Field(".".join((name, *path)), place, path) for path in paths]
    known = {field.name for field in fields}
    about = name_about(settings).values()
    named = (
        settings.text_column,
        settings.label_column,
        settings.split_column,
        *(settings.label_columns or ()),
        *about,
    )
    for wanted in named:
        if wanted and wanted not in known:
            fields += _find_path(wanted, names, rows)
    return fields


def _find_path(wanted: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Field]:
    """The field at a path that the settings name, if a row has a value there."""
    for place, name in enumerate(names):
        if wanted.startswith(f"{name}."):
            path = tuple(wanted[len(name) + 1 :].split("."))
            if any(follow(_cell(row, place), path) is not None for row in rows):
                return [Field(wanted, place, path)]
    return []


def _cell(row: Sequence[Any], place: int) -> Any:
    return row[place] if place < len(row) else None
