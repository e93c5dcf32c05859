"""Damaged and malicious files, generated for the tests of bad input."""

import io
import os
import struct
import zipfile
from collections.abc import Mapping

from openpyxl import Workbook

HEADER = b"text,label\n"
ROW = b"Profit rose,positive\n"
_SHEET = "xl/worksheets/sheet1.xml"
_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def zip_of(members: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def lying_zip() -> bytes:
    """A zip whose one member claims to unpack to 1,000 bytes and unpacks to two million."""
    content = HEADER + ROW * 100_000
    return zip_of({"a.csv": content}).replace(struct.pack("<I", len(content)), struct.pack("<I", 1_000))


def locked_zip() -> bytes:
    """A zip whose member is marked as encrypted."""
    content = bytearray(zip_of({"a.csv": HEADER + ROW}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def workbook_with(sheet: bytes) -> bytes:
    """A workbook whose sheet is these bytes."""
    file = io.BytesIO()
    Workbook().save(file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return zip_of(members | {_SHEET: sheet})


def sheet_of(rows: bytes, before: str = "") -> bytes:
    """The XML of a sheet."""
    return (
        f"<?xml version='1.0'?>{before}<worksheet {_NAMESPACE}><sheetData>".encode()
        + rows
        + b"</sheetData></worksheet>"
    )


def row_of(*cells: bytes) -> bytes:
    """The XML of a row of text cells."""
    return b"<row>" + b"".join(b'<c t="inlineStr"><is><t>' + cell + b"</t></is></c>" for cell in cells) + b"</row>"


def swollen_workbook() -> bytes:
    """A workbook of 60 KB whose sheet has 200,000 equal rows."""
    return workbook_with(sheet_of(row_of(b"text", b"label") + row_of(b"Profit rose", b"positive") * 200_000))


def laughing_workbook() -> bytes:
    """A workbook whose one cell is an XML entity of ten entities of ten entities, eleven levels deep."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return workbook_with(sheet_of(row_of(b"&l11;"), f'<!DOCTYPE w [<!ENTITY l0 "ha">{entities}]>'))


def swollen_parquet(rows: int) -> bytes:
    """A Parquet file whose rows all have the same long text, which is stored once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = pa.array([0] * rows, pa.int8())
    texts, labels = (pa.DictionaryArray.from_arrays(places, pa.array([value])) for value in ("x" * 5_000, "positive"))
    file = io.BytesIO()
    pq.write_table(pa.table({"text": texts, "label": labels}), file)
    return file.getvalue()


def noise(size: int) -> bytes:
    """Uniformly random bytes."""
    return os.urandom(size)
