"""What is true of the frames of headlines that travel between ingestion, storage and learning: pandera schemas."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

from schemas.label import LABELS

LABEL_VALUES = [label.value for label in LABELS]


class CandidateFrame(pa.DataFrameModel):
    """Rows of a source before they are accepted: a row without a defect has a text and one of the three labels.

    Each of the columns `text`, `label` and `defect` has one check that can fail; a missing value passes it, because a
    row that could not be taken apart has a defect and nothing else to say.
    """

    row_number: Series[int] = pa.Field(ge=1)
    text: Series[str] = pa.Field(nullable=True, str_length={"min_value": 1})
    label: Series[str] = pa.Field(nullable=True, isin=LABEL_VALUES)
    raw: Series[str]
    defect: Series[str] = pa.Field(nullable=True)

    @pa.check("defect")
    @classmethod
    def no_defect(cls, defects: Series[str]) -> pd.Series:
        """A row that was taken apart has none."""
        return defects.isna()

    class Config:
        """Nothing else, and nothing converted in silence."""

        strict = True


class HeadlineFrame(pa.DataFrameModel):
    """Accepted headlines, one row each, in the order of the source."""

    headline_id: Series[str] = pa.Field(unique=True, str_length={"min_value": 16, "max_value": 16})
    text: Series[str] = pa.Field(str_length={"min_value": 1})
    label: Series[str] = pa.Field(isin=LABEL_VALUES)
    copies: Series[int] = pa.Field(ge=1)
    row_number: Series[int] = pa.Field(ge=1)

    class Config:
        """Nothing else, and nothing converted in silence."""

        strict = True


class RejectedFrame(pa.DataFrameModel):
    """Rejected rows: the row as it was, and every reason."""

    row_number: Series[int] = pa.Field(ge=1)
    reason: Series[str] = pa.Field(str_length={"min_value": 1})
    raw: Series[str]

    class Config:
        """Nothing else, and nothing converted in silence."""

        strict = True
