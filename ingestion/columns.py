"""Which column holds the headline and which the label: by the setting, else by name and by the first values."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ingestion.about import find_about, find_undated, miss_about
from ingestion.column_names import end_of, find_named, rank_names, split_words
from ingestion.column_values import ColumnValues
from ingestion.entities import OF_ENTITIES
from ingestion.found_columns import Columns
from ingestion.label_groups import LabelGroup, find_flags, make_group
from ingestion.label_shapes import hint_at_shapes
from ingestion.labels import LabelWords
from ingestion.others import name_others
from schemas.columns import ReadColumns
from schemas.errors import InputError
from schemas.nearest import find_nearest
from schemas.source import DataSettings

SAMPLE_ROWS = 500
"""Number of first rows whose values are judged."""

TEXT_NAMES = ("text", "headline", "sentence", "title", "news", "news headline", "content", "message", "tweet")
LABEL_NAMES = ("label", "sentiment", "class", "polarity", "target", "category", "gold label")
"""Known names, best first; case, padding, `_`, `-` and a plural ignored."""
SCORE_NAMES = ("score", "compound")
"""Names of a label column that holds scores."""

PROMPT_NAMES = ("input", "query", "question", "prompt", "user", "human", "instruction")
ANSWER_NAMES = ("output", "answer", "completion", "response", "assistant", "gpt", "model", "bot")
"""Names in data that language models are trained on; their values must be headlines and labels."""

_SHOWN_COLUMNS = 12
_SHOWN_CHARACTERS = 40
_MOST_SUGGESTED = 3
_AFTER_NAMES = 1_000
"""The rank of columns whose name alone does not say what they hold."""
_MOST_JUDGED = 1_000
"""Most columns with unknown names whose values are judged."""


class MissingColumnError(InputError):
    """A source has no text column, or no label column where labels are needed, or one column for two things."""


class Table:
    """The names of a table's columns, its first rows, and which of its columns may hold text and label.

    Args:
        names: The names of the columns.
        rows: The first rows; a row shorter than the names has empty cells from there on.
        settings: Which columns are named, and the label words. Unlabelled text has no label column.
        nested: The places of the columns that are paths within cells, such as `sentiment.polarity`.
    """

    def __init__(
        self,
        names: Sequence[str],
        rows: Sequence[Sequence[Any]],
        settings: DataSettings,
        nested: frozenset[int] = frozenset(),
    ) -> None:
        self.names = names
        self.settings = settings
        self._nested = nested
        self._rows = rows[:SAMPLE_ROWS]
        self._words = LabelWords.of(settings)
        self._values: dict[int, ColumnValues] = {}

    def find_columns(self) -> Columns | None:
        """The columns of text and label; None if a column that is needed is missing."""
        texts, labels, parts = self._find_text(), self._find_label(), self._find_part()
        group = self._find_group(labels)
        has_labels = labels or group or not self.settings.is_labelled
        is_whole = texts and has_labels and (parts or not self.settings.split_column)
        if not is_whole or miss_about(self.names, self.settings):
            return None
        label, part = None if group or not labels else labels[0], parts[0] if parts else None
        used = {texts[0], *(group.places if group else labels[:1]), *parts[:1]}
        about = find_about(self.names, self._judge, self.settings, used)
        others = name_others(self.names, {texts[0]} if self.settings.keeps_read else {*used, *about.values()})
        columns = Columns(texts[0], label, ReadColumns(), group, others, part, about)
        return replace(columns, read=self._describe(columns, texts[1:], labels[1:]))

    def _describe(self, columns: Columns, other_texts: Sequence[int], other_labels: Sequence[int]) -> ReadColumns:
        """The columns that are read, by name; a label column with a label for each entity is also the instrument."""
        group, label = columns.group, columns.label
        has_entities = label is not None and self._judge(label).holds_entities
        about = {**columns.about, **({"instrument": label} if label is not None and has_entities else {})}
        read = ReadColumns(
            text=self.names[columns.text].strip(),
            label=", ".join(self._name(columns.labels)) or None,
            other_texts=self._name(other_texts),
            other_labels=() if group else self._name(other_labels),
            label_shape=group.shape if group else OF_ENTITIES if has_entities else describe_scores(self.settings),
            part=None if columns.part is None else self.names[columns.part].strip(),
            kept=tuple(columns.others.values()),
        )
        read = read.with_about({field: self.names[place].strip() for field, place in about.items()})
        if read.published_at is not None:
            return read
        used = {columns.text, *columns.labels, *([] if columns.part is None else [columns.part]), *about.values()}
        return replace(read, undated=find_undated(self.names, self._judge, self.settings, used))

    def describe_missing(self, remedy: str = "") -> str:
        """Describe what is missing, which columns there are instead, and the remedy; `remedy` adds another one."""
        settings, labels = self.settings, self._find_label()
        wanted = [("text", _as_list(settings.text_column), self._find_text(), self._suggest_texts)]
        if settings.is_labelled and not self._find_group(labels):
            named = _as_list(settings.label_column) or self._miss_columns()
            wanted.append(("label", named, labels, self._suggest_labels))
        if settings.split_column:
            wanted.append(("split", [settings.split_column], self._find_part(), list))
        wanted += [(role, [column], [], list) for role, column in miss_about(self.names, settings).items()]
        missing = [(role, names, suggest) for role, names, found, suggest in wanted if not found]
        listed = [(role, ", ".join(names)) for role, names, _ in missing]
        lacking = " and no ".join(f"{role} column {names!r}" if names else f"{role} column" for role, names in listed)
        options = " and ".join(settings.option(self._call(role)) for role, _, _ in missing)
        shown = [name[:_SHOWN_CHARACTERS] for name in self.names[:_SHOWN_COLUMNS]]
        more = f" and {len(self.names) - len(shown)} more" if len(self.names) > len(shown) else ""
        hints = "".join(self._hint(role, suggest(), names) for role, names, suggest in missing)
        name_them = f"name {'it' if len(missing) == 1 else 'them'} with {options}"
        if any(role == "label" for role, _, _ in missing):
            hints += "".join(f"; {hint}" for hint in hint_at_shapes(self.names, self._rows, settings))
        return f"has no {lacking}, its columns are {shown}{more}: {name_them}{remedy}{hints}"

    def _call(self, role: str) -> str:
        """The setting that names a column."""
        return "label_columns" if role == "label" and self.settings.label_columns else f"{role}_column"

    def _miss_columns(self) -> list[str]:
        """The label columns that the settings name but the table lacks."""
        return [name for name in self.settings.label_columns or () if not find_named(self.names, name)]

    def _find_group(self, labels: Sequence[int]) -> LabelGroup | None:
        """The columns that hold the label together: those that are named, or one for each label with 1 and 0.

        Args:
            labels: The columns of which one may hold the label alone; one with known labels is preferred to a group.
        """
        settings = self.settings
        if not settings.is_labelled or settings.label_column is not None:
            return None
        if settings.label_columns:
            places = [place for name in settings.label_columns for place in find_named(self.names, name)]
            is_whole = len(set(places)) == len(settings.label_columns)
            return make_group(self.names, places, self._words, settings.agreement) if is_whole else None
        if labels and self._judge(labels[0]).holds_labels:
            return None
        flags = find_flags(self.names, self._words)
        if not flags or not all(self._judge(place).holds_flags for place in flags.values()):
            return None
        return make_group(self.names, tuple(flags.values()), self._words, settings.agreement)

    def _hint(self, role: str, places: Sequence[int], mistyped: Sequence[str]) -> str:
        """The columns that mistyped names may mean, and others that may hold what is missing."""
        near = [name for name in (find_nearest(wrong, self.names) for wrong in mistyped) if name is not None]
        meant = f"; did you mean {', '.join(repr(name[:_SHOWN_CHARACTERS]) for name in near)}?" if near else ""
        others = [name for name in self._name(places[:_MOST_SUGGESTED]) if name not in near]
        held = " or ".join(repr(name[:_SHOWN_CHARACTERS]) for name in others)
        return meant + (f"; {held} may hold the {role}" if held else "")

    def _find_text(self) -> list[int]:
        """The text column, then other candidates; empty if there is none."""
        if self.settings.text_column is not None:
            return find_named(self.names, self.settings.text_column)
        ranks = rank_names(self.names, TEXT_NAMES)
        if not any(self._judge(place).holds_headlines for place in ranks):
            found = self._rank_ends((*TEXT_NAMES, *PROMPT_NAMES), set(self._suggest_texts()) - ranks.keys())
            ends = {place: end_of(self.names[place]) for place in found}
            skipped = "instruction" if "input" in ends.values() else None  # it says what to do with the input
            ranks |= {place: rank for place, rank in found.items() if ends[place] != skipped}
        most = max((self._judge(place).varieties for place in ranks if self._judge(place).holds_headlines), default=0)

        def judge(place: int) -> tuple[bool, bool, bool, int]:
            values = self._judge(place)
            return values.holds_headlines, 2 * values.varieties > most, values.is_short, -ranks[place]

        best = max(ranks, key=judge, default=None)
        if best is None or self._is_tie(best, [place for place in ranks if judge(place) == judge(best)]):
            return []
        others = [place for place in ranks if self._judge(place).holds_headlines or ranks[place] < ranks[best]]
        others += [] if self._judge(best).holds_headlines else self._suggest_texts()
        return list(dict.fromkeys([best, *others]))

    def _find_label(self) -> list[int]:
        """The label column, then other candidates; empty if there is none or none is needed."""
        if not self.settings.is_labelled or self.settings.label_columns:
            return []
        if self.settings.label_column is not None:
            return find_named(self.names, self.settings.label_column)
        known = (*LABEL_NAMES, *SCORE_NAMES) if self.settings.thresholds else LABEL_NAMES
        ranks = rank_names(self.names, known)
        similar = {place: rank for place, rank in self._rank_words(known).items() if place not in ranks}
        ranks |= {place: rank for place, rank in similar.items() if self._judge(place).holds_labels}
        if not any(self._judge(place).holds_labels for place in ranks):
            ranks |= self._rank_ends(ANSWER_NAMES, set(self._suggest_labels()) - ranks.keys())

        def judge(place: int) -> tuple[bool, bool, int]:
            values = self._judge(place)
            return values.holds_labels or values.holds_entities, values.labels > 1, -ranks[place]

        best = max(ranks, key=judge, default=None)
        if best is None or not judge(best)[0]:
            entities = self._find_entities()
            if len(entities) == 1:
                return entities
        if best is None or self._is_tie(best, [place for place in ranks if judge(place) == judge(best)]):
            return []
        others = [place for place in ranks if self._judge(place).holds_labels or ranks[place] < ranks[best]]
        others += [] if self._judge(best).holds_labels else self._suggest_labels()
        return list(dict.fromkeys([best, *others]))

    def _find_entities(self) -> list[int]:
        """Columns of any name that hold a label for each entity."""
        return [place for place in range(min(len(self.names), _MOST_JUDGED)) if self._judge(place).holds_entities]

    def _find_part(self) -> list[int]:
        """The column of the part of the split, if one is named."""
        return [] if self.settings.split_column is None else find_named(self.names, self.settings.split_column)

    def _rank_words(self, known: Sequence[str]) -> dict[int, int]:
        """The rank of each column whose name contains a known name as a word; all rank below exact names."""
        found = rank_names(self.names, known, lambda name: set(split_words(name)))
        return {place: 2 * len(known) + rank for place, rank in found.items()}

    def _rank_ends(self, known: Sequence[str], places: set[int]) -> dict[int, int]:
        """The rank of each place whose name, or the last key of its path, is a known one."""
        ends = ((place, end_of(self.names[place])) for place in sorted(places))
        return {place: _AFTER_NAMES + known.index(end) for place, end in ends if end in known}

    def _is_tie(self, best: int, equal: Sequence[int]) -> bool:
        """Whether several paths within cells fit equally well, so that a person must choose."""
        return best in self._nested and len(self._nested.intersection(equal)) > 1

    def _suggest_texts(self) -> list[int]:
        """Columns of any name that hold headlines, the most varied first."""
        places = range(min(len(self.names), _MOST_JUDGED))
        fitting = [place for place in places if self._judge(place).holds_headlines]
        most = max((self._judge(place).varieties for place in fitting), default=0)
        return [place for place in fitting if 2 * self._judge(place).varieties > most]

    def _suggest_labels(self) -> list[int]:
        """Columns of any name that hold known labels."""
        return [place for place in range(min(len(self.names), _MOST_JUDGED)) if self._judge(place).holds_labels]

    def _judge(self, place: int) -> ColumnValues:
        if place not in self._values:
            cells = [row[place] if place < len(row) else None for row in self._rows]
            self._values[place] = ColumnValues(cells, self._words)
        return self._values[place]

    def _name(self, places: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.names[place].strip() for place in places)


def choose_columns(source: str, table: Table) -> Columns:
    """The columns of a table, by its names and its first rows.

    Raises:
        MissingColumnError: A column that is needed is missing, or is that of something else too.
    """
    columns = table.find_columns()
    fault = table.describe_missing() if columns is None else columns.describe_shared(table.settings)
    if columns is None or fault:
        raise MissingColumnError(f"source {source!r} {fault}")
    return columns


def describe_scores(settings: DataSettings) -> str | None:
    """How scores become labels, in words; None where labels are words."""
    if settings.thresholds is None or not settings.is_labelled:
        return None
    low, high = settings.thresholds
    return f"scores, negative below {low:g} and positive above {high:g}"


def _as_list(name: str | None) -> list[str]:
    return [] if name is None else [name]
