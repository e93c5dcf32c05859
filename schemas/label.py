"""The three sentiments. The order is that of every confusion matrix, probability column and metric."""

import re
import unicodedata
from enum import StrEnum

AGREEMENTS = [50, 66, 75, 100]
"""FinancialPhraseBank's levels: the least share of annotators that agree on a label, in per cent."""
MISSING_WORDS = frozenset({"nan", "-nan", "none", "null", "<na>", "nat", "na", "n/a", "#n/a", "#na"})
"""What programs write for a missing value, in lower case: pandas, R, SQL, Excel."""
MISSING_NAMES = frozenset(
    {
        "nan",
        "NaN",
        "-nan",
        "-NaN",
        "none",
        "None",
        "null",
        "NULL",
        "Null",
        "<NA>",
        "NaT",
        "NA",
        "n/a",
        "N/A",
        "#N/A",
        "#NA",
    }
)
"""The same where a value is a name, each as it is written: `NAT` and `NAN` may be names of companies."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,15})?")


class Label(StrEnum):
    """The sentiment of a headline."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


def fold_word(word: str) -> str:
    """A label word of a source as it is compared: without padding or case, a number by its value (`1.0` is `1`).

    The Unicode forms of a letter are equal, and so are the capital dotted I of Turkish and `i`.
    """
    folded = unicodedata.normalize("NFC", word.strip().casefold().replace("i\u0307", "i"))
    if not _NUMBER.fullmatch(folded):
        return folded
    number = float(folded)
    return str(int(number)) if number.is_integer() else str(number)


LABELS: tuple[Label, ...] = tuple(Label)
"""All labels, in the order of columns."""

LABEL_VALUES = [label.value for label in LABELS]
"""The same as plain strings, which pandas, Arrow and DuckDB take."""

PROBABILITIES = ("p_negative", "p_neutral", "p_positive", "p_unparsed")
"""The columns of an answer: a probability for each label, and that of anything else."""
