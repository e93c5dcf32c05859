"""Arrow's own format, as Feather files and as the streams that `datasets` saves, within bounds."""

import io
import json
from contextlib import suppress
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from ingestion.formats import read_content
from ingestion.ingest import read_source
from ingestion.streams import open_stream
from schemas.errors import InputError
from schemas.source import DataSettings, UnlabelledSettings

ROWS = [("Profit rose", "positive"), ('Costs, "as ever", rose', "negative"), ("AGM on 5 May", "neutral")]
TEXTS, LABELS = [text for text, _ in ROWS], [label for _, label in ROWS]
SNAPSHOT = "cc1be82df9713dc5"
PLAIN = {"text": TEXTS, "label": LABELS}


def write(columns, compression=None, new=pa.ipc.new_file, rows=2):
    file, table = io.BytesIO(), columns if isinstance(columns, pa.Table) else pa.table(columns)
    with new(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return file.getvalue()


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_a_file_and_a_stream_give_the_same_headlines(read, new, compression):
    ingestion = read(write(PLAIN, compression, new))
    assert (ingestion.kind, ingestion.snapshot_id) == ("arrow", SNAPSHOT)


@pytest.mark.parametrize(
    "columns",
    [
        {"text": pa.array(TEXTS, pa.string_view()), "label": pa.array(LABELS, pa.string_view())},
        {"text": pa.array(TEXTS, pa.large_string()), "label": pa.array(LABELS).dictionary_encode()},
        {"text": pa.array(TEXTS).dictionary_encode(), "label": pa.array(LABELS, pa.binary())},
    ],
)
def test_texts_of_every_type_are_read(read, columns):
    assert read(write(columns)).snapshot_id == SNAPSHOT


def test_class_labels_have_their_names(read):
    features = {"label": {"_type": "ClassLabel", "names": ["neutral", "positive", "negative"]}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"text": TEXTS, "label": [1, 2, 0]}).replace_schema_metadata(metadata)
    assert read(write(table, new=pa.ipc.new_stream)).snapshot_id == SNAPSHOT


def test_a_folder_that_datasets_saved_is_read(tmp_path):
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / name).write_text('{"_fingerprint": "0123"}')
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(write(PLAIN, new=pa.ipc.new_stream))
    ingestion = read_source(DataSettings(source=str(tmp_path)))
    assert (ingestion.snapshot_id, len(ingestion.not_read)) == (SNAPSHOT, 2)


def test_arrow_is_scored_from_a_file_and_from_standard_input():
    content, settings = write({"title": TEXTS}, "lz4"), UnlabelledSettings(source="news")
    for found in (read_content(content, "news", settings), open_stream(io.BytesIO(content), settings)):
        assert [row.text for row in found.rows] == TEXTS


def test_a_run_end_encoded_column_is_reported_and_not_read(read):
    repeated = pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["x"]))
    ingestion = read(write({**PLAIN, "source": repeated}))
    assert ingestion.snapshot_id == SNAPSHOT
    assert ingestion.not_read == ("column 'source' (of type run_end_encoded<run_ends: int32, values: string>)",)


BOMBS = {
    "characters packed": lambda: write({"text": ["a" * 70_000_000], "label": ["neutral"]}, "zstd"),
    "rows": lambda: write({"text": pa.nulls(200_000), "label": pa.nulls(200_000)}, rows=200_000),
    "values": lambda: write({**PLAIN, "n": pa.array([[None] * 3_000_000, None, None], pa.list_(pa.null()))}),
    "characters of a dictionary": lambda: write(repeated(), rows=900),
}


def repeated():
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(900, np.int8)), pa.array(["a " * 50_000]))
    return {"text": texts, "label": ["neutral"] * 900}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_expands_to_a_huge_one_is_refused(read, name, monkeypatch):
    monkeypatch.setattr("ingestion.bounds._HARMLESS_CHARACTERS", 10_000_000)
    with pytest.raises(InputError, match=rf"bytes and holds over [\d,]+ {name.split()[0]}: if you trust it, save"):
        read(BOMBS[name]())


def test_a_damaged_file_gives_rows_or_an_input_error():
    random, settings = Random(7), DataSettings(source="news")
    files = [write(PLAIN, compression) for compression in (None, "lz4", "zstd")]
    for _ in range(600):
        content = bytearray(random.choice(files))
        for _ in range(random.randint(1, 4)):
            content[random.randrange(8, len(content))] = random.randrange(256)
        with suppress(InputError):
            list(read_content(bytes(content), "news", settings).rows)


@pytest.mark.parametrize("size", [8, 60, 300, 700])
def test_a_truncated_file_is_refused(read, size):
    with pytest.raises(InputError, match=r"is an Arrow or Feather file that cannot be read|has no rows"):
        read(write(PLAIN)[:size])
