"""Parquet files with more than plain texts: class labels, bytes that are text, and few bytes for many values."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError


def write(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def with_features(table, features):
    return table.replace_schema_metadata({"huggingface": features})


TABLE = pa.table({"text": ["Profit rose", "Costs rose", "AGM", "Who knows?"], "label": [2, 0, 1, -1]})
FEATURES = {"label": {"_type": "ClassLabel", "names": ["bearish", "neutral", "positive"]}, "text": {"_type": "Value"}}


def test_class_labels_become_the_names_of_their_classes(read):
    content = write(with_features(TABLE, json.dumps({"info": {"features": FEATURES}})))
    ingestion = read(content, label_map={"bearish": "negative"})
    assert list(ingestion.accepted["label"]) == ["positive", "negative", "neutral"]
    assert list(ingestion.rejected["reason"]) == ["no label"]


def test_a_label_map_may_name_the_numbers_of_classes(read):
    content = write(with_features(TABLE, json.dumps({"info": {"features": FEATURES}})))
    ingestion = read(content, label_map={"2": "negative", "0": "positive", "-1": "neutral"})
    assert list(ingestion.accepted["label"]) == ["negative", "positive", "neutral", "neutral"]


@pytest.mark.parametrize(
    "features",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        '{"info": null}',
        '{"info": {"features": {"label": []}}}',
        '{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}',
        '{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["bearish"]}}}}',
    ],
)
def test_features_that_name_no_such_class_leave_the_number(read, features):
    ingestion = read(
        write(with_features(TABLE, features)), label_map={"2": "positive", "0": "negative"}, max_rejected=1
    )
    assert list(ingestion.accepted["label"]) == ["positive", "negative"]
    assert ingestion.rejected["reason"].iloc[0] == "unknown label '1'"


def test_bytes_are_text_where_they_are_utf_8(read):
    texts = pa.array(["Nestlé rose".encode(), b"Costs rose"], pa.binary())
    table = pa.table({"text": texts, "label": pa.array([b"positive", b"negative"])})
    assert list(read(write(table)).accepted["text"]) == ["Nestlé rose", "Costs rose"]
    assert list(read(write(table, use_dictionary=False)).accepted["text"]) == ["Nestlé rose", "Costs rose"]


@pytest.mark.parametrize("kind", [pa.binary(), pa.string(), pa.large_string()])
def test_a_text_that_is_not_utf_8_costs_its_own_row(read, kind):
    texts = pa.array([b"Profit rose", b"Soci\xe9t\xe9 rose", None, b"Costs rose"], pa.binary()).cast(
        pa.large_binary() if kind == pa.large_string() else pa.binary()
    )
    texts = pa.Array.from_buffers(kind, len(texts), texts.buffers())
    ingestion = read(write(pa.table({"text": texts, "label": ["positive"] * 4})), max_rejected=1)
    assert list(ingestion.accepted["text"]) == ["Profit rose", "Costs rose"]
    assert list(ingestion.rejected["row_number"]) == [2, 3]


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date64(), pa.duration("s"), pa.struct([("at", pa.date64())])],
)
@pytest.mark.parametrize("name", ["published_at", "more"])
def test_a_time_that_python_lacks_costs_its_own_row_at_most(read, kind, name):
    last, epoch = ([{"at": 2**62}], [{"at": 0}]) if pa.types.is_struct(kind) else ([2**62], [0])
    table = pa.table(
        {"text": ["Profit rose", "Costs rose"], "label": ["positive"] * 2, name: pa.array(last + epoch, kind)}
    )
    ingestion = read(write(table), max_rejected=1, published_at_column=None)
    assert "Costs rose" in list(ingestion.accepted["text"])
    assert len(ingestion.accepted) + len(ingestion.rejected) == 2


@pytest.mark.parametrize("number", [pa.int8(), pa.float64(), pa.decimal128(30, 2)])
def test_a_whole_number_of_any_type_is_a_label_without_decimals(read, number):
    labels = pa.array([1, 0]).cast(number)
    content = write(pa.table({"text": ["Profit rose", "Costs rose"], "label": labels}))
    assert list(read(content, label_map={"1": "positive", "0": "negative"}).accepted["label"]) == [
        "positive",
        "negative",
    ]


def dictionary(text, times):
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int8()), pa.array([text]))


SWOLLEN = {
    "nulls": lambda: pa.table({name: pa.nulls(20_000_000, pa.string()) for name in ("text", "label")}),
    "equal rows": lambda: pa.table({"text": ["Profit rose"] * 100_001, "label": ["positive"] * 100_001}),
    "one long text": lambda: pa.table({"text": dictionary("x" * 2_000_000, 900), "label": ["positive"] * 900}),
    "one long list": lambda: pa.table({"text": ["x"], "label": ["positive"], "more": pa.array([[0] * 3_000_000])}),
}


@pytest.mark.parametrize("name", SWOLLEN)
def test_a_small_file_that_expands_to_a_huge_one_is_refused(read, name):
    content = write(SWOLLEN[name](), compression="zstd")
    assert len(content) < 100_000
    with pytest.raises(InputError, match=r"bytes and holds over [0-9,]+ (rows|characters|values): if you trust it"):
        read(content)
