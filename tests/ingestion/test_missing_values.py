"""In every format a blank row is no row, an empty cell is no label, and an error value is no headline."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from ingestion.formats import read_content
from ingestion.unlabelled import read_batches
from schemas.source import UnlabelledSettings

NAMES = ("text", "label", "more")
SOUND = ("Profit rose", "positive", "x")


def as_text(delimiter, quote=""):
    def write(rows):
        cells = [["" if cell is None else f"{quote}{cell}{quote}" for cell in row] for row in [NAMES, *rows]]
        return "\n".join(map(delimiter.join, cells)).encode()

    return write


def as_objects(rows):
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def as_parquet(rows):
    file = io.BytesIO()
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=list(NAMES)), file)
    return file.getvalue()


def as_excel(rows):
    book, file = Workbook(), io.BytesIO()
    for row in [NAMES, *rows]:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


TEXT_WRITERS = {
    "csv": as_text(","),
    "quoted csv": as_text(",", '"'),
    "tsv": as_text("\t"),
    "semicolons": as_text(";"),
}
TYPED_WRITERS = {
    "json": lambda rows: json.dumps(as_objects(rows)).encode(),
    "json lines": lambda rows: "\n".join(map(json.dumps, as_objects(rows))).encode(),
    "parquet": as_parquet,
    "excel": as_excel,
}
WRITERS = TEXT_WRITERS | TYPED_WRITERS
every_format = pytest.mark.parametrize("form", WRITERS)
every_typed_format = pytest.mark.parametrize("form", TYPED_WRITERS)


@every_format
def test_a_row_without_a_word_in_it_is_no_row(read, form):
    ingestion = read(WRITERS[form]([(None,) * 3, SOUND, ("", None, " "), (None, "neutral", None), (None,) * 3]))
    assert ingestion.rows_read == 2
    assert list(ingestion.rejected["row_number"]) == [2]


def test_a_row_of_only_delimiters_is_no_row_whatever_their_number(read):
    ingestion = read('text,label\nProfit rose,positive\n,\n,,,,\n ,\t\n"",""\n\u00a0,\n', max_rejected=0)
    assert (ingestion.rows_read, len(ingestion.accepted)) == (1, 1)


@pytest.mark.parametrize("blank", ["null", "{}", '{"text": null, "tags": [], "meta": {}, "n": NaN}'])
def test_json_without_a_value_is_no_row(read, blank):
    sound = '{"text": "Profit rose", "label": "positive"}'
    for content in (f"[{sound}, {blank}]", f"{sound}\n{blank}\n"):
        ingestion = read(content)
        assert (ingestion.rows_read, len(ingestion.rejected)) == (1, 0)


MISSING_MAP = dict.fromkeys(("null", "nan", "none", "NaT", "<NA>"), "neutral")


@every_format
def test_an_empty_label_is_no_label_and_no_word_of_a_label_map(read, form):
    ingestion = read(WRITERS[form]([SOUND, ("Costs rose", None, "x"), ("AGM", " ", "x")]), label_map=MISSING_MAP)
    assert list(ingestion.accepted["text"]) == ["Profit rose"]
    assert list(ingestion.rejected["reason"]) == ["no label", "no label"]


def test_a_label_of_nan_or_null_is_no_label(read):
    file = io.BytesIO()
    labels = pa.array([2.0, float("nan"), None])
    pq.write_table(pa.table({"text": ["Profit rose", "Costs rose", "AGM"], "label": labels}), file)
    ingestion = read(file.getvalue(), label_map={"2": "positive", **MISSING_MAP})
    assert list(ingestion.rejected["reason"]) == ["no label", "no label"]


@every_format
def test_a_word_that_programs_write_for_a_missing_label_is_reported_as_one(read, form):
    words = ["nan", "None", "NULL", "<NA>", "n/a"]
    content = WRITERS[form]([SOUND, *((f"Costs rose {number}", word, "x") for number, word in enumerate(words))])
    reasons = [f"no label, written as {word!r}" for word in words]
    assert list(read(content, max_rejected=1).rejected["reason"]) == reasons
    named = read(content, label_map=dict.fromkeys(map(str.lower, words), "neutral"))
    assert list(named.accepted["label"]) == ["positive", *["neutral"] * len(words)]


@every_format
def test_an_error_value_of_a_spreadsheet_is_no_headline(read, form):
    values = ["#NAME?", "#REF!", "#DIV/0!", "#VALUE!", "#WERT!", "Err:508"]
    rows = [SOUND, *((value, "neutral", "x") for value in values), ("#NAME? is what Excel shows", "neutral", "x")]
    ingestion = read(WRITERS[form](rows), max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit rose", "#NAME? is what Excel shows"]
    assert list(ingestion.rejected["reason"]) == ["error value of a spreadsheet instead of a text"] * len(values)


def test_an_error_cell_of_a_workbook_is_no_headline_and_no_label(read):
    book, file = Workbook(), io.BytesIO()
    for row in [NAMES, SOUND, ("#NAME?", "neutral", "x"), ("Costs rose", "#REF!", "x")]:
        book.active.append(row)
    book.active["A3"].data_type = book.active["B4"].data_type = "e"
    book.save(file)
    assert b't="e"' in zip_member(file.getvalue(), "xl/worksheets/sheet1.xml")
    ingestion = read(file.getvalue())
    assert list(ingestion.rejected["reason"]) == [
        "error value of a spreadsheet instead of a text",
        "unknown label '#REF!'",
    ]


@every_format
def test_a_word_for_a_missing_text_is_no_headline(read, form):
    words = ["nan", "None", "NULL", "#N/A"]
    rows = [SOUND, *((word, "neutral", "x") for word in words), ("None of it was sold", "neutral", "x")]
    ingestion = read(WRITERS[form](rows), max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit rose", "None of it was sold"]
    assert list(ingestion.rejected["reason"]) == ["word for a missing value instead of a text"] * len(words)


@every_typed_format
def test_headlines_are_scored_whatever_their_label_is(form):
    rows = [("Profit rose", None, "x"), ("Costs rose", "nan", "x"), (None,) * 3, ("#NAME?", None, "x")]
    content = read_content(TYPED_WRITERS[form](rows), "news", UnlabelledSettings(source="news"))
    [batch] = read_batches([list(content.rows)])
    assert list(batch.headlines["text"]) == ["Profit rose", "Costs rose"]
    assert list(batch.rejected["reason"]) == ["error value of a spreadsheet instead of a text"]


def zip_member(content, name):
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)
