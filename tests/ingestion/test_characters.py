"""Odd characters and odd labels: what cannot be a text is rejected with the reason, the rest is kept as it is."""

import pytest

from schemas.errors import InputError


def test_a_nul_character_in_a_text_rejects_its_row(read):
    ingestion = read("text,label\nProfit\0rose,positive\nProfit rose,positive\n")
    assert list(ingestion.rejected.itertuples(index=False, name=None)) == [
        (1, "a NUL character in the text", "Profit\0rose,positive")
    ]


@pytest.mark.parametrize(
    "text", ["\u202eProfit\u202c rose", "Profit\x07 rose", "=HYPERLINK(A1)", "Profit 📈", "e\u200d"]
)
def test_control_and_bidirectional_characters_formulas_and_emoji_are_kept(read, text):
    assert list(read(f"text,label\n{text},positive\n").accepted["text"]) == [text]


def test_many_different_unknown_labels_keep_the_message_short(read):
    labels = "\n".join(f"Profit rose,{number:05}{'x' * 1_000}" for number in range(5_000))
    with pytest.raises(InputError, match="none of its 5000 rows can be used") as caught:
        read(f"text,label\n{labels}\n")
    assert len(str(caught.value)) < 500
