"""The kinds of files that a source may be made of, as settings and options name them."""

from typing import Literal, get_args

LabelledFormat = Literal["csv", "json", "json-lines", "parquet", "arrow", "excel", "phrasebank"]
"""`csv` includes tab-separated files, `arrow` includes Feather."""
Format = Literal[LabelledFormat, "lines"]
"""`lines`: one headline on each line, without a label."""

LABELLED_FORMATS, FORMATS = get_args(LabelledFormat), get_args(Format)
