"""The views of the data against figures worked out by hand, on two snapshots of one source."""

from math import log

import pandas as pd
import pytest

from storage.data_report import load_data_report
from storage.headlines import save_ingestion
from storage.source_records import SourceRecord
from storage.splits import save_split
from tests.asking import ask

OTHER_WORDS = "Sales of the firm were up ."


def headlines(*rows):
    """Rows of (number of the text, label, copies, group, masked, text)."""
    columns = ["number", "label", "copies", "group", "masked", "text"]
    frame = pd.DataFrame(rows, columns=columns)
    ids = {name: frame[source].map("{:016d}".format) for name, source in
           (("text_id", "number"), ("masked_id", "masked"), ("group_id", "group"))}  # fmt: skip
    frame = frame.assign(**ids, headline_id=ids["text_id"].str[3:] + frame["label"].str[:3])
    return frame.assign(agreement=pd.array([None] * len(frame), dtype="Int64"), context=None, instrument=None)[
        [
            "headline_id",
            "text_id",
            "masked_id",
            "group_id",
            "text",
            "label",
            "copies",
            "agreement",
            "context",
            "instrument",
        ]
    ]


FIRST = headlines(
    (1, "positive", 2, 1, 1, "Sales rose 1 ."),
    (2, "positive", 1, 1, 1, "Sales rose 2 ."),
    (3, "neutral", 1, 1, 3, "2 rose Sales , ."),
    (4, "neutral", 1, 4, 4, "AGM"),
    (5, "negative", 1, 5, 5, "Costs rose"),
    (5, "neutral", 1, 5, 5, "Costs rose"),
)
SECOND = headlines(
    (1, "positive", 1, 1, 1, "Sales rose 1 ."),
    (4, "negative", 1, 4, 4, "AGM"),
    (6, "positive", 1, 6, 6, "a b c d e 1"),
    (7, "positive", 1, 6, 6, "a b c d e 2"),
)


@pytest.fixture
def two(warehouse):
    """Two snapshots of one place, the first with rejected and contradictory rows, and a split that leaks."""
    reasons = [
        "empty text; unknown label 'a'",
        "unknown label 'b; empty text'",
        "number of fields is 1, not 2",
        "empty text; no label, written as 'nan'",
    ]
    rejected = pd.DataFrame({"source": "news.csv", "row_number": [2, 3, 4, 5], "reason": reasons, "raw": list("wxyz")})
    quarantined = pd.DataFrame(
        {
            "source": "news.csv",
            "row_number": [8, 9],
            "text_id": "5".zfill(16),
            "text": "Costs rose",
            "label": ["negative", "neutral"],
            "resolution": "kept",
        }
    )
    source = SourceRecord("one", "news.csv", "/data/news.csv", "csv", "ab", "utf-8", False, 11, 1, "s1")
    save_ingestion(warehouse, source, FIRST, rejected, quarantined)
    later = SourceRecord("two", "news.csv", "/data/news.csv", "csv", "cd", "utf-8", False, 4, 0, "s2")
    save_ingestion(warehouse, later, SECOND, rejected.iloc[:0], quarantined.iloc[:0])
    ids = FIRST["headline_id"].tolist()
    parts = {"test": [ids[0], ids[3]], "train": [ids[1]], "validation": [ids[2], ids[4]]}
    save_split(warehouse, "split", "s1", parts, {"method": "study", "seed": 42})
    return warehouse


def test_the_labels_of_a_source_are_counted(two):
    rows = ask(two, "SELECT label, headlines, rows_accepted, share FROM source_labels WHERE ingest_id = 'one'")
    assert rows == [("negative", 1, 1, 1 / 6), ("neutral", 3, 3, 0.5), ("positive", 2, 3, 1 / 3)]


def test_sources_with_the_same_headlines_count_their_own_rows(two):
    for ingest_id, copies in {"three": [4, 1, 1, 1], "four": [1, 2, 1, 5]}.items():
        source = SourceRecord(ingest_id, "more.csv", "/data/more.csv", "csv", ingest_id, "utf-8", False, 9, 0, "s2")
        save_ingestion(two, source, SECOND.assign(copies=copies), *(pd.DataFrame({"row_number": []}),) * 2)
    rows = ask(two, "SELECT ingest_id, label, headlines, rows_accepted FROM source_labels WHERE ingest_id <> 'one'")
    assert rows == [
        ("four", "negative", 1, 2),
        ("four", "positive", 3, 7),
        ("three", "negative", 1, 1),
        ("three", "positive", 3, 6),
        ("two", "negative", 1, 1),
        ("two", "positive", 3, 3),
    ]


def test_a_row_counts_under_each_of_its_reasons_whatever_is_quoted_and_an_example_is_a_row(two):
    rows = ask(two, "SELECT * EXCLUDE (ingest_id, source) FROM rejected_reasons WHERE ingest_id = 'one'")
    assert rows == [
        ("empty text", 2, 1, "w", 2, "empty text"),
        ("unknown label", 2, 2, "w", 2, "unknown label 'a'"),
        ("no label", 1, 1, "z", 5, "no label, written as 'nan'"),
        ("number of fields is N, not N", 1, 1, "y", 4, "number of fields is 1, not 2"),
    ]


def test_groups_of_near_copies_have_a_kind_and_an_example(two):
    rows = ask(two, "SELECT * EXCLUDE (group_id) FROM near_copies ORDER BY snapshot_id, headlines DESC")
    assert rows == [
        ("s1", 3, 4, "reworded", ["neutral", "positive"], True, "2 rose Sales , ."),
        ("s1", 2, 2, "copies", ["negative", "neutral"], True, "Costs rose"),
        ("s2", 2, 2, "numbers", ["positive"], False, "a b c d e 1"),
    ]


