"""Damaged texts are distinguished from sound ones in many scripts, and repaired."""

import zipfile

import pytest

from ingestion.damage import looks_damaged, repair_text

DAMAGED = {
    "SociÃ©tÃ© GÃ©nÃ©rale": "Société Générale",
    "aÃ§Ãµes sobem": "ações sobem",
    "SÃƒÂ£o Paulo": "São Paulo",
    "It\u00e2\u20ac\u2122s up": "It\u2019s up",
    "\u00e2\u201a\u00ac5m": "€5m",
    "AT&amp;T rises": "AT&T rises",
    "AT&amp;amp;T rises": "AT&T rises",
    "Apple&#39;s profit &gt; forecast": "Apple's profit > forecast",
    "SociÃ©tÃ© &amp; Co": "Société & Co",
}
SOUND = [
    "Société Générale",
    "AÇÕES SOBEM; LUCRO CAI À METADE",
    "AT&T and S&P 500, R&D; M&A",
    "“Größe” \u2013 £5m\u2019s ½ of ITAÚ²",
    "日経平均株価",
    "Прибыль выросла",
    "🚀 $GME",
    "",
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_text_is_recognised_and_repaired(text):
    assert looks_damaged(text)
    assert repair_text(text) == DAMAGED[text]


def test_a_replacement_character_is_damage_that_nothing_repairs():
    assert looks_damaged("Nestl\ufffd rose")
    assert repair_text("Nestl\ufffd rose") == "Nestl\ufffd rose"


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_text_is_left_alone(text):
    assert not looks_damaged(text)
    assert repair_text(text) == text


def test_the_phrasebank_is_sound(fpb_folder):
    with zipfile.ZipFile(fpb_folder / "FinancialPhraseBank-v1.0.zip") as archive:
        content = archive.read("FinancialPhraseBank-v1.0/Sentences_50Agree.txt").decode("iso-8859-1")
    texts = [line.rpartition("@")[0] for line in content.splitlines()]
    assert not any(map(looks_damaged, texts))
    assert [repair_text(text) for text in texts] == texts
