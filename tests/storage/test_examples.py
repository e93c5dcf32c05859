"""The queries that people are shown run, and on a finished study they find something."""

import pytest

from storage.examples import data_queries, example_queries
from storage.query import query
from storage.warehouse import prepare_warehouse


@pytest.mark.parametrize("number", range(len(example_queries("study", "tuned", 0.1))))
def test_every_example_runs_on_an_empty_warehouse(tmp_path, number):
    prepare_warehouse(tmp_path / "warehouse.duckdb")
    assert query(tmp_path / "warehouse.duckdb", example_queries("study", "tuned", 0.1)[number]).columns


def test_the_examples_ask_for_the_cell_and_the_study(finished):
    answers = [query(finished, sql).rows for sql in example_queries("study", "tuned", 0.1)]
    assert len(answers[0]) == 7
    assert sum(row[-1] for row in answers[1]) == 3
    assert len(answers[3]) == 1


def test_the_queries_after_an_ingestion_find_its_rows(data):
    flags = dict.fromkeys(("rejected", "contradictory", "near_copies"), True)
    queries = dict(data_queries("ingest", "snapshot", **flags))
    assert query(data, queries["the rejected rows"]).rows == [("news.csv", 7, "no label", "Sales fell;")]
    assert len(query(data, queries["the rows that contradict each other"]).rows) == 2
    assert [row[0] for row in query(data, queries["the near copies"]).rows] == [2]
    assert data_queries("a", "b", **dict.fromkeys(flags, False)) == []
