"""The kinds of files that a source may be made of, as settings and options name them."""

from typing import Literal, get_args

LabelledFormat = Literal["csv", "json", "json-lines", "parquet", "arrow", "excel", "phrasebank"]
"""`csv` is for tabs too, `arrow` for Feather."""
Format = Literal[LabelledFormat, "lines"]
"""`lines`: a headline a line, which has no label."""

LABELLED_FORMATS, FORMATS = get_args(LabelledFormat), get_args(Format)