def test_lengths_and_shares_of_a_snapshot_are_those_worked_out_by_hand(two):
    rows = ask(two, "FROM snapshot_statistics WHERE snapshot_id = 's2'")
    assert rows == [
        ("s2", "negative", 1, 0.25, 3, 3, 3, 3, 1),
        ("s2", "positive", 3, 0.75, 11, 11, pytest.approx(13.94), 14, 6),
        ("s2", None, 4, 1, 3, 11, pytest.approx(13.91), 14, 5),
    ]


def test_the_changes_of_a_snapshot_are_counted(two):
    assert ask(two, "FROM snapshot_changes") == [("s2", "s1", 2, 4, 1, 1)]


def test_a_correction_of_one_day_of_a_text_is_a_change_and_a_day_that_becomes_known_is_none(warehouse):
    halted, negative = (1, "neutral", 1, 1, 1, "Trading halted"), (1, "negative", 1, 1, 1, "Trading halted")
    rose, fell = (3, "positive", 1, 3, 3, "Sales rose"), (4, "negative", 1, 4, 4, "Sales fell")
    first = headlines(halted, halted, rose, fell).assign(headline_id=["1st", "2nd", "undated", "fell"])
    second = headlines(halted, negative, negative, rose, rose).assign(
        headline_id=["1st", "2nd, corrected", "9th", "3rd", "4th"]
    )
    rejected = pd.DataFrame(columns=["source", "row_number", "reason", "raw"])
    quarantined = pd.DataFrame(columns=["source", "row_number", "text_id", "text", "label", "resolution"])
    for name, frame in (("s1", first), ("s2", second)):
        source = SourceRecord(name, "news.csv", "/data/news.csv", "csv", name, "utf-8", False, len(frame), 0, name)
        save_ingestion(warehouse, source, frame, rejected, quarantined)
    [(_, _, added, removed, relabelled, unchanged)] = ask(warehouse, "FROM snapshot_changes")
    assert (added, removed, relabelled, unchanged) == (2, 1, 1, 2)
    assert len(second) - len(first) == added - removed


def test_drift_is_measured_against_the_snapshot_before(two):
    rows = ask(two, "SELECT measure, value, previous_value, drift, reason FROM snapshot_drift")
    drift = {measure: tuple(rest) for measure, *rest in rows}
    assert drift["share of neutral"] == (0, 0.5, None, None)
    assert drift["share of positive"] == (0.75, pytest.approx(1 / 3), None, None)
    assert drift["median characters"] == (11, 10, None, None)
    labels = [(0.25, 1 / 6), (1 / 8, 0.5), (0.75, 1 / 3)]
    lengths = [
        (0.25, 1 / 6),
        (1 / 8, 1 / 3),
        (0.75, 1 / 3),
        (1 / 8, 1 / 6),
    ]  # to 3, 10, 14 and 16, as the first has them
    psi, psi_of_lengths = (sum((p - q) * log(p / q) for p, q in shares) for shares in (labels, lengths))
    reason = "there are too few headlines, of which noise alone reaches a PSI of 2.47"
    assert drift["PSI of labels"] == (pytest.approx(psi), 0, None, reason)
    assert drift["PSI of lengths"][0] == pytest.approx(psi_of_lengths)


def test_equal_snapshots_have_no_drift(two, warehouse):
    source = SourceRecord("three", "news.csv", "/data/news.csv", "csv", "ef", "utf-8", False, 4, 0, "s3")
    empty = pd.DataFrame({"source": [], "row_number": [], "reason": [], "raw": []}, dtype="str")
    quarantined = pd.DataFrame(columns=["source", "row_number", "text_id", "text", "label", "resolution"], dtype="str")
    save_ingestion(warehouse, source, SECOND, empty, quarantined)
    rows = ask(two, "SELECT value, drift FROM snapshot_drift WHERE snapshot_id = 's3' AND measure LIKE 'PSI%'")
    assert rows == [(0, None), (0, None)]
    assert ask(two, "FROM snapshot_changes WHERE snapshot_id = 's3'") == [("s3", "s2", 0, 0, 0, 4)]


def test_a_group_in_test_and_elsewhere_is_a_leak(two):
    assert ask(two, "SELECT in_test, in_train, in_validation FROM split_leaks") == [(1, 1, 1)]


def test_the_report_reads_all_of_it(two):
    first, second = load_data_report(two, "one"), load_data_report(two, "two")
    assert (first.rows_read, first.rows_accepted, first.rows_merged, first.rows_rejected) == (11, 6, 1, 4)
    assert (first.previous_snapshot_id, first.changes, first.drift) == (None, None, ())
    assert [reason.rows for reason in first.reasons] == [2, 2, 1, 1]
    assert [(group.kind, group.headlines) for group in first.largest_groups] == [("reworded", 3), ("copies", 2)]
    assert first.copies == (("copies", 1, 2, 1), ("reworded", 1, 3, 1))
    assert first.resolutions == (("kept", 2),)
    assert [length.label for length in first.lengths] == ["negative", "neutral", "positive", None]
    assert second.previous_snapshot_id == "s1"
    assert second.changes == (2, 4, 1, 1)
    assert len(second.drift) == 6
    with pytest.raises(KeyError):
        load_data_report(two, "three")
