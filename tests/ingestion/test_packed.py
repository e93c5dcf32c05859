"""Files that gzip, bzip2, xz or zstandard packed are unpacked within bounds and read as what they hold."""

import bz2
import gzip
import io
import json
import lzma
import os
import zlib
from random import Random

import pyarrow as pa
import pytest

from ingestion import bounds
from ingestion.formats import read_content
from ingestion.streams import batch_rows, open_stream
from schemas.errors import InputError
from schemas.source import UnlabelledSettings
from tests.ingestion.nasty_files import HEADER, ROW, zip_of
from tests.ingestion.test_nested_values import as_arrow, as_parquet
from tests.ingestion.test_tables import as_excel

CSV = HEADER + ROW


def zstandard(content):
    return pa.compress(content, codec="zstd", asbytes=True)


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstandard": zstandard}
OBJECTS = [{"text": "Profit rose", "label": "positive"}]
FILES = {
    "csv": CSV,
    "json": json.dumps(OBJECTS).encode(),
    "json lines": json.dumps(OBJECTS[0]).encode(),
    "parquet": as_parquet(OBJECTS),
    "arrow": as_arrow(OBJECTS),
    "excel": as_excel([("Profit rose", "positive")], names=("text", "label")),
    "financial-phrasebank text": b"Profit rose@positive\n",
}


def stream(content):
    return open_stream(io.BytesIO(content), UnlabelledSettings(source="-"))


every_packer = pytest.mark.parametrize("packer", PACKERS)


@every_packer
@pytest.mark.parametrize("kind", FILES)
def test_a_packed_file_of_any_kind_is_read(read, kind, packer):
    ingestion = read(PACKERS[packer](FILES[kind]))
    assert list(ingestion.accepted["text"]) == ["Profit rose"]
    assert ingestion.kind == f"{kind} in {packer}"


@every_packer
def test_several_parts_one_after_the_other_are_one_file(read, packer):
    pack = PACKERS[packer]
    assert list(read(pack(HEADER) + pack(ROW)).accepted["text"]) == ["Profit rose"]


@every_packer
def test_packed_headlines_are_scored_from_a_file_and_from_a_stream(packer):
    content, settings = PACKERS[packer](b"Profit rose\nSales fell\n"), UnlabelledSettings(source="news")
    for found in (read_content(content, "news", settings), open_stream(io.BytesIO(content), settings)):
        assert (found.kind, [row.text for row in found.rows]) == (f"lines in {packer}", ["Profit rose", "Sales fell"])


@every_packer
def test_a_packed_file_is_unpacked_only_up_to_the_bound(read, packer, monkeypatch):
    bomb = PACKERS[packer](b"Profit rose,positive\n" * 200_000)
    largest = []
    monkeypatch.setattr(bounds, "most_unpacked", lambda size: largest.append(size) or 1_000_000)
    with pytest.raises(InputError, match=r"would unpack from .* bytes to more than 1,000,000, over .*if you trust it"):
        read(bomb)
    assert largest == [len(bomb)]


def test_the_bound_follows_the_size():
    assert bounds.most_unpacked(10) == 1024**2
    assert bounds.most_unpacked(10 * 1024**2) == 1000 * 1024**2
    assert bounds.most_unpacked(10**9) == 2 * 1024**3


@every_packer
def test_a_broken_packed_file_is_refused_with_the_remedy(read, packer):
    packed, header = PACKERS[packer](CSV), 4 if packer == "zstandard" else 14
    for content in (packed[:-9], packed[:header] + b"\xff" * 9 + packed[header + 9 :]):
        with pytest.raises(InputError, match=rf"is packed by {packer} and cannot be unpacked .*: get it again"):
            read(content)


@every_packer
def test_a_file_that_is_packed_twice_is_refused(read, packer):
    pack = PACKERS[packer]
    for content in (pack(pack(CSV)), pack(zip_of({"a.csv": CSV}))):
        with pytest.raises(InputError, match=f"is packed twice by {packer}: unpack it and give what it holds"):
            read(content)
    with pytest.raises(InputError, match="is a packed file within a zip: unpack it"):
        read(zip_of({"a.csv": pack(CSV)}))


@every_packer
@pytest.mark.parametrize("kind", FILES)
def test_a_packed_stream_of_any_kind_is_read(packer, kind):
    found = stream(PACKERS[packer](FILES[kind]))
    assert (found.kind, [row.text for row in found.rows]) == (f"{kind} in {packer}", ["Profit rose"])


@every_packer
def test_a_packed_stream_in_parts_is_one_stream(packer):
    pack = PACKERS[packer]
    found = stream(pack(b"Profit rose\n") + pack(b"Sales fell\n"))
    assert [row.text for row in found.rows] == ["Profit rose", "Sales fell"]


@pytest.mark.slow
@every_packer
def test_a_packed_stream_is_unpacked_while_its_rows_are_used(packer):
    lines = Random(1).randbytes(1_000_000).hex("\n", 20)
    source = io.BytesIO(PACKERS[packer](lines.encode()))
    rows = open_stream(source, UnlabelledSettings(source="-")).rows
    assert next(rows).text == lines[:40]
    assert source.tell() < 800_000 < len(source.getvalue())
    assert sum(1 for _ in rows) == 50_000 - 1


def test_the_rows_that_a_packed_stream_has_sent_are_returned_while_it_waits():
    inlet, outlet = os.pipe()
    with os.fdopen(inlet, "rb") as source, os.fdopen(outlet, "wb", buffering=0) as sink:
        packer = zlib.compressobj(wbits=31)
        sink.write(packer.compress(b"Profit rose today\nSales fell today\n") + packer.flush(zlib.Z_SYNC_FLUSH))
        batches = batch_rows(open_stream(source, UnlabelledSettings(source="-")).rows, 10, 0.1)
        assert [row.text for row in next(batches)] == ["Profit rose today", "Sales fell today"]
        sink.write(packer.compress(b"Orders grew today\n") + packer.flush())
        sink.close()
        assert [row.text for batch in batches for row in batch] == ["Orders grew today"]


@every_packer
def test_a_broken_stream_gives_its_sound_rows_before_the_error(packer):
    texts = Random(1).randbytes(400_000).hex("\n", 20).split()
    packed = PACKERS[packer]("\n".join(texts).encode())
    rows = stream(packed[:-9]).rows
    assert [next(rows).text for _ in range(1_000)] == texts[:1_000]
    with pytest.raises(InputError, match=rf"'-' is packed by {packer} and cannot be unpacked .*: get it again"):
        list(rows)


@every_packer
def test_a_stream_that_is_packed_twice_or_holds_nothing_is_refused(packer):
    pack = PACKERS[packer]
    for content in (pack(pack(CSV)), pack(zip_of({"a.csv": CSV}))):
        with pytest.raises(InputError, match=f"is packed twice by {packer}: unpack it and give what it holds"):
            stream(content)
    with pytest.raises(InputError, match="source '-' is empty"):
        stream(pack(b""))
