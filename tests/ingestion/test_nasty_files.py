"""Every nasty file gives rows that are accounted for, or an error of one line."""

import csv
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from ingestion import bounds, delimited
from schemas.errors import InputError
from tests.examples import examples
from tests.ingestion.nasty_files import (
    HEADER,
    ROW,
    laughing_workbook,
    locked_zip,
    lying_zip,
    noise,
    row_of,
    sheet_of,
    swollen_parquet,
    swollen_workbook,
    workbook_with,
    zip_of,
)

MEBIBYTE = 1024**2

ROWS_IN = {
    "a line of 2 MB": (lambda: HEADER + ROW + b"x " * 1_000_000 + b",neutral\n", (1, "text of more than 10,000")),
    "a line of 2 MB, unquoted end": (lambda: HEADER + ROW + b"x" * 2_000_000, (1, "number of fields is 1, not 2")),
    "a quoted line of 2 MB": (
        lambda: HEADER + ROW + b'"' + b"x" * 2_000_000 + b'",neutral\n',
        (1, "field of more than 131,072 characters, or a quote that is never closed"),
    ),
    "NUL bytes": (lambda: HEADER + ROW + b"Profit\0 fell,negative\n\0,neutral\n", (2, "control character in the text")),
    "60,000 labels": (
        lambda: HEADER + ROW + b"".join(b"Costs rose,%d\n" % number for number in range(60_000)),
        (60_000, "unknown label '0'"),
    ),
    "20,000 columns": (
        lambda: b",".join(b"%d" % n for n in range(20_000)) + b"," + HEADER + b"," * 20_000 + ROW + b"a,b\n",
        (1, "number of fields is 2, not 20002"),
    ),
    "quotes that never close": (
        lambda: HEADER + ROW + b'x","y\n' * 50_000,
        (50_000, "broken quoting: unexpected end of data"),
    ),
    "ragged rows": (lambda: HEADER + ROW + b"a\na,b,c\n,,x\n" * 1_000, (3_000, "number of fields is 1, not 2")),
    "a lone surrogate": (
        lambda: b'{"text": "Profit rose", "label": "positive"}\n{"text": "\\udc80", "label": "neutral"}\n',
        (1, "half a surrogate pair, which is not Unicode"),
    ),
    "texts that show nothing": (
        lambda: HEADER + ROW + " ,neutral\n\u200b\u2060,neutral\n\u00a0\u2003,neutral\n".encode(),
        (3, "empty text"),
    ),
    "numbers that are none": (
        lambda: b'[{"text": "Profit rose", "label": "positive"}, {"text": "a", "label": NaN}, {"text": 1, "label": 1}]',
        (2, "no label"),
    ),
    "a number of a million digits": (
        lambda: b'[{"text": "Profit rose", "label": "positive"}, {"text": "a", "label": %s}]' % (b"9" * 10**6),
        (1, "unknown label 'Infinity'"),
    ),
    "an object within an object": (
        lambda: b'[{"text": "Profit rose", "label": "positive"}, {"text": {"a": 1}, "label": []}]',
        (1, "no text in 'text'"),
    ),
}  # fmt: skip

