"""Accepted rows: the rows of a source that each headline was read from, and the values that it has from them."""

from dataclasses import replace

import pandas as pd
import pytest

from schemas.columns import ReadColumns
from storage.headlines import load_columns, save_ingestion
from storage.source_records import SourceRecord
from storage.warehouse import prepare_warehouse, reading

COLUMNS = ReadColumns("headline", "label", kept=("url",), published_at="date", instrument="ticker")
SOURCE = SourceRecord("one", "a.csv", "/a.csv", "csv", "0", "utf-8", synthetic=False, rows_read=3, rows_merged=1,
                      snapshot_id="snapshot", columns=COLUMNS)  # fmt: skip
IDS = ["a" * 16, "b" * 16]
NONE = pd.DataFrame(columns=["source", "row_number", "reason", "raw"])


def accept(**columns):
    rows = {"headline_id": [IDS[0], IDS[1], IDS[0]], "source": "a.csv", "row_number": [1, 2, 3], "publisher": None}
    rows |= {"published_at": pd.to_datetime(["2025-01-02", None, "2025-01-03"]), "instrument": ["NWD", None, "NWD"]}
    return pd.DataFrame({**rows, "extra": ['{"url": "a"}', None, '{"url": "c"}'], **columns})


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    prepare_warehouse(path)
    return path


def save(warehouse, source, rows):
    headlines = {"headline_id": IDS, "text_id": IDS, "masked_id": IDS, "group_id": IDS, "text": ["Halted", "Rose"]}
    accepted = pd.DataFrame(
        {
            **headlines,
            "label": ["negative", "positive"],
            "copies": [2, 1],
            "agreement": None,
            "context": None,
            "instrument": None,
        }
    )
    quarantined = NONE.assign(text_id=None, text=None, label=None, resolution=None).drop(columns=["reason", "raw"])
    save_ingestion(warehouse, source, accepted, NONE, quarantined, rows=rows)


def ask(warehouse, sql):
    with reading(warehouse) as connection:
        return connection.execute(sql).fetchall()


def test_every_accepted_row_is_there_with_its_values(warehouse):
    save(warehouse, SOURCE, accept())
    found = "SELECT row_number, text, published_at::VARCHAR, instrument, extra->>'url' FROM accepted_rows"
    assert ask(warehouse, found) == [
        (1, "Halted", "2025-01-02 00:00:00", "NWD", "a"),
        (2, "Rose", None, None, None),
        (3, "Halted", "2025-01-03 00:00:00", "NWD", "c"),
    ]
    with reading(warehouse) as connection:
        assert load_columns(connection, "one") == COLUMNS


def test_a_headline_has_the_first_value_of_its_rows_and_a_later_source_fills_what_is_missing(warehouse):
    save(warehouse, SOURCE, accept())
    found = "SELECT published_at::VARCHAR, instrument, publisher FROM headlines ORDER BY headline_id"
    assert ask(warehouse, found) == [("2025-01-02 00:00:00", "NWD", None), (None, None, None)]
    later = replace(SOURCE, ingest_id="two")
    save(warehouse, later, accept(instrument="HBF", publisher=["Wire", "Desk", "Desk"]))
    assert ask(warehouse, found) == [("2025-01-02 00:00:00", "NWD", "Wire"), (None, "HBF", "Desk")]
