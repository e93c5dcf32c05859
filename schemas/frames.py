"""Pandera schemas of the frames of headlines that ingestion, storage and learning exchange."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.dtypes import DataType
from pandera.engines.pandas_engine import STRING, DateTime
from pandera.typing.pandas import Series

from schemas.label import AGREEMENTS, LABEL_VALUES, MISSING_WORDS

SPLIT_PARTS = ["train", "validation", "test"]
MAX_CHARACTERS = 10_000
"""A longer text is no headline."""
MAX_CONTEXT = 100_000
"""A longer text is no context of a headline: no model of this field takes it."""
MAX_NAME = 500
"""A longer word names no instrument and no publisher."""
CONTROL_CHARACTERS = r"[\x00-\x08\x0E-\x1B\x7F]"
"""All but tabs and line ends, which are white space."""
EARLIEST, CLOCKS = pd.Timestamp("1950-01-01"), pd.Timedelta(days=1)
"""A date before `EARLIEST` is a mistake, and so is one later than now by more than time zones and clocks differ."""
SPREADSHEET_ERROR = (
    r"^#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!|ERROR!"
    r"|GETTING_DATA|WERT!|BEZUG!|ZAHL!|NV|VALOR!|NOME\?|NÚM!|N/D|VALEUR!|NOM\?|NOMBRE!|¡(?:VALOR|REF|NUM)!|¿NOMBRE\?)$"
    r"|^Err:[0-9]{3}$"
)
"""What a cell shows if its formula failed: in Excel in English, German, Portuguese, French and Spanish, in Google
Sheets and in LibreOffice."""


class Text(STRING):
    """pandas strings, checked by the type of the column: for `str` pandera would check every value."""

    def check(self, pandera_dtype: DataType, data_container: Any = None) -> bool:  # noqa: ARG002
        """Whether a column of that type holds strings."""
        return bool(super().check(pandera_dtype))


class _StrictFrame(pa.DataFrameModel):
    """A frame without other columns; nothing is converted silently."""

    class Config:
        """See pandera's `BaseConfig`."""

        strict = True


class CandidateFrame(_StrictFrame):
    """Rows of a source before they are accepted: a row without a defect has a text and one of the three labels.

    A missing value passes the checks of its column, because a row that could not be parsed has a defect and no values.
    """

    row_number: Series[int] = pa.Field(ge=1)
    text: Series[Text] = pa.Field(nullable=True)
    label: Series[Text] = pa.Field(nullable=True, isin=LABEL_VALUES)
    raw: Series[Text]
    defect: Series[Text] = pa.Field(nullable=True)
    agreement: Series[pd.Int64Dtype] = pa.Field(nullable=True, isin=AGREEMENTS)
    part: Series[Text] = pa.Field(nullable=True, isin=SPLIT_PARTS)
    published_at: Series[Text] = pa.Field(nullable=True)
    instrument: Series[Text] = pa.Field(nullable=True, str_length={"max_value": MAX_NAME})
    publisher: Series[Text] = pa.Field(nullable=True, str_length={"max_value": MAX_NAME})
    context: Series[Text] = pa.Field(nullable=True)
    extra: Series[Text] = pa.Field(nullable=True)

    @pa.check("text", name="empty text")
    @classmethod
    def has_something_to_see(cls, texts: Series[str]) -> pd.Series:
        """Not only white space and invisible characters."""
        return texts.str.contains(r"[^\pZ\pC]", regex=True)

    @pa.check("text", name="error value of a spreadsheet instead of a text")
    @classmethod
    def no_error_value(cls, texts: Series[str]) -> pd.Series:
        """Not the error of a formula that failed; Excel takes a headline that begins with `=` for a formula."""
        return ~texts.str.contains(SPREADSHEET_ERROR, regex=True)

    @pa.check("text", name="word for a missing value instead of a text")
    @classmethod
    def no_missing_word(cls, texts: Series[str]) -> pd.Series:
        """Not a word that programs write for a missing value."""
        return ~texts.str.lower().isin(MISSING_WORDS)

    @pa.check("text", name="control character in the text")
    @classmethod
    def no_control_character(cls, texts: Series[str]) -> pd.Series:
        """Nothing that could control a terminal or end a string early; tabs and line ends are white space."""
        return ~texts.str.contains(CONTROL_CHARACTERS, regex=True)

    @pa.check("text", name=f"text of more than {MAX_CHARACTERS:,} characters")
    @classmethod
    def no_longer_than_a_headline(cls, texts: Series[str]) -> pd.Series:
        """A whole article, or a file without line ends, is no headline."""
        return texts.str.len() <= MAX_CHARACTERS

    @pa.check("context", name="control character in the context")
    @classmethod
    def no_control_character_in_context(cls, contexts: Series[str]) -> pd.Series:
        """The same rule as for a text."""
        return ~contexts.str.contains(CONTROL_CHARACTERS, regex=True)

    @pa.check("context", name=f"context of more than {MAX_CONTEXT:,} characters")
    @classmethod
    def no_longer_than_a_context(cls, contexts: Series[str]) -> pd.Series:
        """No model takes more before a headline."""
        return contexts.str.len() <= MAX_CONTEXT

    @pa.check("defect", name="defect")
    @classmethod
    def no_defect(cls, defects: Series[str]) -> pd.Series:
        """A row that could be parsed has none."""
        return defects.isna()


