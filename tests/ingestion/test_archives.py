"""A zip is recognised by its content, and read in memory and within bounds."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from ingestion import bounds
from schemas.errors import InputError
from tests.ingestion.nasty_files import zip_of

CSV = "text,label\nProfit rose,positive\n"


def workbook():
    book, file = Workbook(), io.BytesIO()
    for row in [("text", "label"), ("Profit rose", "positive")]:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("member", "kind"),
    [(CSV, "csv in a zip"), (CSV.replace(",", "\t"), "tsv in a zip"), (workbook(), "excel in a zip")],
)
def test_the_one_file_of_a_zip_is_read_whatever_its_name(read, member, kind):
    ingestion = read(zip_of({"folder/": "", "folder/data": member, "__MACOSX/data": "x", "folder/.DS_Store": "x"}))
    assert (ingestion.kind, ingestion.rows_read) == (kind, 1)


def test_a_readme_next_to_the_one_data_file_is_skipped_and_reported(read):
    ingestion = read(zip_of({"README.md": "# News", "LICENSE": "text,label\n", "a/news.csv": CSV, "a/~$n.xlsx": "x"}))
    assert (ingestion.kind, ingestion.rows_read) == ("csv in a zip", 1)
    assert ingestion.not_read == ("README.md (document)", "LICENSE (document)", "a/~$n.xlsx (temporary)")


def test_a_member_that_points_outside_is_read_and_nothing_is_written(read, tmp_path, monkeypatch):
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert read(zip_of({"../escaped.csv": CSV})).rows_read == 1
    assert list(tmp_path.rglob("*")) == [below]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zip_of({"bomb.csv": CSV + "\n" * 5_000_000}), "'bomb.csv' in it would unpack from [0-9,]+ to 5,000,032 bytes"),
        (zip_of({"a.csv": CSV}, zipfile.ZIP_BZIP2), "'a.csv' in it is packed by method 12"),
        (zip_of({"inner.zip": zip_of({"a.csv": CSV})}), "file/inner.zip' is a zip within a zip"),
        (zip_of({"a.pdf": b"%PDF-1.7\n1 0 obj\n"}), r"holds not one data file but 'a.pdf \(document\)'"),
        (zip_of({"odd": b"%PDF-1.7\n1 0 obj\n"}), "file/odd' is a PDF, which is not read"),
        (zip_of({"[Content_Types].xml": "<", "xl/workbook.xml": "<"}), "Excel workbook that cannot be read"),
        (zip_of({"a.csv": CSV}, zipfile.ZIP_STORED).replace(b"rose", b"fell"), "zip that cannot be read"),
    ],
)
def test_a_zip_that_cannot_be_used_ends_in_one_line(read, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_a_member_over_the_bound_of_bytes_is_refused(read, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_UNPACKED_BYTES", 20)
    with pytest.raises(InputError, match=r"'a.csv' in it would unpack .* over the bound of 20 "):
        read(zip_of({"a.csv": CSV}))
