"""The settings of `fintone score`: headlines, the model that labels them, and where the answers go."""

from typing import ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from schemas.formats import Format
from schemas.profiles import check_settings
from schemas.settings import NamingSettings, PositiveInt
from schemas.source import DateOrder, LabelMap, UnlabelledSettings


class EvaluatedSettings(UnlabelledSettings):
    """Where headlines come from that are scored and compared with their labels."""

    is_labelled: ClassVar[bool] = True


def list_reading(*, evaluate: bool) -> frozenset[str]:
    """The settings that read a source to be scored; those of its labels too if answers are compared with them."""
    labels = {"label_column", "label_columns", "label_map", "thresholds"} if evaluate else set()
    dates = {"published_at_column", "instrument_column", "timezone", "date_order"}
    return frozenset(
        {"text_column", "context_column", "encoding", "format", "delimiter", "header_row", *dates, *labels}
    )


class ScoreSettings(NamingSettings):
    """Headlines without labels, the model that labels them, and where the answers go besides the warehouse."""

    source: str = Field(
        description="The path of a file or folder, hf:ORG/NAME[:CONFIG][@REVISION], or - for standard input, which a "
        "deployment does not have.",
        min_length=1,
    )
    model: str = Field(
        default="champion",
        description="`champion`, or the id of a fine-tuned cell, or its first 4 characters or more.",
        min_length=1,
    )
    temperature: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Sampling temperature of the probabilities, one at which the model was evaluated on test; when not "
        "given, that at which it was promoted, or the lowest for another cell than the champion.",
    )
    output: str | None = Field(
        default=None, description="A file for the answers: .csv, .jsonl or .parquet. The warehouse always has them."
    )
    text_column: str | None = Field(
        default=None, description="Column of the headline; found by names and values when not given."
    )
    published_at_column: str | None = Field(
        default=None,
        description="Column of the date or time of publication; found by names and values when not given; empty for "
        "none.",
    )
    instrument_column: str | None = Field(
        default=None,
        description="Column of the ticker, ISIN or entity that a headline is about; found by names when not given; "
        "empty for none.",
    )
    timezone: str | None = Field(default=None, description="Time zone of dates that name none; UTC when not given.")
    date_order: DateOrder | None = Field(
        default=None, description="Order in dates such as 03/04/2025; found from all of them when not given."
    )
    context_column: str | None = Field(
        default=None,
        description="Column of the text before the headline, for a model whose prompt has one; that of the model's "
        "study when not given; empty for none.",
    )
    encoding: str | None = Field(default=None, description="Text encoding; detected when not given.")
    format: Format | None = Field(
        default=None, description="Kind of file, `lines` for a headline a line; recognised when not given."
    )
    delimiter: str | None = Field(
        default=None, description="Character between the fields of a CSV; found if not given."
    )
    header_row: PositiveInt | None = Field(
        default=None,
        description="Line of a CSV, or row of an Excel sheet, that names the columns, from 1; found if not given.",
    )
    raw: bool = Field(
        default=False, description="Keep text in a CSV as it is, even if a spreadsheet would run it as a formula."
    )
    unparsed: Literal["label", "neutral"] = Field(
        default="label",
        description="What to call an answer that is not a label. `label`: unparsed. `neutral`: neutral, as in the "
        "study's evaluations. Its probability is not part of the confidence either way.",
    )
    too_long: Literal["reject", "truncate"] | None = Field(
        default=None,
        description="A headline that is longer than the model takes. `reject`: its row is rejected. `truncate`: the "
        "longest beginning that the model takes is answered. As the model's study does (`data.too_long`) if not given.",
    )
    drift_tolerance: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="How far a share of answers or the mean confidence may differ from that on the model's test part. "
        "A difference is reported, and sent as an event, if its whole 95 % interval is beyond this.",
    )

    evaluate: bool = Field(default=False, description="Compare the answers with the labels in the source.")
    label_column: str | None = Field(
        default=None, description="Column of these labels; found by names and values when not given."
    )
    label_columns: tuple[str, ...] | None = Field(
        default=None, description="Several columns that hold these labels together.", min_length=2
    )
    label_map: LabelMap | None = Field(
        default=None, description="The source's label words, case ignored, to positive, neutral, negative or null."
    )
    thresholds: tuple[FiniteFloat, FiniteFloat] | None = Field(
        default=None,
        description="These labels are scores: negative below the first number, positive above the second.",
    )

    @model_validator(mode="after")
    def _reads_a_source(self) -> Self:
        _ = self.reading
        return self

    @property
    def reading(self) -> UnlabelledSettings:
        """How the source is read.

        Raises:
            InputError: A setting is out of bounds; settings that were validated have none.
        """
        names = {"source", *list_reading(evaluate=self.evaluate)}
        kind = EvaluatedSettings if self.evaluate else UnlabelledSettings
        return check_settings(kind, self.model_dump(include=names, exclude_none=True))
