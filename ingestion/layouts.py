"""How a delimited text is laid out: which character delimits, which line is the header, which columns hold what."""

from collections.abc import Sequence

from ingestion.about import miss_about, name_about
from ingestion.column_names import rank_names
from ingestion.columns import TEXT_NAMES, MissingColumnError, Table, describe_scores
from ingestion.delimited import ONE_COLUMN, Layout, shape_of
from ingestion.encodings import Text
from ingestion.found_columns import Columns
from ingestion.headers import find_header
from ingestion.heads import Head, is_header, is_spaced, is_table, read_heads
from ingestion.label_groups import make_group
from ingestion.labels import LabelWords
from ingestion.others import name_others
from schemas.columns import ReadColumns
from schemas.source import DataSettings

_HEADERLESS_FIELDS = 2
_MOSTLY = 0.5


def recognise_layout(text: Text, source: str, settings: DataSettings) -> Layout:
    """Find the delimiter, the header and the columns of a text.

    A header needs a text and a label column; without one, a row has two fields of which one is a label word, or the
    settings give the columns by their numbers.

    Raises:
        MissingColumnError: If no delimiter gives a text and a label column, or one column is that of something else
            too.
    """
    heads = read_heads(text, settings)
    layout = find_layout(heads, settings)
    if layout is None:
        raise _missing_columns(heads, source, settings)
    shared = layout.columns.describe_shared(settings)
    if shared:
        raise MissingColumnError(f"source {source!r} {shared}")
    return layout


def find_layout(heads: Sequence[Head], settings: DataSettings) -> Layout | None:
    """The layout under which most rows have the same width; None if no delimiter gives the columns that are needed."""
    found = [(head, layout) for head in heads if (layout := _find_layout(head, settings))]
    tables = [(head, layout) for head, layout in found if layout.width > 1]
    if not found or (not tables and not _is_declared(settings) and any(map(is_table, heads))):
        return None  # a known name alone in a line above a table is a title
    return max(tables or found, key=lambda pair: (pair[0].agreement(pair[1]), pair[0].delimiter == ONE_COLUMN))[1]


def _missing_columns(heads: Sequence[Head], source: str, settings: DataSettings) -> MissingColumnError:
    if not any(head.records for head in heads):
        row, option = settings.header_row, settings.option("header_row", "N")
        return MissingColumnError(f"source {source!r} has no line {row} that names columns: name another with {option}")
    head = max(heads, key=lambda head: (is_table(head), head.width, len(head.records[0]) if head.records else 0))
    names, rows = head.records[head.first], head.records[head.first + 1 :]
    remedy = "" if settings.is_labelled else f", or use {settings.option('format', 'lines')} if each line is a headline"
    if len(names) > 1 and not is_header(names, rows, head.delimiter):
        remedy += ", or give numbers from 1 if the first line is no header"
    return MissingColumnError(f"source {source!r} {Table(names, rows, settings).describe_missing(remedy)}")


def _find_layout(head: Head, settings: DataSettings) -> Layout | None:
    if not head.records:
        return None
    layout = _header_layout(head, settings)
    if layout:
        return layout if _is_declared(settings) or _is_sure(head, layout) else None
    return _numbered_layout(head, settings) or _headerless_layout(head, settings)


def _is_declared(settings: DataSettings) -> bool:
    """Whether the settings say that a text is a table; labelled text always is one."""
    named = settings.text_column or settings.delimiter or settings.header_row or settings.format
    return settings.is_labelled or named is not None


def _is_sure(head: Head, layout: Layout) -> bool:
    """Whether known names in a line are those of columns rather than words of a headline."""
    if layout.width == 1:
        return head.delimiter == ONE_COLUMN
    rest = head.below(layout.start)
    return is_header(layout.header or (), rest, head.delimiter) or (bool(rest) and head.agreement(layout) > _MOSTLY)


def _header_layout(head: Head, settings: DataSettings) -> Layout | None:
    place = find_header(head.records, settings)
    if place is None:
        return None
    names = head.records[place]
    columns = Table(names, head.records[place + 1 :], settings).find_columns()
    return _lay_out(head, len(names), columns, head.ends[place], names) if columns else None


def _lay_out(head: Head, width: int, columns: Columns, start: int, names: Sequence[str] | None = None) -> Layout:
    rows = [fields for fields in head.below(start) if len(fields) == width]
    shapes = [{shape_of(fields[place]) for fields in rows} for place in range(width)] if columns.label is None else []
    return Layout(head.delimiter, names, width, columns, start, shapes)


def _numbered_layout(head: Head, settings: DataSettings) -> Layout | None:
    """The columns of a file by their numbers from 1; a first line that calls the text by a known name is a header."""
    width = len(head.records[0])
    text = _number(settings.text_column, width)
    label_columns = (settings.label_columns or (settings.label_column,)) if settings.is_labelled else ()
    labels = [place for column in label_columns if (place := _number(column, width)) is not None]
    part = _number(settings.split_column, width)
    about = {field: _number(name, width) for field, name in name_about(settings).items()}
    places = {field: place for field, place in about.items() if place is not None}
    if not miss_about([], settings).keys() <= places.keys():
        return None
    if text is None or len(set(labels)) < len(label_columns) or (part is None and settings.split_column):
        return None
    names, words = [str(place + 1) for place in range(width)], LabelWords.of(settings)
    group = make_group(names, labels, words, settings.agreement) if len(label_columns) > 1 else None
    used = {text} if settings.keeps_read else {text, *labels, *places.values(), *([] if part is None else [part])}
    has_header = settings.header_row is not None or bool(rank_names([head.records[0][text]], TEXT_NAMES))
    header = head.records[0] if has_header else None
    others = name_others(header or [""] * width, used)
    read = ReadColumns(
        text=settings.text_column,
        label=", ".join(names[place] for place in labels) or None,
        label_shape=group.shape if group else describe_scores(settings),
        kept=tuple(others.values()),
        part=settings.split_column,
    )
    read = read.with_about({field: names[place] for field, place in places.items()})
    start = head.ends[0] if has_header else head.start
    label = None if group or not labels else labels[0]
    return _lay_out(head, width, Columns(text, label, read, group, others, part, places), start, header)


def _number(column: str | None, width: int) -> int | None:
    """The place of a column that is given by its number from 1."""
    if column is None or not (column.isascii() and column.isdigit()) or len(column) > len(str(width)):
        return None
    return int(column) - 1 if 0 < int(column) <= width else None


def _headerless_layout(head: Head, settings: DataSettings) -> Layout | None:
    """Two columns, one of which has a label word in the first row, and in most rows if no labels are needed."""
    words, first = LabelWords.of(settings), head.records[0]
    named = settings.text_column or settings.label_column or settings.label_columns or settings.split_column
    if named or miss_about([], settings) or len(first) != _HEADERLESS_FIELDS:
        return None
    labels = [place for place, field in enumerate(first) if words.knows(field)]
    if len(labels) != 1:
        return None
    [label] = labels
    rows = [fields for fields in head.records if len(fields) == len(first) and words.knows(fields[label])]
    if not settings.is_labelled and (len(rows) <= _MOSTLY * len(head.records) or (len(rows) == 1 and is_spaced(first))):
        return None
    others = name_others([""] * len(first), {1 - label} if settings.keeps_read else {0, 1})
    read = ReadColumns(
        text=str(2 - label),
        label=str(label + 1) if settings.is_labelled else None,
        label_shape=describe_scores(settings),
        kept=tuple(others.values()),
    )
    return _lay_out(head, len(first), Columns(1 - label, label, read, others=others), head.start)
