"""A file of an unsupported kind is refused by the name of its kind, and never read as text."""

import io
import sqlite3
import tarfile

import duckdb
import pytest

from ingestion import streams
from ingestion.formats import read_content
from ingestion.streams import open_stream
from schemas.errors import InputError
from schemas.source import UnlabelledSettings
from tests.ingestion.nasty_files import HEADER, ROW, zip_of

CSV = HEADER + ROW
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 12345\n"


def tar_of(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def database(path, connect):
    with connect(path) as connection:
        connection.execute("CREATE TABLE news (text VARCHAR)")
    connection.close()
    return path.read_bytes()


KINDS = {
    "an old Excel workbook": lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "a tar archive": lambda _: tar_of("news.csv", CSV),
    "a Feather file of version 1": lambda _: b"FEA1" + bytes(100),
    "a SQLite database": lambda folder: database(folder / "a.sqlite", sqlite3.connect),
    "a DuckDB database": lambda folder: database(folder / "a.duckdb", duckdb.connect),
    "a picture": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a binary Excel workbook": lambda _: zip_of({"[Content_Types].xml": "x", "xl/workbook.bin": "x"}),
    "an OpenDocument file": lambda _: zip_of({"mimetype": "x", "content.xml": "x", "styles.xml": "x"}),
    "a Word document": lambda _: zip_of({"[Content_Types].xml": "x", "word/document.xml": "x"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_binary_file_is_refused_with_its_kind_and_a_remedy(read, tmp_path, kind):
    content = KINDS[kind](tmp_path)
    message = rf"^source '.*' is {kind}.*, which is not read: \w+"
    with pytest.raises(InputError, match=message):
        read(content)
    with pytest.raises(InputError, match=message):
        read_content(content, "news", UnlabelledSettings(source="news"))
    with pytest.raises(InputError, match=message):
        open_stream(io.BytesIO(content), UnlabelledSettings(source="-"))


TEXTS = {
    "a pointer of Git LFS": [POINTER],
    "a PDF": [b"%PDF-1.7\n1 0 obj\nProfit rose\n"],
    "an RTF document": [b"{\\rtf1\\ansi Profit rose}\n"],
    "XML or HTML": [
        b"<?xml version='1.0'?>\n<rss>\n",
        b"\xef\xbb\xbf\n <!DOCTYPE html>\n",
        b"<html>Profit rose</html>\n",
    ],
}


@pytest.mark.parametrize(
    ("kind", "content"), [(kind, content) for kind, contents in TEXTS.items() for content in contents]
)
def test_a_text_of_an_unsupported_kind_is_read_line_by_line_only_if_the_format_is_lines(read, kind, content):
    message = rf"^source '.*' is {kind}.*, which is not read: \w+"
    with pytest.raises(InputError, match=message):
        read(content)
    with pytest.raises(InputError, match=rf"{message}.*, or use --source-format lines if each line is one"):
        read_content(content, "news", UnlabelledSettings(source="news"))
    with pytest.raises(InputError, match=message):
        open_stream(io.BytesIO(content), UnlabelledSettings(source="-"))
    lines = UnlabelledSettings(source="news", format="lines")
    assert read_content(content, "news", lines).kind == open_stream(io.BytesIO(content), lines).kind == "lines"


def test_headlines_about_such_files_are_headlines():
    lines = ["PDF maker Adobe rose", "<b>Profit</b> rose", "version 2 of the plan", "Rar! said nobody"]
    for line in lines:
        found = read_content(f"{line}\n".encode(), "news", UnlabelledSettings(source="news"))
        assert [row.text for row in found.rows] == [line]


ENDLESS = {
    "first line": b"Profit " * 50,
    "later line": b"Profit rose\nSales fell\n" + b"Profit " * 50,
    "array": b'[{"text": "Profit rose"},\n' * 12,
    "zip": b"PK\x03\x04" + bytes(300),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_stream_without_end_is_refused_once_it_is_large(monkeypatch, name):
    monkeypatch.setattr(streams, "MOST_HELD", 200)
    with pytest.raises(InputError, match=r"^source '-' has over 200 bytes without a line end, or that must be held"):
        list(open_stream(io.BytesIO(ENDLESS[name]), UnlabelledSettings(source="-")).rows)


def test_a_long_stream_of_short_lines_is_read(monkeypatch):
    monkeypatch.setattr(streams, "MOST_HELD", 200)
    monkeypatch.setattr(streams, "HEAD_BYTES", 50)
    content = open_stream(io.BytesIO(b"Profit rose\n" * 1_000), UnlabelledSettings(source="-"))
    assert sum(1 for _ in content.rows) == 1_000
