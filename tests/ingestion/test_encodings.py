"""The encoding is found and recorded, and no byte is replaced."""

from random import Random

import pytest

from ingestion.encodings import decode
from schemas.errors import InputError
from schemas.source import DataSettings

TEXT = "Nestlé\u2019s Münchener venture gains €5 \u2013 café owners cheer"


@pytest.mark.parametrize(
    ("encoding", "recorded"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_detected_and_recorded(read, encoding, recorded):
    ingestion = read(f"text,label\n{TEXT},positive\n".encode(encoding))
    assert list(ingestion.accepted["text"]) == [TEXT]
    assert ingestion.encoding == recorded


def test_a_polish_file_is_distinguished_from_a_western_one(read):
    text = "Spółka ogłosiła wyniki za trzeci kwartał większe niż rok wcześniej"
    ingestion = read(f"text,label\n{text},neutral\n".encode("cp1250"))
    assert list(ingestion.accepted["text"]) == [text]
    assert ingestion.encoding == "cp1250"


@pytest.mark.parametrize(
    "text",
    [
        "\u010cist\xfd zisk spole\u010dnosti vzrostl ve t\u0159et\xedm \u010dtvrtlet\xed, akcie v\u010dera oslabily",
        "Az OTP nyeres\xe9ge n\u0151tt az els\u0151 f\xe9l\xe9vben, a felel\u0151ss\xe9g cs\xf6kkent",
        "Ac\u0163iunile b\u0103ncii din Bucure\u015fti au sc\u0103zut dup\u0103 raport \u015fi pl\u0103te\u015fte",
        "Dobi\u010dek banke se je pove\u010dal v tretjem \u010detrtletju in zmanj\u0161uje stro\u0161ke",
        "Shares of the firm \u0141\xf3d\u017a sp\xf3\u0142ka \u017c\xf3\u0142\u0107 rose",
    ],
)
def test_a_text_of_central_europe_is_read_as_it_was_written(read, text):
    ingestion = read(f'text,label\n"{text}",neutral\n'.encode("cp1250"))
    assert list(ingestion.accepted["text"]) == [text]


def test_english_news_with_pounds_and_foreign_names_is_western_whatever_the_sample():
    firms = ["Tesco", "Lloyds", "Vodafone", "Aviva", "easyJet", "Diageo", "Next", "Centrica"]
    names = ["Nestl\xe9", "Soci\xe9t\xe9 G\xe9n\xe9rale", "L'Or\xe9al", "Telef\xf3nica", "Herm\xe8s", "M\xe6rsk"]
    verbs = ["reports profit of", "sets aside", "cuts costs by", "raises", "writes down", "returns", "buys stake for"]
    ends = ["after strong quarter", "as sales grow", "in the first half", "despite warning", "amid restructuring"]
    for seed in range(20, 31):  # a tenth of such files had looked tidier as cp1250
        random = Random(seed)
        rows = [
            f"{random.choice(names if random.random() < 0.1 else firms)} {random.choice(verbs)} "
            f"\xa3{random.randint(1, 900)}m {random.choice(ends)},positive"
            for _ in range(300)
        ]
        content = "\n".join(["text,label", *rows]).encode("cp1252")
        assert decode(content, "news.csv", DataSettings(source="news.csv")).encoding == "cp1252"


def test_an_encoding_that_is_given_is_used(read):
    ingestion = read(f"text,label\n{TEXT},positive\n".encode("mac_roman"), encoding="mac_roman")
    assert list(ingestion.accepted["text"]) == [TEXT]
    assert ingestion.encoding == "mac_roman"


def test_a_byte_order_mark_is_not_part_of_the_first_column(read):
    ingestion = read("\ufefftext,label\nProfit rose,positive\n", encoding="utf-8", text_column="text")
    assert list(ingestion.accepted["text"]) == ["Profit rose"]


def test_sentence_at_label_is_latin_1_unless_it_is_utf_8(read):
    assert read("Hän myi Nestlén osakkeet@neutral\n".encode("latin-1")).encoding == "iso-8859-1"
    assert read("Hän myi Nestlén osakkeet@neutral\n").encoding == "utf-8"


def test_a_broken_line_of_a_utf_8_file_rejects_only_its_own_row(read):
    good = [f"{TEXT} {number},positive".encode() for number in range(3)]
    ingestion = read(b"\n".join([b"text,label", *good, "Café,neutral".encode("cp1252"), b"Profit rose,neutral"]))
    assert (ingestion.encoding, ingestion.rows_read, len(ingestion.accepted)) == ("utf-8", 5, 4)
    assert list(ingestion.accepted["text"])[:3] == [f"{TEXT} {number}" for number in range(3)]
    [row] = ingestion.rejected.itertuples(index=False)
    assert (row.row_number, row.reason, row.raw) == (4, "bytes that are not utf-8", "Caf\\xe9,neutral")


def test_a_line_of_utf_8_in_a_legacy_file_does_not_make_it_utf_8(read):
    lines = [f"{TEXT} {number},positive".encode("cp1252") for number in range(5)]
    ingestion = read(b"\n".join([b"text,label", *lines, "Café,neutral".encode()]))
    assert (ingestion.encoding, ingestion.rows_read) == ("cp1252", 6)


@pytest.mark.parametrize(("encoding", "byte"), [("ascii", b"\xe9"), ("cp1252", b"\x81"), ("utf-8", b"\xed\xa0\x80")])
def test_bytes_that_do_not_fit_the_given_encoding_reject_their_row(read, encoding, byte):
    ingestion = read(b"text,label\nProfit rose,positive\nCaf" + byte + b",neutral\n", encoding=encoding)
    assert list(ingestion.accepted["text"]) == ["Profit rose"]
    shown = "".join(f"\\x{number:02x}" for number in byte)
    assert list(ingestion.rejected["raw"]) == [f"Caf{shown},neutral"]
    assert list(ingestion.rejected["reason"]) == [f"bytes that are not {encoding}"]


def test_nul_bytes_alone_do_not_make_a_file_utf_16(read):
    ingestion = read("text,label\n" + "Profit rose\0,positive\n" * 5 + "AGM,neutral\n")
    assert ingestion.encoding == "utf-8"
    assert list(ingestion.rejected["reason"]) == ["control character in the text"] * 5


def test_truncated_utf_16_is_refused(read):
    with pytest.raises(InputError, match="is not valid text in 'utf-16'"):
        read("text,label\nProfit rose,positive\n".encode("utf-16")[:-1])


@pytest.mark.parametrize(
    "texts",
    [
        ["Sampo Bank raised \u20ac5m", "Nokia cut \u20ac200m"],
        ["CEO Matti Sepp\xe4l\xe4 of Malm\xf6 said profit rose"],
        ["Sepp\xe4l\xe4 johtaa Malm\xf6 yhti\xf6t\xe4, hyv\xe4\xe4 p\xe4iv\xe4\xe4"],
        ["A\xe7\xf5es da Petrobras n\xe3o subiram com lucro maior no trimestre"],
        ["El beneficio de la compa\xf1\xeda subi\xf3 un 5% seg\xfan el se\xf1or Mu\xf1oz"],
        ["Der Gewinn stieg f\xfcr die M\xfcller AG \xfcber 5 \u20ac", "Die Erl\xf6se \u2013 gr\xf6\xdfer als erwartet"],
        ["Shares of \u0160koda rose", "Orders for \xd8rsted fell", "Profit of Herm\xe8s is flat"],
        ["Nokia\u2019s profit rose to \u20ac5m", "Sampo\u2019s costs fell by \u20ac1m"],
        ["L\u2019\xe9t\xe9 a \xe9t\xe9 bon \u2014 le r\xe9sultat op\xe9rationnel a mont\xe9"],
    ],
    ids=lambda texts: texts[0][:14],
)
def test_western_text_of_windows_is_read_as_it_was_written(read, texts):
    ingestion = read("\n".join(["text,label", *(f'"{text}",positive' for text in texts), ""]).encode("cp1252"))
    assert ingestion.encoding == "cp1252"
    assert sorted(ingestion.accepted["text"]) == sorted(texts)


def test_currency_signs_in_many_rows_are_no_mac_or_dos_text(read):
    rows = [f"Profit of firm {number} rose to \u20ac{number} mn,positive" for number in range(300)]
    assert read("\n".join(["text,label", *rows]).encode("cp1252")).encoding == "cp1252"


def test_an_encoded_surrogate_is_broken_utf_8_and_rejects_its_row(read):
    ingestion = read(b"text,label\nProfit \xed\xa0\x80 rose,positive\nCosts fell,positive\n")
    assert ingestion.encoding == "utf-8"
    assert (len(ingestion.accepted), len(ingestion.rejected)) == (1, 1)
