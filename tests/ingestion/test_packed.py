"""What gzip, bzip2, xz and zstandard packed is read as what it is, within bounds; it is never read as text."""

import bz2
import gzip
import io
import json
import lzma

import pyarrow as pa
import pytest

from ingestion import bounds
from ingestion.formats import read_content
from ingestion.streams import open_stream
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
def test_it_is_unpacked_only_up_to_the_bound(read, packer, monkeypatch):
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
def test_a_broken_one_ends_in_one_line(read, packer):
    packed, header = PACKERS[packer](CSV), 4 if packer == "zstandard" else 14
    for content in (packed[:-9], packed[:header] + b"\xff" * 9 + packed[header + 9 :]):
        with pytest.raises(InputError, match=rf"is packed by {packer} and cannot be unpacked .*: get it again"):
            read(content)


@every_packer
def test_what_is_packed_twice_is_refused(read, packer):
    pack = PACKERS[packer]
    for content in (pack(pack(CSV)), pack(zip_of({"a.csv": CSV}))):
        with pytest.raises(InputError, match=f"is packed twice by {packer}: unpack it and give what it holds"):
            read(content)
    with pytest.raises(InputError, match="is a packed file within a zip: unpack it"):
        read(zip_of({"a.csv": pack(CSV)}))
