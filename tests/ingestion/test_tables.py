"""JSON arrays, Parquet and Excel: typed cells give the same headlines, and every row is accounted for."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from schemas.errors import InputError
from tests.examples import examples

ROWS = [("Profit rose", "positive"), ('Costs, "as ever",\nrose', "negative"), ("AGM on 5 May", "neutral")]
NAMES = ("News_Headline", "n", "Label")


def as_json(rows):
    return json.dumps([dict(zip(NAMES, row, strict=True)) for row in rows], indent=2, ensure_ascii=False).encode()


def as_parquet(rows):
    file = io.BytesIO()
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=list(NAMES)), file)
    return file.getvalue()


def as_excel(rows, names=NAMES, before=()):
    workbook = Workbook()
    for sheet_rows in before:
        for row in sheet_rows:
            workbook.active.append(row)
        workbook.create_sheet()
    sheet = workbook.worksheets[-1]
    for row in [names, *rows]:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


WRITERS = [("json", as_json), ("parquet", as_parquet), ("excel", as_excel)]
every_format = pytest.mark.parametrize(("kind", "write"), WRITERS, ids=[kind for kind, _ in WRITERS])


@every_format
def test_the_same_headlines_have_the_same_snapshot_as_in_json_lines(read, kind, write):
    ingestion = read(write([(text, number, label) for number, (text, label) in enumerate(ROWS)]))
    assert list(zip(ingestion.accepted["text"], ingestion.accepted["label"], strict=True)) == ROWS
    assert (ingestion.kind, ingestion.encoding, ingestion.rows_read) == (kind, "utf-8", 3)
    lines = "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS)
    assert ingestion.snapshot_id == read(lines).snapshot_id


@every_format
@pytest.mark.parametrize("number", [int, float])
def test_numbers_are_labels_through_the_label_map(read, kind, write, number):
    rows = [("Profit rose", "a", number(2)), ("Costs rose", "b", number(0)), ("AGM", "c", number(1))]
    ingestion = read(write(rows), label_map={"0": "negative", "1": "neutral", "2": "positive"})
    assert list(ingestion.accepted["label"]) == ["positive", "negative", "neutral"]


@every_format
def test_a_cell_without_a_text_or_a_label_rejects_its_row(read, kind, write):
    ingestion = read(write([("Profit rose", 1, "positive"), (None, 2, "positive"), ("Costs rose", 3, None)]))
    assert list(ingestion.rejected["row_number"]) == [2, 3]
    assert list(ingestion.rejected["reason"]) == ["no text in 'News_Headline'", "no label"]
    assert ingestion.rows_read == 3


def test_the_raw_row_is_every_cell_in_order(read):
    ingestion = read(as_parquet([("Profit rose", 1, "positive"), (None, 2, "größer")]))
    assert list(ingestion.rejected["raw"]) == ['[null, 2, "größer"]']


def test_an_element_of_an_array_is_kept_as_it_was_written(read):
    text = '[ {"text": "Profit rose", "label": "positive"} ,\n "no" , {"text": "\\ud800",  "label": "neutral"} ]\n'
    ingestion = read(text)
    assert list(ingestion.rejected[["row_number", "reason", "raw"]].itertuples(index=False, name=None)) == [
        (2, "not a JSON object", '"no"'),
        (3, "half a surrogate pair, which is not Unicode", '{"text": "\\ud800",  "label": "neutral"}'),
    ]


def test_text_in_brackets_is_no_json_array(read):
    assert read("[Reuters] Profit rose@positive\n").kind == "financial-phrasebank text"


def test_the_first_sheet_with_both_columns_is_read_without_its_blank_rows(read):
    rows = [(None, None), ("Profit rose", "positive"), (None, None), ("AGM", "neutral"), ("no label",)]
    ingestion = read(as_excel(rows, names=("headline", "sentiment"), before=[[("About",), ("text of no use",)]]))
    assert list(ingestion.accepted["text"]) == ["Profit rose", "AGM"]
    assert list(ingestion.rejected["row_number"]) == [3]
    assert list(ingestion.rejected["raw"]) == ['["no label", null]']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (as_json([("Profit rose", 1, "positive")])[:-4], "JSON array that is not valid JSON from character"),
        (b'[{"text": "x", "label": "neutral"}] and more', "JSON array that is not valid JSON from character 35 on"),
        (b'[{"text": ' + b"[" * 100_000, "JSON array that is not valid JSON from character 2 on"),
        (b'[{"body": 1, "label": "neutral"}]', r"no text column, its columns are \['body', 'label'\]"),
        (as_parquet([("Profit rose", 1, "positive")])[:-20], "Parquet file that cannot be read"),
        (b"PAR1", "Parquet file that cannot be read"),
        (as_excel([], names=("a", "b"), before=[[("c",)]]), r"no label column, its columns are \['c'\]"),
        (as_excel([], names=()), r"its columns are \[\]"),
        (as_excel([], names=("text", "label")), "has no rows"),
    ],
)
def test_a_table_that_cannot_be_used_ends_in_one_line(read, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content)
    assert "\n" not in str(caught.value)


@every_format
@settings(max_examples=examples(60), deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), damage=st.binary(max_size=3), length=st.integers(0, 20))
def test_damage_anywhere_gives_rows_or_one_short_line(read, kind, write, place, damage, length):
    content = write([(text, number, label) for number, (text, label) in enumerate(ROWS)])
    start = int(place * len(content))
    try:
        ingestion = read(content[:start] + damage + content[start + length :])
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert len(ingestion.accepted) + len(ingestion.rejected) + ingestion.rows_merged == ingestion.rows_read
    assert "\n" not in message
    assert len(message) < 1_000


def test_columns_by_number_mean_that_there_is_no_header(read):
    content = "7;positive;Profit rose\n8;neutral;AGM\n9;neutral\n"
    ingestion = read(content, text_column="3", label_column="2")
    assert list(ingestion.accepted["text"]) == ["Profit rose", "AGM"]
    assert list(ingestion.rejected["reason"]) == ["number of fields is 2, not 3"]
    with pytest.raises(InputError, match="no text column '9'"):
        read(content, text_column="9", label_column="2")
    assert list(read("2;3\nneutral;AGM\n", text_column="3", label_column="2").accepted["text"]) == ["AGM"]


@pytest.mark.parametrize("tab", ["tab", "\\t", "\t"])
def test_a_tab_has_names_that_a_shell_can_pass(read, tab):
    content = "text, as sent,more\tlabel\nProfit rose\tpositive\n"
    assert list(read(content, delimiter=tab, text_column="text, as sent,more").accepted["text"]) == ["Profit rose"]


@pytest.mark.parametrize("wrong", ["", ",,", '"', "\n"])
def test_what_cannot_delimit_is_refused(read, wrong):
    with pytest.raises(ValueError, match="is no delimiter: give one character, or tab"):
        read("text,label\n", delimiter=wrong)


def test_a_delimiter_that_is_given_is_used(read):
    content = "text,label^label\nProfit, up,^positive\n"
    assert list(read(content, delimiter="^", text_column="text,label").accepted["text"]) == ["Profit, up,"]


@pytest.mark.parametrize("form", ["json", "json-lines", "parquet", "excel"])
def test_a_format_that_does_not_fit_is_refused(read, form):
    with pytest.raises(InputError, match=f"is not of the format '{form}'"):
        read("text,label\nProfit rose,positive\n", format=form)


def test_a_format_that_is_given_is_used(read):
    content = "Profit rose@positive\nAGM@neutral\n"
    assert read(content, format="phrasebank").kind == "financial-phrasebank text"
    with pytest.raises(InputError, match="has no text column"):
        read(content, format="csv")
