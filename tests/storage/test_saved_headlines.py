"""Headlines, rejected rows, snapshots and splits come back as they were saved."""

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from storage.headlines import (
    StoredIngestion,
    load_earlier_parts,
    load_ingestion,
    load_part,
    load_snapshot,
    load_split_counts,
    save_ingestion,
    save_split,
)
from storage.query import query


def test_a_snapshot_comes_back_in_the_order_of_its_source(data, accepted):
    snapshot = load_snapshot(data, "snapshot")
    assert list(snapshot.columns) == ["headline_id", "text", "label", "position", "copies"]
    assert snapshot["position"].tolist() == [0, 1, 2, 3, 4, 5]
    for column in ("headline_id", "text", "label", "copies"):
        assert snapshot[column].tolist() == accepted[column].tolist()


def test_every_row_of_the_source_is_accounted_for(data):
    counts = query(data, "SELECT rows_read, rows_accepted, rows_rejected, rows_merged FROM sources").rows
    assert counts == [(8, 6, 1, 1)]
    assert query(data, "FROM rejected_rows").rows == [("ingest", "news.csv", 7, "no label", "Sales fell;")]
    assert query(data, "SELECT headline_count, ingest_id FROM snapshots").rows == [(6, "ingest")]


def test_an_ingestion_tells_its_commonest_reasons(warehouse, source, accepted):
    reasons = ["no label", "empty text", "no label", "no text"]
    rejected = pd.DataFrame({"row_number": range(7, 11), "reason": reasons, "raw": "x"})
    save_ingestion(warehouse, replace(source, rows_read=11), accepted, rejected)
    expected = StoredIngestion("snapshot", 11, 6, 1, 4, (("no label", 2), ("empty text", 1)))
    assert load_ingestion(warehouse, "ingest", 2) == expected


def test_the_same_ingestion_again_changes_nothing(data, source, accepted, rejected):
    tables = ("sources", "headlines", "rejected_rows", "snapshots", "snapshot_headlines")
    before = [query(data, f"FROM {table} ORDER BY ALL") for table in tables]
    assert save_ingestion(data, source, accepted, rejected) == "ingest"
    assert [query(data, f"FROM {table} ORDER BY ALL") for table in tables] == before


def test_another_source_shares_headlines_and_snapshot(data, source, accepted, rejected):
    save_ingestion(data, replace(source, ingest_id="second"), accepted, rejected.iloc[:0])
    assert query(data, "SELECT first_ingest_id, count(*) FROM headlines GROUP BY ALL").rows == [("ingest", 6)]
    assert query(data, "SELECT count(*) FROM snapshot_headlines").rows == [(6,)]
    assert query(data, "SELECT ingest_id, rows_rejected FROM sources ORDER BY 1").rows == [("ingest", 1), ("second", 0)]


def test_a_part_comes_back_in_the_order_of_the_snapshot(data, accepted):
    in_snapshot = [
        headline_id for headline_id in accepted["headline_id"] if headline_id in accepted["headline_id"][3:].tolist()
    ]
    part = load_part(data, "split", "test")
    assert list(part.columns) == ["headline_id", "text", "label"]
    assert part["headline_id"].tolist() == in_snapshot


def test_a_split_stays_as_it_is(data):
    before = query(data, "FROM splits ORDER BY ALL")
    save_split(data, "split", "snapshot", {"train": ["0000000000000000"]}, {})
    assert query(data, "FROM splits ORDER BY ALL") == before


def test_a_headline_is_in_one_part_only(data):
    with pytest.raises(duckdb.ConstraintException):
        save_split(data, "leaky", "snapshot", {"train": ["0000000000000000"], "test": ["0000000000000000"]}, {})
    assert load_split_counts(data, "leaky") == []


def test_counts_go_from_train_to_test(data):
    assert load_split_counts(data, "split") == [
        ("train", "negative", 1),
        ("train", "neutral", 1),
        ("validation", "positive", 1),
        ("test", "negative", 1),
        ("test", "neutral", 1),
        ("test", "positive", 1),
    ]


def test_earlier_parts_are_those_of_splits_with_the_same_settings(data):
    first, second, last = "0000000000000000", "0000000000000001", "0000000000000005"
    save_split(data, "later", "snapshot", {"validation": [first], "test": [last]}, {"seed": 42})
    save_split(data, "other", "snapshot", {"train": [second]}, {"seed": 7})
    earlier = load_earlier_parts(data, {"seed": 42})
    assert len(earlier) == 6
    in_test = {headline for headline, part in earlier.items() if part == "test"}
    assert in_test == {first, second, "0000000000000002", last}
    assert load_earlier_parts(data, {"seed": 7}) == {second: "train"}
    assert load_earlier_parts(data, {"seed": 1}) == {}