LINE_FOR = {
    "nothing": (lambda: b"", "is empty"),
    "a byte order mark": (lambda: b"\xef\xbb\xbf", "is empty"),
    "a header alone": (lambda: b"\xef\xbb\xbf" + HEADER, "has no rows"),
    "one column": (lambda: b"Profit rose\n" * 1_000, "no text column and no label column"),
    "a line of 2 MB": (lambda: b"x" * 2_000_000, "no text column and no label column"),
    "zero bytes": (lambda: bytes(2 * MEBIBYTE), "no text column and no label column"),
    "white space": (lambda: b" \n" * 5_000_000, "is empty"),
    "noise": (lambda: noise(10 * MEBIBYTE), "is not text in any known encoding"),
    "half a character of UTF-16": (lambda: (HEADER + ROW).decode().encode("utf-16") + b"x", "valid text in 'utf-16'"),
    "deep JSON": (lambda: b'[{"text": ' + b"[" * 10_000_000, "not valid JSON from character 2 on"),
    "JSON that breaks off": (lambda: b'[{"text": "a", "label": "neutral"},', "not valid JSON from character 36 on"),
    "deep JSON lines": (lambda: b'{"text":' * 1_000_000, "is JSON that is not valid from character 1 on"),
    "a zip bomb": (lambda: zip_of({"a.csv": HEADER + ROW * 5_000_000}), "would unpack from .* or of 100 times"),
    "a zip that lies about its size": (lying_zip, "zip that cannot be read"),
    "a zip in a zip": (lambda: zip_of({"a.zip": zip_of({"a.csv": HEADER + ROW})}), "a zip within a zip"),
    "a zip with a password": (locked_zip, "zip that cannot be read .*encrypted"),
    "a zip of 20,000 files": (lambda: zip_of({f"{n}.csv": "x" for n in range(20_000)}), "and 19,995 more"),
    "a workbook bomb": (swollen_workbook, "would unpack from .* or of 100 times"),
    "a laughing workbook": (laughing_workbook, "Excel workbook that cannot be read"),
    "a workbook that breaks off": (
        lambda: workbook_with(sheet_of(row_of(b"text", b"label") + row_of(b"Profit rose", b"positive"))[:-20]),
        "Excel workbook that cannot be read",
    ),
    "Parquet that breaks off": (lambda: swollen_parquet(10)[:-20], "Parquet file that cannot be read"),
    "a Parquet bomb": (lambda: swollen_parquet(100_000), "holds over 67,108,864 characters"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS_IN)
def test_the_rows_of_a_nasty_file_are_accounted_for(read, name):
    make, (count, reason) = ROWS_IN[name]
    ingestion = read(make(), max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit rose"]
    assert len(ingestion.rejected) == count
    assert ingestion.rows_read == count + 1
    assert reason in ingestion.rejected["reason"].iloc[0]
    assert ingestion.rejected["raw"].str.len().max() < 1_000_100


@pytest.mark.parametrize("name", LINE_FOR)
def test_a_file_that_cannot_be_used_ends_in_one_line(read, name):
    make, message = LINE_FOR[name]
    with pytest.raises(InputError, match=message) as caught:
        read(make())
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", str(caught.value))


def test_after_many_broken_quotes_one_that_spans_lines_is_broken_too(read, monkeypatch):
    monkeypatch.setattr(delimited, "MOST_GIVEN_BACK", 3)
    quoted = '"Profit\nrose, fell",positive\n'
    ingestion = read(f'text,label\n{quoted}a,b","c\nd\ne\n{quoted}', max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit\nrose, fell"]
    assert list(ingestion.rejected["row_number"]) == [2, 3, 4, 5, 6]


def test_more_rows_than_fit_are_refused(read, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_ROWS", 3)
    assert read(HEADER + ROW * 3).rows_read == 3
    with pytest.raises(InputError, match="holds over 3 rows"):
        read(HEADER + ROW * 4)


def check_it_ends_well(read, content):
    """Fail unless the content gives rows that are all accounted for, or an error of one line."""
    try:
        ingestion = read(content, max_rejected=1)
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert len(ingestion.accepted) + len(ingestion.rejected) + ingestion.rows_merged == ingestion.rows_read
        assert not (ingestion.rejected["reason"] == "").any()
    assert len(message.splitlines()) <= 1


@settings(max_examples=examples(150), deadline=None)
@given(
    start=st.sampled_from([b"", HEADER, b"[{", b'{"text":', b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"\xef\xbb\xbf"]),
    content=st.binary(max_size=400)
    | st.text(st.sampled_from('a,"\n\r\t;|@{}[]:0é\u202e'), max_size=200).map(str.encode),
)
@example(start=HEADER, content=b'"')
@example(start=b"text,label\r", content=b'"\r\n",neutral')
def test_any_bytes_give_accounted_rows_or_one_line(read, start, content):
    check_it_ends_well(read, start + content)


CONTAINERS = [
    zip_of({"a.csv": HEADER + ROW}),
    workbook_with(sheet_of(row_of(b"text", b"label") + row_of(b"Profit rose", b"neutral"))),
    swollen_parquet(3),
]


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data(), container=st.sampled_from(CONTAINERS))
def test_a_container_with_wrong_bytes_gives_accounted_rows_or_one_line(read, data, container):
    content = bytearray(container)
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[place] = value
    check_it_ends_well(read, bytes(content[: data.draw(st.just(len(content)) | places)]))


def as_delimited(delimiter):
    def write(rows):
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=delimiter).writerows([("label", "more", "text"), *((b, "", a) for a, b in rows)])
        return file.getvalue().encode()

    return write


def as_excel(rows):
    book, file = Workbook(), io.BytesIO()
    for place, (text, label) in enumerate([("text", "label"), *rows], start=1):
        for column, value in enumerate((text, label), start=1):
            cell = book.active.cell(place, column)
            cell.value, cell.data_type = value, "s"
    book.save(file)
    return file.getvalue()


def as_parquet(rows):
    file = io.BytesIO()
    texts, labels = zip(*rows, strict=True)
    pq.write_table(pa.table({"text": texts, "label": labels}), file)
    return file.getvalue()


WRITERS = {
    "csv": as_delimited(","),
    "tsv": as_delimited("\t"),
    "semicolons": as_delimited(";"),
    "json": lambda rows: json.dumps([{"text": text, "label": label} for text, label in rows]).encode(),
    "json lines": lambda rows: "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows).encode(),
    "parquet": as_parquet,
    "excel": as_excel,
    "utf-16": lambda rows: as_delimited(",")(rows).decode().encode("utf-16"),
}  # fmt: skip

printable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from(' ,;"\t\n=@|')
)
texts = st.builds("{} {}".format, st.sampled_from(["Profit", "Costs", "=SUM(A1)", '"', "-1"]), printable)


@pytest.mark.slow
@settings(max_examples=examples(40), deadline=None)
@given(rows=st.lists(st.tuples(texts, st.sampled_from(["positive", "neutral", "negative"])), min_size=1, max_size=8))
def test_a_table_gives_the_same_headlines_in_every_format(read, rows):
    results = {}
    for name, write in WRITERS.items():
        ingestion = read(write([("The annual general meeting is on 5 May", "neutral"), *rows]))
        results[name] = (ingestion.snapshot_id, list(ingestion.accepted["text"]), len(ingestion.rejected))
    assert set(map(repr, results.values())) == {repr(results["csv"])}
    assert {text.strip() for text, _ in rows} >= set(results["csv"][1][1:])
