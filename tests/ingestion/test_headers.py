"""A header is found below title rows, or in the row that the settings name; nothing above it is a row."""

import pytest

from ingestion.columns import MissingColumnError
from tests.ingestion.test_columns import MOODS, NEWS, as_csv, as_excel

TABLE = {"headline": NEWS, "label": MOODS, "date": ["3 May"] * 6}
TITLES = [["Headlines of May"], [], ["Source:", "the desk"]]


def with_titles(titles=TITLES):
    return b"\n".join(",".join(row).encode() for row in titles) + b"\n" + as_csv(TABLE)


@pytest.mark.parametrize("content", [with_titles(), as_excel(TABLE, TITLES)], ids=["csv", "excel"])
@pytest.mark.parametrize("header_row", [None, 4])
def test_title_rows_above_the_header_are_no_rows(read, content, header_row):
    ingestion = read(content, header_row=header_row)
    assert list(ingestion.accepted["text"]) == NEWS
    assert ingestion.columns.text == "headline"
    assert ingestion.rows_read == 6


@pytest.mark.parametrize("write", [as_csv, as_excel], ids=["csv", "excel"])
def test_the_row_that_is_named_is_the_header_whatever_is_above_it(read, write):
    table = {name: [*values[:2], name, *values[2:]] for name, values in TABLE.items()}
    ingestion = read(write(table), header_row=4)
    assert list(ingestion.accepted["text"]) == NEWS[2:]


@pytest.mark.parametrize("write", [as_csv, as_excel], ids=["csv", "excel"])
def test_a_row_that_names_no_columns_is_shown_and_no_other_is_tried(read, write):
    with pytest.raises(MissingColumnError, match=r"its columns are .'Fenwick Mills posts wider loss'"):
        read(write(TABLE), header_row=3)


def test_a_line_that_is_not_there_is_named(read):
    with pytest.raises(MissingColumnError, match="has no line 99 that names columns"):
        read(as_csv(TABLE), header_row=99)


def test_names_of_columns_among_the_rows_are_no_header(read):
    content = "positive,headline\nneutral,AGM on 5 May\nlabel,text\nnegative,Costs rose\n"
    ingestion = read(content, max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["headline", "AGM on 5 May", "Costs rose"]
    assert list(ingestion.rejected["raw"]) == ["label,text"]


def test_a_title_of_several_lines_and_blank_cells_are_passed_over(read):
    content = '"Headlines\nof ""May""",,\n,,\ntext,label,date\nProfit rose,positive,3 May\n'
    assert list(read(content).accepted["text"]) == ["Profit rose"]


@pytest.mark.parametrize("header", ["text,label", '"text","label"'])
def test_the_header_of_a_joined_file_is_one_whatever_mark_it_begins_with(read, header):
    content = f"\ufeff{header}\nProfit rose,positive\n\ufeff{header}\nCosts rose,negative\n"
    ingestion = read(content, max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit rose", "Costs rose"]
    assert list(ingestion.rejected["reason"]) == ["the header again"]
