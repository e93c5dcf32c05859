"""Headlines, rejected rows, snapshots and splits come back as they were saved."""

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from schemas.columns import ReadColumns
from storage.data_report import load_data_report
from storage.headlines import load_given, load_ingestion, load_rejected, save_ingestion
from storage.query import query
from storage.snapshots import load_snapshot
from storage.source_records import StoredIngestion
from storage.splits import load_part, load_split_counts, save_split
from storage.warehouse import writing
from tests.asking import ask


def test_a_snapshot_comes_back_in_the_order_of_its_source(data, accepted):
    snapshot = load_snapshot(data, "snapshot")
    columns = ["headline_id", "text_id", "masked_id", "group_id", "text", "label", "copies", "context", "instrument"]
    assert list(snapshot.columns) == columns
    for column in columns:
        assert snapshot[column].tolist() == accepted[column].tolist()
    rows = ask(data, "SELECT position, agreement FROM snapshot_headlines ORDER BY position")
    assert rows == [(0, 50), (1, 100), (2, None), (3, None), (4, None), (5, None)]


def test_every_row_of_the_source_is_accounted_for(data):
    counts = "SELECT rows_read, rows_accepted, rows_rejected, rows_merged, rows_quarantined FROM sources"
    assert ask(data, counts) == [(8, 6, 1, 1, 2)]
    assert ask(data, "SELECT row_number, label, resolution FROM quarantine ORDER BY ALL") == [
        (1, "positive", "kept"),
        (2, "neutral", "kept"),
    ]
    assert ask(data, "FROM rejected_rows") == [("ingest", "news.csv", 7, "no label", "Sales fell;")]
    assert ask(data, "SELECT headline_count, ingest_id FROM snapshots") == [(6, "ingest")]


def test_an_ingestion_comes_back_with_its_counts_its_labels_and_its_rejected_rows(
    warehouse, source, accepted, quarantined
):
    rejected = pd.DataFrame({"source": "news.csv", "row_number": [7, 9], "reason": "no label", "raw": "x"})
    left_out = rejected.assign(row_number=[10, 11], reason="label 'mixed'")
    read = replace(source, rows_read=9, rows_added=2)
    save_ingestion(warehouse, read, accepted, rejected, quarantined, left_out=left_out)
    labels = ("negative", "neutral", "positive")
    expected = StoredIngestion("snapshot", "news.csv", False, 9, 2, 6, 2, 2, labels)
    assert load_ingestion(warehouse, "ingest") == expected
    assert load_ingestion(warehouse, "another") is None
    assert load_rejected(warehouse, "ingest").equals(rejected)
    report = load_data_report(warehouse, "ingest")
    assert (report.rows_left_out, report.left_out) == (2, (("label 'mixed'", 2),))


def test_the_columns_that_were_read_are_kept_and_those_of_an_older_version_are_not_known(
    data, source, accepted, rejected, quarantined
):
    columns = ReadColumns("title", "mood", ("text", "body"), (), "scores")
    read = replace(source, ingest_id="second", columns=columns)
    save_ingestion(data, read, accepted, rejected, quarantined)
    assert load_ingestion(data, "second").columns == columns
    assert load_data_report(data, "second").columns == columns
    with writing(data) as connection:
        connection.execute(
            "UPDATE sources SET text_column = NULL, label_column = NULL, other_text_columns = NULL,"
            " other_label_columns = NULL, label_shape = NULL WHERE ingest_id = 'ingest'"
        )
    assert load_ingestion(data, "ingest").columns == ReadColumns()
    assert load_data_report(data, "ingest").columns == ReadColumns()


def test_the_same_ingestion_again_changes_nothing(data, source, accepted, rejected, quarantined):
    tables = ("sources", "headlines", "rejected_rows", "quarantine", "snapshots", "snapshot_headlines")
    before = [query(data, f"FROM {table} ORDER BY ALL") for table in tables]
    assert save_ingestion(data, source, accepted, rejected, quarantined) == "ingest"
    assert [query(data, f"FROM {table} ORDER BY ALL") for table in tables] == before


def test_parts_of_an_official_split_are_saved_anew_when_a_source_is_read_again(
    data, source, accepted, rejected, quarantined
):
    frames = (accepted, rejected, quarantined)
    for part, again, expected in (("train", True, "train"), ("test", False, "train"), ("test", True, "test")):
        given = pd.DataFrame({"headline_id": accepted["headline_id"][:1], "part": part})
        save_ingestion(data, source, *frames, given=given, again=again)
        assert list(load_given(data, "ingest")["part"]) == [expected]


def test_another_source_shares_headlines_and_snapshot(data, source, accepted, rejected, quarantined):
    save_ingestion(data, replace(source, ingest_id="second"), accepted, rejected.iloc[:0], quarantined.iloc[:0])
    assert ask(data, "SELECT first_ingest_id, count(*) FROM headlines GROUP BY ALL") == [("ingest", 6)]
    assert ask(data, "SELECT count(*) FROM snapshot_headlines") == [(6,)]
    assert ask(data, "SELECT ingest_id, rows_rejected FROM sources ORDER BY 1") == [("ingest", 1), ("second", 0)]


def test_a_part_comes_back_in_the_order_of_the_snapshot(data, accepted):
    in_snapshot = [
        headline_id for headline_id in accepted["headline_id"] if headline_id in accepted["headline_id"][3:].tolist()
    ]
    part = load_part(data, "split", "test")
    assert list(part.columns) == ["headline_id", "text", "label", "group_id", "context", "instrument"]
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


@pytest.mark.parametrize(
    ("location", "rows", "previous"),
    [
        ("/data/news.csv", slice(6, 7), "snapshot"),
        ("/data/other.csv", slice(3, 7), "snapshot"),
        ("/data/other.csv", slice(4, 7), None),
        ("/data/other.csv", slice(6, 7), None),
    ],
)
def test_the_previous_snapshot_is_of_the_same_place_or_has_most_headlines_in_common(
    data, source, accepted, rejected, quarantined, location, rows, previous
):
    new = dict.fromkeys(("headline_id", "text_id", "masked_id", "group_id"), "a" * 16)
    extended = pd.concat([accepted, accepted.iloc[:1].assign(**new, text="Costs fell.")])
    later = replace(source, ingest_id="later", snapshot_id="later", location=location)
    save_ingestion(data, later, extended.iloc[rows], rejected.iloc[:0], quarantined.iloc[:0])
    snapshots = ask(data, "SELECT snapshot_id, previous_snapshot_id FROM snapshots ORDER BY created_at")
    assert snapshots == [("snapshot", None), ("later", previous)]
