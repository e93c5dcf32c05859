"""Texts of any origin, as a page shows them."""

import pytest

from reporting.text import visible

FAMILY, FLAG = "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308"


@pytest.mark.parametrize("text", [FAMILY, FLAG, "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "Zürich\u00a0AG"])
def test_joiners_stay_in_emoji_and_in_persian(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pro\u200dfit", "pro<U+200D>fit"),
        ("\u200closs", "<U+200C>loss"),
        ("loss\u200d", "loss<U+200D>"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\tb\r\nc", "a b  c"),
    ],
)
def test_what_cannot_be_seen_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text) == shown
