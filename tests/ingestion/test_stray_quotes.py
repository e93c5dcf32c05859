"""A quotation mark that nobody closed takes no other row with it; a text over several lines stays one text."""

import csv
import io
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.formats import read_content
from ingestion.streams import open_stream
from schemas.source import UnlabelledSettings
from tests.examples import examples

ROWS = [
    ('"Regulator holds fees, says ministry', "neutral"),
    ("Fenwick Mills cuts jobs at its ports unit", "negative"),
    ("Northgate wins an order from the rail unit", "positive"),
    ('Panel maker sees demand for sets over 65"', "positive"),
    ("Castell names a new head", "neutral"),
    ("Orlo reports a loss", "negative"),
]


def join(rows, delimiter, header=("text", "label")):
    return "\n".join(map(delimiter.join, [header, *rows])) + "\n"


def pairs(ingestion):
    return list(zip(ingestion.accepted["text"], ingestion.accepted["label"], strict=True))


def test_inches_and_an_opening_quotation_mark_are_text_between_tabs(read):
    ingestion = read(join(ROWS, "\t"))
    assert pairs(ingestion) == ROWS
    assert ingestion.rows_read == 6


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_under_another_delimiter_the_stray_mark_costs_its_own_row(read, delimiter):
    rows = [(text.replace(",", ""), label) for text, label in ROWS]
    ingestion = read(join(rows, delimiter), max_rejected=1)
    assert pairs(ingestion) == rows[1:]
    assert list(ingestion.rejected["row_number"]) == [1]
    assert "broken quoting" in ingestion.rejected["reason"].iloc[0]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
def test_two_stray_marks_on_lines_that_follow_each_other_swallow_neither(read, delimiter):
    rows = [('"Regulator holds fees', "neutral"), ('Demand for sets over 65"', "positive"), ("Orlo loses", "negative")]
    assert pairs(read(join(rows, delimiter), max_rejected=1))[-2:] == rows[1:]


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_stray_mark_costs_no_other_row_without_labels_either(delimiter):
    rows = [(str(number), text.replace(",", ""), "NGT") for number, (text, _) in enumerate(ROWS)]
    content = join(rows, delimiter, ("id", "text", "ticker")).encode()
    found = list(read_content(content, "news", UnlabelledSettings(source="news")).rows)
    assert len(found) == 6
    assert [row.text for row in found[1:]] == [text for _, text, _ in rows[1:]]


def test_a_mark_that_is_never_closed_is_text_between_tabs(read):
    rows = [("Orlo reports a loss", "negative"), ('"Never closed', "neutral"), ('"Broken" quote', "positive")]
    assert pairs(read(join(rows, "\t"))) == rows


MANY_LINES = [
    'Profit rose,\n"a lot",\nsays Northgate',
    "Costs, debt\nand\n\ncash\tup",
    "positive\nnegative\nneutral",
    '"\nAGM',
    "One;two|three\tfour,five\nsix",
]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
@pytest.mark.parametrize("labels_first", [False, True])
def test_a_text_over_several_lines_is_one_headline_where_it_is_quoted(read, delimiter, labels_first):
    rows = [(text, label) for text, label in zip(MANY_LINES, ["positive", "negative", "neutral"] * 2, strict=False)]
    file = io.StringIO(newline="")
    order = slice(None, None, -1 if labels_first else 1)
    csv.writer(file, delimiter=delimiter).writerows([row[order] for row in [("text", "label"), *rows]])
    assert pairs(read(file.getvalue())) == rows


@pytest.mark.parametrize("inner", ["profit fell, negative", "profit fell\nand fell,negative\nand, again"])
@pytest.mark.parametrize("labels_first", [False, True])
def test_a_line_of_a_quoted_text_that_looks_like_a_row_stays_in_the_text(read, inner, labels_first):
    if labels_first:
        inner = "\n".join(",".join(reversed(line.rsplit(",", 1))).strip() for line in inner.split("\n"))
    rows = [(f"Nordwind said on Friday:\n{inner}\nbut orders rose", "positive"), *ROWS[1:]]
    file = io.StringIO(newline="")
    order = slice(None, None, -1 if labels_first else 1)
    csv.writer(file).writerows(row[order] for row in [("text", "label"), *rows])
    assert pairs(read(file.getvalue())) == rows


def test_a_stray_mark_before_a_comma_costs_no_other_row(read):
    """The first line is no row by itself, and a mark further below closes the quote, but makes no row."""
    rows = [
        '"Castell, the miller, gains,positive',
        "Sales rose,positive",
        'A "great", big loss,negative',
        "Up,positive",
    ]
    assert pairs(read("text,label\n" + "\n".join(rows), max_rejected=1)) == [
        ("Sales rose", "positive"),
        ("Up", "positive"),
    ]


@pytest.mark.parametrize(
    ("between", "end"),
    [
        (2, 'Demand for screens of 65",big ones,negative'),  # it closes the quote, but makes no row
        (40, 'Demand for screens of 65",negative'),  # it closes the quote, but far below
    ],
)
def test_a_quote_that_is_closed_by_another_row_swallows_none(read, between, end):
    rows = [f"Firm {number} opens a branch,positive" for number in range(between)]
    content = "\n".join(["text,label", '"Castell, the miller, gains,positive', *rows, end, "Up,positive"])
    assert pairs(read(content, max_rejected=1))[:between] == [
        (row.removesuffix(",positive"), "positive") for row in rows
    ]


def test_a_separator_of_fields_in_lines_of_text_is_part_of_the_text(read):
    found = read_content(
        b'"Profit rose, a lot"\nSales\x1f fell by much this year\n"AGM held, in May"\n',
        "news",
        UnlabelledSettings(source="news"),
    )
    assert [row.text for row in found.rows] == [
        "Profit rose, a lot",
        "Sales\x1f fell by much this year",
        "AGM held, in May",
    ]


lines = st.lists(
    st.sampled_from(["Profit rose", "costs, debt", 'says "no"', "up\t5", "a; b", '"']), min_size=1, max_size=4
)
texts = lines.map("\n".join)


@settings(max_examples=examples(100), deadline=None)
@given(rows=st.lists(texts, min_size=1, max_size=6), delimiter=st.sampled_from("\t,;|"))
def test_what_a_program_quoted_is_read_as_it_was(rows, delimiter):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("id", "text"), *enumerate(["A first headline", *rows])])
    found = read_content(file.getvalue().encode(), "news", UnlabelledSettings(source="news"))
    assert [row.text for row in found.rows] == ["A first headline", *rows]


def test_a_stray_mark_in_a_live_stream_holds_no_row_back():
    before = [f"{number},Bank {number} says profit fell" for number in range(6)]
    after = [f"{number},Bank {number} says profit rose" for number in (7, 8, 9)]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sender:
        sender.write("\n".join(["id,title", *before, '6,"Gold, silver rise', *after, ""]).encode())
        rows = iter(open_stream(source, UnlabelledSettings(source="-")).rows)
        arrived: list[str | None] = []
        reader = threading.Thread(target=lambda: arrived.extend(next(rows).text for _ in range(9)), daemon=True)
        reader.start()
        reader.join(20)
        assert arrived == [*(line[2:] for line in before), None, *(line[2:] for line in after[:2])]
