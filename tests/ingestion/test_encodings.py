"""The encoding is found and recorded, and no byte is replaced."""

import pytest

TEXT = "Nestlé\u2019s Münchener venture gains €5 \u2013 café owners cheer"


@pytest.mark.parametrize(
    ("encoding", "recorded"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "cp1252")]
)
def test_the_encoding_is_detected_and_recorded(read, encoding, recorded):
    ingestion = read(f"text,label\n{TEXT},positive\n".encode(encoding))
    assert list(ingestion.accepted["text"]) == [TEXT]
    assert ingestion.encoding == recorded


def test_a_polish_file_is_told_from_a_western_one(read):
    text = "Spółka ogłosiła wyniki za trzeci kwartał większe niż rok wcześniej"
    ingestion = read(f"text,label\n{text},neutral\n".encode("cp1250"))
    assert list(ingestion.accepted["text"]) == [text]
    assert ingestion.encoding == "cp1250"


def test_an_encoding_that_is_given_is_used(read):
    ingestion = read(f"text,label\n{TEXT},positive\n".encode("mac_roman"), encoding="mac_roman")
    assert list(ingestion.accepted["text"]) == [TEXT]
    assert ingestion.encoding == "mac_roman"


def test_a_mark_at_the_start_is_no_part_of_the_first_column(read):
    ingestion = read("\ufefftext,label\nProfit rose,positive\n", encoding="utf-8", text_column="text")
    assert list(ingestion.accepted["text"]) == ["Profit rose"]


def test_sentence_at_label_is_latin_1_unless_it_is_utf_8(read):
    assert read("Hän myi Nestlén osakkeet@neutral\n".encode("latin-1")).encoding == "iso-8859-1"
    assert read("Hän myi Nestlén osakkeet@neutral\n").encoding == "utf-8"
