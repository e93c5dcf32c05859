"""Headlines without labels: any source, a plain text of lines, and a stream whose format its first line shows."""

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion import streams
from ingestion.columns import MissingColumnError
from ingestion.formats import EmptyFileError, read_content
from ingestion.rows import RawRow
from ingestion.streams import batch_rows, open_stream
from ingestion.unlabelled import read_batches
from schemas.source import DataSettings, UnlabelledSettings

LINES = "Profit rose , sales fell .\nOrders | up ; again .\n"


def read(content: bytes, **settings: object) -> tuple[str, list[str | None]]:
    found = read_content(content, "news", UnlabelledSettings(source="news", **settings))
    return found.kind, [row.text for row in found.rows]


def stream(content: bytes, **settings: object) -> tuple[str, list[str | None]]:
    found = open_stream(io.BytesIO(content), UnlabelledSettings(source="-", **settings))
    return found.kind, [row.text for row in found.rows]


SOURCES = {
    "csv": (b'id,headline,date\n1,"Profit rose, too",x\n2,Sales fell,y\n', ["Profit rose, too", "Sales fell"]),
    "tsv": (b"title\tid\nProfit rose\t1\n", ["Profit rose"]),
    "json lines": (b'{"id": 1, "text": "Profit rose"}\n{"text": "Sales fell"}\n', ["Profit rose", "Sales fell"]),
    "json": (b'[{"title": "Profit rose"}, {"title": "Sales fell"}]', ["Profit rose", "Sales fell"]),
    "lines": (LINES.encode(), ["Profit rose , sales fell .", "Orders | up ; again ."]),
    "financial-phrasebank text": (b"Profit rose@positive\nSales fell@negative\n", ["Profit rose", "Sales fell"]),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("how", [read, stream], ids=["file", "stream"])
def test_no_label_is_needed(kind: str, how: object) -> None:
    content, texts = SOURCES[kind]
    assert how(content) == (kind, texts)


@pytest.mark.parametrize("how", [read, stream], ids=["file", "stream"])
def test_a_header_of_unknown_names_is_not_taken_for_a_headline(how: object) -> None:
    with pytest.raises(
        MissingColumnError, match=r"no text column, its columns are .*name it with --text-column, or use"
    ):
        how(b"nr,kop,datum\n1,Winst steeg,x\n")
    assert how(b"nr,kop,datum\n1,Winst steeg,x\n", text_column="kop") == ("csv", ["Winst steeg"])
    assert how(b"nr,kop,datum\n", format="lines") == ("lines", ["nr,kop,datum"])
    assert how(b"1,Winst steeg\n", text_column="2") == ("csv", ["Winst steeg"])


def test_a_labelled_source_still_needs_its_labels() -> None:
    with pytest.raises(MissingColumnError, match="has no label column"):
        read_content(b"id,headline\n1,Profit rose\n", "news", DataSettings(source="news"))
    with pytest.raises(MissingColumnError, match="has no text column and no label column"):
        read_content(LINES.encode(), "news", DataSettings(source="news"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"])
def test_a_stream_in_another_encoding_is_read(encoding: str) -> None:
    given = None if encoding.startswith("utf") else encoding
    assert stream("Gewinn für Müller\n".encode(encoding), encoding=given) == ("lines", ["Gewinn für Müller"])


def test_a_byte_that_does_not_fit_the_encoding_rejects_its_row() -> None:
    found = open_stream(io.BytesIO(b"Profit rose\nM\xfcller\n"), UnlabelledSettings(source="-"))
    [batch] = read_batches([list(found.rows)])
    assert batch.headlines["text"].tolist() == ["Profit rose"]
    assert batch.rejected[["row_number", "reason", "raw"]].to_numpy().tolist() == [
        [2, "bytes that are not utf-8", "M\\xfcller"]
    ]


def test_an_empty_stream_is_refused() -> None:
    with pytest.raises(EmptyFileError, match="source '-' is empty"):
        stream(b"\n \n")


def test_a_parquet_stream_is_read(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"headline": ["Profit rose"]}).to_parquet(tmp_path / "news.parquet")
    assert stream((tmp_path / "news.parquet").read_bytes()) == ("parquet", ["Profit rose"])


def test_rows_are_numbered_through_all_batches_and_labels_are_dropped() -> None:
    rows = [RawRow("One", "positive", "r1"), RawRow(" ", "x", "r2"), RawRow("Three ", None, "r3")]
    first, second = read_batches([rows[:1], rows[1:]])
    assert first.headlines["row_number"].tolist() == [1]
    assert second.headlines[["row_number", "text"]].to_numpy().tolist() == [[3, "Three"]]
    assert second.rejected[["row_number", "reason"]].to_numpy().tolist() == [[2, "empty text"]]
    assert second.rows == 2


def test_the_rows_that_a_slow_stream_has_sent_are_returned_while_it_waits() -> None:
    inlet, outlet = os.pipe()
    with os.fdopen(inlet, "rb") as source, os.fdopen(outlet, "wb", buffering=0) as sink:
        sink.write(b"Profit rose today\nSales fell today\n")
        content = open_stream(source, UnlabelledSettings(source="-"))
        batches = batch_rows(content.rows, 10, 0.1)
        assert [row.text for row in next(batches)] == ["Profit rose today", "Sales fell today"]
        sink.write(b"Orders grew today\n")
        sink.close()
        assert [row.text for batch in batches for row in batch] == ["Orders grew today"]


class Dripping(io.BytesIO):
    """Gives a byte at a time."""

    def read1(self, _size: int | None = -1) -> bytes:
        return self.read(1)


def test_a_stream_is_opened_once_a_whole_line_that_is_not_blank_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_is_ready", lambda *_: False)
    source = Dripping(b"\n \nProfit rose\nSales fell\n")
    content = open_stream(source, UnlabelledSettings(source="-"))
    assert source.tell() == len(b"\n \nProfit rose\n")
    assert [row.text for row in content.rows] == ["Profit rose", "Sales fell"]


def test_an_error_of_a_reader_is_raised_where_its_rows_are_used_after_those_before_it() -> None:
    def rows() -> Iterator[RawRow]:
        yield RawRow("One", None, "One")
        raise ValueError("broken off")

    batches = batch_rows(rows(), 10, 5)
    assert [row.text for row in next(batches)] == ["One"]
    with pytest.raises(ValueError, match="broken off"):
        next(batches)


@pytest.mark.slow
def test_a_batch_of_a_stream_that_keeps_flowing_does_not_wait_for_silence() -> None:
    def flow() -> Iterator[RawRow]:
        for number in range(40):
            yield RawRow(str(number), None, "")
            time.sleep(0.05)

    batches = list(batch_rows(flow(), 1_000, 0.2))
    assert len(batches[0]) < 40
    assert [row.text for batch in batches for row in batch] == [str(number) for number in range(40)]


def test_full_batches_do_not_wait() -> None:
    rows = [RawRow(str(number), None, "") for number in range(7)]
    start = time.monotonic()
    assert [len(batch) for batch in batch_rows(iter(rows), 3, 60)] == [3, 3, 1]
    assert time.monotonic() - start < 30