class PublicationFrame(_StrictFrame):
    """The text of each time of publication, and the time in UTC, missing where the text cannot be read."""

    word: Series[Text]
    published_at: Series[DateTime] = pa.Field(nullable=True)

    @pa.check("published_at", name="date that cannot be read", ignore_na=False)
    @classmethod
    def is_read(cls, times: Series[Any]) -> pd.Series:
        """The text is a date or a time."""
        return times.notna()

    @pa.check("published_at", name=f"date before {EARLIEST.year}")
    @classmethod
    def not_too_early(cls, times: Series[Any]) -> pd.Series:
        """Not a default value of a program, such as the first day of 1900."""
        return times >= EARLIEST

    @pa.check("published_at", name="date in the future")
    @classmethod
    def not_in_the_future(cls, times: Series[Any]) -> pd.Series:
        """Not later than now."""
        return times <= pd.Timestamp.now("UTC").tz_localize(None) + CLOCKS


class AcceptedFrame(_StrictFrame):
    """Accepted rows: the headline of each, its file and row number there, and the further columns of the source.

    A row with a label for each of several entities is one row here for each of them.
    """

    headline_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    source: Series[Text]
    row_number: Series[int] = pa.Field(ge=1)
    published_at: Series[DateTime] = pa.Field(nullable=True)
    instrument: Series[Text] = pa.Field(nullable=True, str_length={"min_value": 1, "max_value": MAX_NAME})
    publisher: Series[Text] = pa.Field(nullable=True, str_length={"min_value": 1, "max_value": MAX_NAME})
    extra: Series[Text] = pa.Field(nullable=True)


class HeadlineFrame(_StrictFrame):
    """Accepted headlines, one row each, in the order of the source.

    Headlines with the same text share `text_id`, those that differ only in what `ingestion.masking` leaves out share
    `masked_id`, and all that are copies or near copies of each other, directly or through others, share `group_id`.
    """

    headline_id: Series[Text] = pa.Field(unique=True, str_length={"min_value": 16, "max_value": 16})
    text_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    masked_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    group_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    text: Series[Text] = pa.Field(str_length={"min_value": 1})
    label: Series[Text] = pa.Field(isin=LABEL_VALUES)
    copies: Series[int] = pa.Field(ge=1)
    agreement: Series[pd.Int64Dtype] = pa.Field(nullable=True, isin=AGREEMENTS)
    context: Series[Text] = pa.Field(nullable=True, str_length={"min_value": 1})
    instrument: Series[Text] = pa.Field(nullable=True, str_length={"min_value": 1, "max_value": MAX_NAME})


class RejectedFrame(_StrictFrame):
    """Rejected rows: the file of the source and the row in it, the row as it was, and every reason."""

    source: Series[Text]
    row_number: Series[int] = pa.Field(ge=1)
    reason: Series[Text] = pa.Field(str_length={"min_value": 1})
    raw: Series[Text]


class GivenFrame(_StrictFrame):
    """The parts that a source gives to its accepted headlines: a row for each headline and each part of its copies."""

    headline_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    part: Series[Text] = pa.Field(isin=SPLIT_PARTS)


class QuarantineFrame(_StrictFrame):
    """Rows whose text has another label elsewhere in the source, accepted or not."""

    source: Series[Text]
    row_number: Series[int] = pa.Field(ge=1)
    text_id: Series[Text] = pa.Field(str_length={"min_value": 16, "max_value": 16})
    text: Series[Text] = pa.Field(str_length={"min_value": 1})
    label: Series[Text] = pa.Field(isin=LABEL_VALUES)
    resolution: Series[Text] = pa.Field(isin=["dropped", "outvoted", "majority", "kept"])
