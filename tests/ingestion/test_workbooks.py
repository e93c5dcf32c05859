"""A workbook is read as a person sees it: sheets of headlines, merged cells, stored values, and nothing hidden."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from ingestion.formats import read_content
from ingestion.unlabelled import read_batches
from schemas.errors import InputError
from schemas.source import UnlabelledSettings
from tests.ingestion.nasty_files import row_of, sheet_of, workbook_with, zip_of

HEADER = ("text", "label", "more")


def save(sheets, merged=(), hidden=()):
    """A workbook of these sheets, each a list of rows; merged ranges are of the first."""
    book, file = Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    book.save(file)
    return file.getvalue()


def test_all_sheets_with_the_same_columns_are_read_and_the_others_named(read):
    ingestion = read(
        save(
            {
                "About": [("How these were labelled",), ("text of no use",)],
                "2023": [HEADER, ("Profit rose", "positive"), ("Costs rose", "up")],
                "2024": [("LABEL ", "Text"), ("neutral", "AGM on 5 May")],
                "Other words": [("headline", "sentiment"), ("Sales fell", "negative")],
                "Empty": [],
                "Draft": [HEADER, ("Hidden news", "neutral")],
            },
            hidden=["Draft"],
        )
    )
    assert list(ingestion.accepted["text"]) == ["Profit rose", "AGM on 5 May"]
    assert (ingestion.rows_read, list(ingestion.rejected["row_number"])) == (3, [2])
    assert ingestion.not_read == (
        "sheet 'About' (other columns)",
        "sheet 'Other words' (other columns)",
        "sheet 'Draft' (hidden)",
    )


def test_further_sheets_are_scored_too():
    content = save({"a": [("id", "title"), (1, "Profit rose")], "b": [("title", "class"), ("Sales fell", None)]})
    found = read_content(content, "news", UnlabelledSettings(source="news"))
    [batch] = read_batches([list(found.rows)])
    assert (list(batch.headlines["text"]), found.not_read) == (["Profit rose", "Sales fell"], ())


def test_a_chart_sheet_is_ignored(read):
    book, file = Workbook(), io.BytesIO()
    for row in [HEADER, ("Profit rose", "positive")]:
        book.active.append(row)
    book.create_chartsheet("Chart")
    book.save(file)
    assert list(read(file.getvalue()).accepted["text"]) == ["Profit rose"]


def test_hidden_sheets_are_named_where_no_other_has_the_columns(read):
    with pytest.raises(InputError, match=r"its columns are \['x'\].*; hidden sheets are not read: Draft$"):
        read(save({"Draft": [HEADER, ("Profit rose", "positive")], "a": [("x",)]}, hidden=["Draft"]))


def test_merged_cells_hold_what_a_person_sees_in_them(read):
    rows = [
        HEADER,
        ("Profit rose", "positive"),
        ("Sales rose",),
        ("Orders rose",),
        ("Sales fell", "negative"),
        ("AGM",),
    ]
    ingestion = read(save({"s": rows}, merged=["B2:B4", "C2:C6"]))
    assert list(ingestion.accepted["label"]) == ["positive"] * 3 + ["negative"]
    assert list(ingestion.rejected["raw"]) == ['["AGM", null, null]']
    assert list(ingestion.rejected["reason"]) == ["no label"]


def test_a_row_that_is_merged_and_otherwise_empty_is_no_row(read):
    rows = [HEADER, ("Profit rose", "positive"), (), ("Sales rose",)]
    ingestion = read(save({"s": rows}, merged=["B2:B4"]))
    assert (ingestion.rows_read, list(ingestion.accepted["label"])) == (2, ["positive"] * 2)


def test_a_formula_that_was_never_computed_is_reported_as_one(read):
    rows = [HEADER, ("Profit rose", "positive"), ("Sales fell", '=IF(C3>0,"positive","negative")'), ("=A2", "neutral")]
    content = save({"s": rows})
    ingestion = read(content, label_map={"null": "neutral"})
    assert list(ingestion.rejected["reason"]) == [
        "formula that was never computed in 'label'",
        "formula that was never computed in 'text'",
    ]
    assert list(ingestion.rejected["raw"])[1] == '["=A2", "neutral", null]'
    found = read_content(content, "news", UnlabelledSettings(source="news"))
    [batch] = read_batches([list(found.rows)])
    assert list(batch.headlines["text"]) == ["Profit rose", "Sales fell"]


def test_a_formula_that_gave_an_empty_text_is_an_empty_cell(read):
    cells = b'<row><c t="inlineStr"><is><t>Sales fell</t></is></c><c t="str"><f>""</f><v></v></c></row>'
    rows = row_of(b"text", b"label") + row_of(b"Profit rose", b"positive") + cells
    assert list(read(workbook_with(sheet_of(rows))).rejected["reason"]) == ["no label"]


def test_rows_and_columns_with_huge_numbers_are_read(read):
    cell = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'.format
    far = f'<row r="9999999">{cell("A9999999", "Profit rose")}{cell("B9999999", "positive")}</row>'
    rows = far + f'<row r="10000000000">{cell("A1", "Sales fell")}{cell("B1", "negative")}{cell("XFD1", "x")}</row>'
    ingestion = read(workbook_with(sheet_of(row_of(b"text", b"label") + rows.encode())))
    assert list(ingestion.accepted["text"]) == ["Profit rose", "Sales fell"]


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SWOLLEN = {
    "cells": {"xl/worksheets/sheet1.xml": sheet_of(b"<row>" + b"<c/>" * 250_000 + b"</row>")},
    "shared strings": {
        "xl/sharedStrings.xml": f"<sst {NAMESPACE}>{'<si/>' * 200_000}</sst>".encode(),
        "[Content_Types].xml": b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats'
        b'-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    },
    "styles": {"xl/styles.xml": f"<styleSheet {NAMESPACE}>{'<x/>' * 210_000}</styleSheet>".encode()},
    "one tag": {"xl/worksheets/sheet1.xml": sheet_of(b'<row a="' + b"x" * 1_040_000 + b'"/>')},
    "sheets of one part": {
        "xl/workbook.xml": b'<sheet name="x" sheetId="2" state="visible" r:id="rId1"/>' * 15_000 + b"</sheets>"
    },
    "another encoding": {"xl/worksheets/sheet1.xml": b"<?xml version='1.0' encoding='cp037'?>" + b"L" * 1000},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SWOLLEN)
def test_a_small_workbook_that_expands_to_a_huge_one_is_refused(read, name):
    content = save({"s": [HEADER]})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    for member, part in SWOLLEN[name].items():
        end = b"</Types>" if part.endswith(b"</Types>") else b"</sheets>"
        members[member] = members[member].replace(end, part) if part.endswith(end) else part
    with pytest.raises(InputError, match=r"is an Excel workbook with .*: if you trust it, save it as CSV$"):
        read(zip_of(members))


def test_control_characters_that_excel_escapes_are_read_as_in_a_csv_file(read):
    text = "Profit rose_x000D_\nCosts _x0041_ fell_x000D_"
    ingestion = read(save({"news": [("text", "label"), (text, "positive"), ("AGM", "neutral")]}))
    same = read('text,label\r\n"Profit rose\r\nCosts _x0041_ fell\r",positive\r\nAGM,neutral\r\n')
    assert list(ingestion.accepted["text"]) == ["Profit rose\nCosts _x0041_ fell", "AGM"]
    assert ingestion.snapshot_id == same.snapshot_id
