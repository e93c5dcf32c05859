"""A control character rejects its row; every other odd character is kept as it is."""

import pytest


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f"])
def test_a_control_character_in_a_text_rejects_its_row(read, character):
    ingestion = read(f"text,label\nProfit{character}rose,positive\nProfit rose,positive\n", max_rejected=1)
    assert list(ingestion.rejected.itertuples(index=False, name=None)) == [
        ("file", 1, "control character in the text", f"Profit{character}rose,positive")
    ]


@pytest.mark.parametrize("text", ["\u202eProfit\u202c rose", "=HYPERLINK(A1)", "Profit 📈", "e\u200d"])
def test_bidirectional_characters_formulas_and_emoji_are_kept(read, text):
    assert list(read(f"text,label\n{text},positive\n").accepted["text"]) == [text]
