"""Words of labels are compared without what a reader does not see or mean."""

import unicodedata

import pytest

from ingestion.labels import LabelWords
from schemas.label import Label

FRENCH, TURKISH = {"n\u00e9gatif": Label.NEGATIVE}, {"iyi de\u011fil": Label.NEGATIVE}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("known", "word"),
    [(FRENCH, "N\u00c9GATIF "), (TURKISH, "\u0130Y\u0130 DE\u011e\u0130L"), (TURKISH, "\u0130yi de\u011fil")],
)
def test_neither_unicode_form_nor_case_tells_words_apart(known: dict[str, Label], word: str, form: str) -> None:
    written = {unicodedata.normalize(form, key): label for key, label in known.items()}
    for other in ("NFC", "NFD"):
        assert LabelWords(written).resolve(unicodedata.normalize(other, word)) == "negative"
