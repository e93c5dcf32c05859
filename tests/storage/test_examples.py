"""The queries that people are shown run, and on a finished study they find something."""

from dataclasses import replace

import pytest

from storage.cells import add_cells
from storage.comparisons import load_pairings
from storage.data_report import load_data_report
from storage.examples import data_queries, example_queries, flips_query
from storage.query import query
from storage.studies import save_study
from tests.asking import ask
from tests.storage.replacing import replace_evaluations


@pytest.mark.parametrize("number", range(len(example_queries("study", "tuned", 0.1))))
def test_every_example_runs_on_an_empty_warehouse(warehouse, number):
    assert query(warehouse, example_queries("study", "tuned", 0.1)[number]).columns


def test_the_examples_select_the_cell_and_the_study(finished):
    answers = [ask(finished, sql) for sql in example_queries("study", "tuned", 0.1)]
    assert len(answers[0]) == 7
    assert sum(row[2] for row in answers[1]) == 3
    assert len(answers) == 3


def test_the_flips_of_two_cells_are_those_of_one_study_or_of_two(finished, study, cell, evaluation, predict):
    replace_evaluations(finished, [evaluation("tuned", 1)], predict("tuned at 1", "neutral"))
    save_study(finished, study(study_id="another"))
    add_cells(finished, "another", [cell(cell_id="renewed")])
    replace_evaluations(finished, [evaluation("renewed", 1)], predict("renewed at 1", "neutral"))
    for cell_id, other_id in (("tuned", "base"), ("renewed", "base"), ("renewed", "svm"), ("base", "renewed")):
        sql = flips_query(load_pairings(finished, cell_id, other_id, "test")[0], cell_id, other_id, "test")
        result = query(finished, sql)
        assert result.columns == ("temperature", "label", "predicted", "other_predicted", "text")
        assert [row[0] for row in result.rows] == [1, 1, 1]
        assert {row[2] for row in result.rows} == {"positive" if cell_id == "base" else "neutral"}


def test_the_queries_after_an_ingestion_find_its_rows(data):
    report = load_data_report(data, "ingest")
    queries = dict(data_queries(report))
    assert ask(data, queries["the rejected rows"]) == [("news.csv", 7, "no label", "Sales fell;")]
    assert len(ask(data, queries["the rows that contradict each other"])) == 2
    assert [row[0] for row in ask(data, queries["the near copies"])] == [2]
    nothing = {"rows_rejected": 0, "rows_left_out": 0, "rows_quarantined": 0, "copies": ()}
    assert data_queries(report.model_copy(update=nothing)) == []
    dated = {**nothing, "columns": replace(report.columns, published_at="date")}
    assert [name for name, _ in data_queries(report.model_copy(update=dated))] == [
        "dates, instruments and other columns"
    ]
