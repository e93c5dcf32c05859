"""Texts of any origin, as a page shows them."""

import pytest

from reporting.text import visible

FAMILY, FLAG = "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308"

HANDS = "\U0001f9d1\U0001f3fd\u200d\U0001f91d\u200d\U0001f9d1\U0001f3fb"
PERSIAN = ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u06f2\u06f0\u200c\u0633", "CEO\u200c\u0647\u0627")
HINDI = ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200c\u0937", "\u0915\u093e\u200c\u0937")


@pytest.mark.parametrize("text", [FAMILY, FLAG, HANDS, *PERSIAN, *HINDI, "Zürich\u00a0AG"])
def test_joiners_stay_in_emoji_and_where_scripts_have_them(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pro\u200dfit", "pro<U+200D>fit"),
        ("\u200closs", "<U+200C>loss"),
        ("\u05d0\u200d\u05d1", "\u05d0<U+200D>\u05d1"),
        ("\u4e00\u200d\u4e8c", "\u4e00<U+200D>\u4e8c"),
        ("\u200d", "<U+200D>"),
        ("loss\u200d", "loss<U+200D>"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\tb\r\nc", "a b  c"),
    ],
)
def test_what_cannot_be_seen_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text) == shown
