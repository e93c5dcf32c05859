"""Every query that fintone prints selects one study: rows of other studies do not change its result."""

import ast
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from schemas.report import Chosen, Contender
from storage.cell_progress import save_training_log
from storage.cells import add_cells
from storage.comparisons import load_pairings, save_comparisons
from storage.examples import example_queries, flips_query
from storage.query import query
from storage.report_queries import report_queries
from storage.splits import save_split
from storage.studies import save_study, start_study
from storage.warehouse import reading_together, writing
from tests.asking import ask
from tests.storage.replacing import replace_evaluations

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PACKAGES = ("cli", "flows", "tasks", "operations", "reporting", "schemas", "storage", "learning", "ingestion", "market",
            "embedded", "benchmarks")  # fmt: skip
PRINTED = re.compile(r'fintone sql "([^"]+)"')
CHOSEN = Chosen("tuned", "lr=2e-04 epochs=3", 0.1)
CONTENDERS = (
    Contender("chosen", "tuned", CHOSEN.name, 0.1, "tuned at 0.1", is_of_study=True),
    Contender("best baseline", "svm", "baseline: SVM", None, "svm at None", is_of_study=True),
)
LABELS = ("negative", "neutral", "positive")


def in_sources() -> list[str]:
    """Queries in the texts of the code: help, errors, lines of the terminal."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    sources = [source for path in paths if "fintone sql" in (source := path.read_text(encoding="utf-8"))]
    texts = [
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [found for text in texts for found in PRINTED.findall(text)]


WRITTEN = [found for page in PAGES for found in PRINTED.findall(page.read_text(encoding="utf-8"))] + in_sources()
BUILT = [*example_queries("study", "tuned", 0.1), *report_queries("study", CHOSEN, CONTENDERS, 0.9).values()]
QUERIES = [found.replace("CELL", "tuned", 1).replace("CELL", "svm") for found in dict.fromkeys([*WRITTEN, *BUILT])]


def per_study_views(warehouse: Path) -> set[str]:
    """Views that hold rows of several studies."""
    named = "SELECT table_name FROM duckdb_columns() JOIN duckdb_views() ON view_name = table_name"
    views = query(warehouse, f"{named} WHERE column_name = 'study_id' AND duckdb_columns.schema_name = 'main'").rows
    return {view for (view,) in views}


def names(sql: str, views: set[str]) -> set[str]:
    return {view for view in views if re.search(rf"(FROM|JOIN)\s+{view}\b", sql)}


def answer(make_predictions, warehouse, evaluations, study_id: str) -> None:
    """Evaluations with predictions that differ between cells, comparisons and a training log."""
    frames = [make_predictions(each.evaluation_id, LABELS[number % 3]) for number, each in enumerate(evaluations)]
    frames = [frame.assign(argmax="neutral", p_positive=0.4, p_neutral=0.1) for frame in frames]
    replace_evaluations(warehouse, evaluations, pd.concat(frames))
    pair = dict.fromkeys(("difference", "difference_low", "macro_f1_difference", "macro_f1_difference_low"), 0.1)
    pair |= dict.fromkeys(("difference_high", "macro_f1_difference_high", "accuracy", "other_accuracy"), 0.5)
    pair |= {"n": 3, "only_right": 2, "only_other_right": 1, "p_value": 0.01}
    rows = [
        {"temperature": each.temperature, "cell_id": each.cell_id, "other_cell_id": "svm", **pair}
        for each in evaluations
        if each.temperature is not None
    ]
    save_comparisons(warehouse, study_id, "test", pd.DataFrame(rows))


@pytest.fixture
def one_study(finished, cell, evaluation, predict):
    """A warehouse with one study, of which every view has rows."""
    points = [(cell_id, temperature) for temperature in (0.1, 1) for cell_id in ("tuned", "base")] + [("svm", None)]
    records = [evaluation(*point, accuracy=0.7 + number / 100) for number, point in enumerate(points)]
    answer(predict, finished, records, "study")
    add_cells(finished, "study", [cell(cell_id="late", seed=9)])
    log = {"cell_id": "tuned", "step": [1, 2], "epoch": 1, "loss": 1.0, "learning_rate": 1e-4, "grad_norm": 1.0}
    save_training_log(finished, pd.DataFrame({**log, "examples_per_second": 1, "logged_at": "2026-01-01"}), whole=True)
    with writing(finished) as connection:
        dated = "UPDATE headlines SET published_at = TIMESTAMP '2026-01-05' + INTERVAL (headline_id::INTEGER) WEEK"
        connection.execute(dated)
    return finished


@pytest.fixture
def among_others(one_study, tmp_path, study, cell, evaluation, predict):
    """The same with two earlier studies: one of the same cells, and one of a better cell on fewer headlines."""
    path = Path(shutil.copy(one_study, tmp_path / "among-others.duckdb"))
    save_study(path, study(study_id="twin", temperatures=(0.1, 1)))
    add_cells(path, "twin", [cell(), cell(cell_id="base"), cell(cell_id="svm"), cell(cell_id="never", seed=8)])
    save_split(path, "small", "snapshot", {"test": ["0000000000000000", "0000000000000001"]}, {})
    save_study(path, study(study_id="small", split_id="small"))
    add_cells(path, "small", [cell(cell_id="better", split_id="small", seed=3)])
    better = [evaluation("better", at, split_id="small", n=2, accuracy=0.99) for at in (0.1, 1)]
    answer(predict, path, better, "small")
    start_study(path, "study", {"name": "paper"})
    return path


def test_queries_are_found_wherever_they_are_printed(warehouse):
    views = per_study_views(warehouse)
    assert {"leaderboard", "predictions", "draws", "flips", "comparisons", "missing_cells", "coverage"} <= views
    assert len(QUERIES) > 30
    found = set().union(*(names(sql, views) for sql in QUERIES))
    assert {"leaderboard", "flips", "comparisons", "missing_cells", "predictions"} <= found


def test_every_printed_query_of_a_view_of_studies_names_a_study(warehouse):
    views = per_study_views(warehouse)
    queries = [sql for sql in QUERIES if names(sql, views)]
    of_one = r"study_id = ('study'|latest_study\(\))|origin = 'scored'"  # what is scored is of no study
    assert [sql for sql in queries if not re.search(of_one, sql)] == []


@pytest.mark.slow
def test_other_studies_do_not_change_the_answer_of_a_printed_query(one_study, among_others):
    views = per_study_views(one_study)
    queries = [sql for sql in QUERIES if names(sql, views)]
    with reading_together(one_study):
        expected = [sorted(ask(one_study, sql), key=str) for sql in queries]
    with reading_together(among_others):
        found = [sorted(ask(among_others, sql), key=str) for sql in queries]
    assert [sql for sql, one, other in zip(queries, expected, found, strict=True) if one != other] == []
    assert sum(map(bool, expected)) > len(queries) * 0.75


def test_the_flips_that_a_comparison_prints_are_of_its_study(one_study, among_others):
    expected = load_pairings(one_study, "tuned", "svm", "test")[0]
    found = load_pairings(among_others, "tuned", "svm", "test")[0]
    assert found.study_id == expected.study_id == "study"
    sql = flips_query(found, "tuned", "svm", "test")
    assert query(among_others, sql) == query(one_study, sql)
    assert query(one_study, sql).rows


def test_the_latest_study_is_the_one_that_was_started_last(among_others):
    assert query(among_others, "SELECT latest_study()").rows == [("study",)]
    start_study(among_others, "twin", {"name": "paper"})
    assert query(among_others, "SELECT DISTINCT study_id FROM leaderboard WHERE study_id = latest_study()").rows == [
        ("twin",)
    ]


def test_the_latest_study_of_an_empty_warehouse_is_none(warehouse):
    assert query(warehouse, "SELECT latest_study()").rows == [(None,)]
