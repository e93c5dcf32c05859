"""Settings of a source: where headlines come from and how they are read, to train on them or to score them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, FiniteFloat, JsonValue, field_validator, model_validator

from schemas.formats import Format, LabelledFormat
from schemas.label import Label, fold_word
from schemas.settings import NamingSettings, PositiveInt, known_zone

DateOrder = Literal["dmy", "mdy", "ymd"]
"""The order of day, month and year in a date of numbers."""


def read_null_words(value: Any) -> Any:
    """A label map with the words `null` and `~` as null, as a file of words and the command line spell it."""
    if not isinstance(value, Mapping):
        return value
    return {word: None if label in {"null", "~"} else label for word, label in value.items()}


LabelMap = Annotated[dict[str, Label | None], BeforeValidator(read_null_words)]
"""Label words of a source and their labels; null leaves the rows of a word out."""

INSTEAD = {
    "label_columns": ("label_column", "thresholds"),
    "label_column": ("label_columns",),
    "thresholds": ("label_columns",),
}
"""For each setting, those that it replaces."""


class DataSettings(NamingSettings):
    """Where the labelled headlines come from and how they are read."""

    is_labelled: ClassVar[bool] = True
    """Whether a row needs a label."""
    options: ClassVar[frozenset[str]] = frozenset(
        {
            *("text_column", "label_column", "label_columns", "thresholds", "encoding", "format", "delimiter"),
            *("header_row", "split_column", "published_at_column", "instrument_column", "timezone", "date_order"),
            "context_column",
        }
    )
    """Settings that `fintone ingest` and `fintone run` have options for; that of the label map takes a file."""
    keeps_read: ClassVar[bool] = False
    """Whether columns that are read, except the text, are also among the other columns."""

    @classmethod
    def call(cls, setting: str) -> str:
        """The name of a setting in the commands that read such a source."""
        return f"data.{setting}"

    @classmethod
    def option(cls, setting: str, value: str = "NAME") -> str:
        """How these commands set it: by its own option, or else by `--set`."""
        if setting in cls.options:
            return f"--{setting.replace('_', '-')} {value}"
        return f"--set {cls.call(setting)}={value}"

    source: str = Field(
        description="`embedded`, the path of a file or folder, or hf:ORG/NAME[:CONFIG][@REVISION].", min_length=1
    )
    text_column: str | None = Field(
        default=None,
        description="Column of the headline; found by names and values when not given. "
        "Its number, from 1, where a CSV has no header; a path such as `article.title` where values are nested.",
    )
    label_column: str | None = Field(
        default=None,
        description="Column of the label; found by names and values when not given. Its number, from 1, where a CSV "
        "has no header; a path such as `sentiment.label` where values are nested.",
    )
    split_column: str | None = Field(
        default=None,
        description="Column that holds train, validation (val, valid, dev) or test, for `split.method=given`. Its "
        "number, from 1, where a CSV has no header. Not needed where files are named so.",
    )
    published_at_column: str | None = Field(
        default=None,
        description="Column of the date or time of publication; found by names and values when not given; empty for "
        "none. Its number, from 1, where a CSV has no header.",
    )
    instrument_column: str | None = Field(
        default=None,
        description="Column of the ticker, ISIN or entity that a headline is about; found by names when not given; "
        "empty for none.",
    )
    publisher_column: str | None = Field(
        default=None,
        description="Column of who published a headline; found by names when not given; empty for none.",
    )
    context_column: str | None = Field(
        default=None,
        description="Column of text that a prompted model is shown before the headline, such as background that was "
        "retrieved for it. The same text with another context is another headline.",
    )
    timezone: str = Field(
        default="UTC",
        description="Time zone of dates that name none, and in which a day begins, as in America/New_York.",
    )
    date_order: DateOrder | None = Field(
        default=None,
        description="Order in dates such as 03/04/2025: `dmy`, `mdy` or `ymd`; found from the whole column when not "
        "given.",
    )
    identity: tuple[Literal["text", "instrument", "day"], ...] = Field(
        default=("text", "instrument", "day"),
        description="Rows that agree in these are the same headline, and contradict each other if their labels differ; "
        "what a source lacks does not count. `text` must be among them.",
    )
    label_columns: tuple[str, ...] | None = Field(
        default=None,
        description="Several columns that hold the label together, in place of `label_column`: one for each label with "
        "1 and 0 (columns named by the three labels are found automatically), or one for each annotator, of whom the "
        "majority decides.",
        min_length=2,
    )
    label_map: LabelMap | None = Field(
        default=None,
        description="The source's label words, case ignored, to positive, neutral or negative, or to null, which "
        "leaves their rows out. The empty word means no label, and may only be null.",
    )
    thresholds: tuple[FiniteFloat, FiniteFloat] | None = Field(
        default=None,
        description="The label column holds scores: below the first number is negative, above the second positive, "
        "anything else neutral.",
    )
    encoding: str | None = Field(default=None, description="Text encoding; detected when not given.")
    format: LabelledFormat | None = Field(
        default=None, description="Kind of file, `csv` for tabs too; recognised by the content when not given."
    )
    delimiter: str | None = Field(
        default=None,
        description="Character between the fields of a CSV, or `tab`; found when not given.",
    )
    header_row: PositiveInt | None = Field(
        default=None,
        description="Line of a CSV, or row of an Excel sheet, that names the columns, from 1; found when not given.",
    )
    agreement: Literal[50, 66, 75, 100] = Field(
        default=50,
        description="FinancialPhraseBank, and annotators in `label_columns`: least share of annotators that agree, in "
        "per cent; rows of fewer are left out.",
    )
    duplicates: Literal["merge", "keep"] = Field(
        default="merge",
        description="`merge`: rows of equal text and label become one headline. `keep`: every row stays, as in the "
        "study, even where labels disagree; with the split method `study`, copies may then be in different parts.",
    )
    conflicts: Literal["drop", "majority", "keep"] = Field(
        default="drop",
        description="Merged duplicates whose labels disagree. `drop`: all are rejected. `majority`: the label of more "
        "than half of them is accepted and the others are rejected. `keep`: one headline for each label.",
    )
    near_duplicates: Literal["numbers", "reworded"] = Field(
        default="reworded",
        description="What counts as a near copy, which never crosses a split. `numbers`: texts that differ only in "
        "numbers, case, links, @mentions, trailing hashtags and damage. `reworded`: also texts whose words are nearly "
        "the same, in any order.",
    )
    too_long: Literal["reject", "truncate"] = Field(
        default="reject",
        description="Headlines that are longer than a base model of the study takes with prompt and label. `reject`: "
        "they are in no part of the split, and `max_rejected` bounds them. `truncate`: each base model is given the "
        "longest beginning that it takes, in training, evaluation and scoring.",
    )
    max_rejected: float = Field(
        default=0.1, ge=0, le=1, description="Largest share of rows that may be rejected; above it nothing is ingested."
    )

    @property
    def remembered(self) -> dict[str, JsonValue]:
        """The settings of this source that hold for it in every study.

        These are all except its name, the rules for copies, the context and the treatment of headlines that are too
        long. Settings at their defaults are left out.
        """
        of_a_study = {"source", "duplicates", "near_duplicates", "too_long", "identity", "context_column"}
        return self.model_dump(mode="json", exclude=of_a_study, exclude_defaults=True)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("identity")
    @classmethod
    def _text_and_more(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "text" not in value:
            raise ValueError(f"{','.join(value)!r} lacks text: add it")
        return tuple(part for part in ("text", "instrument", "day") if part in value)

    @field_validator("label_map")
    @classmethod
    def _one_label_a_word(cls, value: dict[str, Label | None] | None) -> dict[str, Label | None] | None:
        known: dict[str, Label | None] = {}
        for word, label in (value or {}).items():
            folded = fold_word(word)
            if not folded and label:
                raise ValueError(
                    f"it maps an empty word to {label}, but an empty word means no label: leave it out, or map it to "
                    "null to leave its rows out"
                )
            if label != known.setdefault(folded, label):
                both = f"{known[folded] or 'null'} and to {label or 'null'}"
                raise ValueError(f"it maps {word!r:.50} to {both}, case ignored: keep one")
        return value

    @field_validator("thresholds")
    @classmethod
    def _ascending(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and value[0] > value[1]:
            raise ValueError(f"{value[0]:g} is above {value[1]:g}: give the lower one first")
        return value

    @model_validator(mode="after")
    def _one_way_to_the_label(self) -> Self:
        for name, value in (("label_column", self.label_column), ("thresholds", self.thresholds)):
            if self.label_columns and value is not None:
                raise ValueError(f"{name} is given beside label_columns: give one of them")
        return self

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value in {"tab", "\\t"}:
            return "\t"
        if value is not None and (len(value) != 1 or value in '"\r\n'):
            raise ValueError(f"{value!r} is no delimiter: give one character, or tab")
        return value


class UnlabelledSettings(DataSettings):
    """Where headlines without labels come from and how they are read; any labels are ignored."""

    is_labelled: ClassVar[bool] = False
    keeps_read: ClassVar[bool] = True

    @classmethod
    def call(cls, setting: str) -> str:
        """What `fintone score` calls a setting of its source."""
        return "--source-format" if setting == "format" else f"--{setting.replace('_', '-')}"

    @classmethod
    def option(cls, setting: str, value: str = "") -> str:
        """How `fintone score` sets it."""
        return f"{cls.call(setting)} {value}".rstrip()

    format: Format | None = Field(  # type: ignore[assignment]
        default=None,
        description="Kind of file, `csv` for tabs too, `lines` for a headline a line; recognised by the content when "
        "not given.",
    )
