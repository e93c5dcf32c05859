"""Warnings of a scoring: unparsed answers, a model that is no better than chance, rejected rows, and drift."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from operations.answer_warnings import _warn_of_dates, _warn_of_rejected, _warn_of_unparsed
from operations.answers import format_counts
from operations.drift import DriftWatch
from operations.judged import Judged
from operations.scoring_run import ScoredSource
from reporting.verdict import describe_drift
from schemas.scoring import ScoringCounts
from storage.scores import load_drift
from storage.warehouse import writing
from tests.asking import ask
from tests.operations.scored_news import run, write_news

pytestmark = pytest.mark.usefixtures("session_worker")


@pytest.mark.parametrize(("bound", "is_reported"), [(0.0, True), (1.0, False)])
def test_more_unparsed_answers_than_the_study_allows_are_reported(
    trained_home: Path, trained: Any, bound: float, is_reported: Any
) -> None:
    write_news(40)
    with writing(trained_home / "warehouse.duckdb") as connection:
        allow = f'{{"promotion": {{"max_unparsed_rate": {bound}}}}}'
        connection.execute("UPDATE studies SET config = json_merge_patch(config, ?)", [allow])
    scored = run(trained[1], temperature=1)
    assert re.search(rf"\b{scored.counts.rows_unparsed} answers? unparsed", format_counts(scored))
    warnings = [line for line in scored.warnings if "no label" in line]
    assert bool(warnings) == is_reported
    for warning in warnings:
        assert f"warning: {scored.counts.rows_unparsed} of 40 answers" in warning
        assert "promotion.max_unparsed_rate 0 allows" in warning


@pytest.mark.parametrize(("low", "is_reported"), [(0.3, True), (0.34, False)])
def test_a_model_that_is_no_better_than_chance_on_its_own_test_part_is_reported(
    trained_home: Path, trained: Any, low: float, is_reported: Any
) -> None:
    write_news(3)
    with writing(trained_home / "warehouse.duckdb") as connection:
        figures = "UPDATE evaluations SET accuracy = 0.4, accuracy_low = ?, accuracy_high = 0.5"
        connection.execute(f"{figures} WHERE temperature = 0.1 AND part = 'test'", [low])
    lines = [line for line in run(trained[1]).warnings if "chance" in line]
    assert bool(lines) == is_reported
    for line in lines:
        assert line.startswith(f"warning: cell {trained[1]} is no better than chance (accuracy .400 [.300, .500] on ")
        assert "always answering one label gives .333): do not rely on these answers; `fintone list cells`" in line


def test_more_rejected_rows_than_the_study_allows_are_reported(trained_home: Path, trained: Any) -> None:
    Path("news.csv").write_text("id,headline\n" + "1,Profit rose .\n" * 8 + "2,\n" * 2)
    scored = run(trained[1])
    [warning] = [line for line in scored.warnings if "rejected" in line]
    assert warning.startswith(
        "warning: 2 of 10 rows (20.0%) were rejected and have no answer, more than data.max_rejected"
    )
    [statement] = re.findall(r'fintone sql "(.+?)"', warning)
    assert [row[1] for row in ask(trained_home, statement)] == [9, 10]
    Path("news.csv").write_text("id,headline\n" + "1,Profit rose .\n" * 19 + "2,\n")
    assert not [line for line in run(trained[1]).warnings if "rejected" in line]
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute('UPDATE studies SET config = json_merge_patch(config, \'{"data": {"max_rejected": 0.01}}\')')
    assert "data.max_rejected 0.01 allows" in str(run(trained[1]).warnings)


@pytest.mark.parametrize("count", [1, 29, 30])
def test_the_drift_of_few_headlines_is_unknown(trained_home: Path, trained: Any, count: int) -> None:
    texts = [f"{text} {' x' * number}" for number, text in enumerate(write_news(count))]
    pd.DataFrame({"headline": texts * 40}).to_csv("news.csv", index=False)
    scored = run(trained[1])
    drifts = load_drift(trained_home / "warehouse.duckdb", scored.scoring_id)
    assert {drift.n for drift in drifts} == {count}
    if count == 30:
        assert all(drift.reason is None and drift.difference_low < drift.difference_high for drift in drifts)
        return
    plural = "" if count == 1 else "s"
    reason = f"the source has only {count} different headline{plural}, 30 are needed"
    assert {drift.reason for drift in drifts} == {reason}
    assert {(drift.difference_low, drift.difference_high) for drift in drifts} == {(None, None)}
    assert not any(drift.exceeds(0.0) for drift in drifts)
    assert describe_drift(drifts, 0.1) == [f"drift: nothing can be said, because {reason}"]
    assert {row[0] for row in ask(trained_home, "SELECT verdict FROM score_drift")} == {"unknown"}


def test_drift_is_sent_once_for_each_measure_and_told_again_at_the_end(
    trained_home: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{text} {' x' * number}" for number, text in enumerate(write_news(40))]
    pd.DataFrame({"headline": texts}).to_csv("news.csv", index=False)
    scoring, lines, sent = run(trained[1]).scoring_id, list[str](), list[set[str]]()
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE ledger.scores SET p_negative = 0, p_neutral = 0, p_positive = 1, p_unparsed = 0")
    watch = DriftWatch(
        trained_home / "warehouse.duckdb",
        0.2,
        lines.append,
        lambda identifier, drifts: sent.append({identifier, *(drift.measure for drift in drifts)}),
    )
    watch.look(scoring)
    assert lines == []  # a minute has not passed
    monkeypatch.setattr("operations.drift.SECONDS_BETWEEN_LOOKS", 0.0)
    watch.look(scoring)
    first = list(lines)
    watch.look(scoring)
    assert (lines, bool(first)) == (first, True)
    every = watch.end(scoring)
    assert lines == first * 2
    drifted = {drift.measure for drift in every if drift.exceeds(0.2)}
    assert sent == [{scoring, *drifted}]
    assert len(drifted) < len(every)


def test_an_accuracy_is_chance_up_to_that_of_one_label_at_the_low_end_of_its_interval() -> None:
    judged = Judged(n=90, accuracy=0.5, low=0.34, high=0.6, majority=0.4)
    assert [judged._replace(low=low).is_chance for low in (0.4, 0.41, None)] == [True, False, False]
    assert judged._replace(low=None, accuracy=0.4).is_chance


def test_a_share_is_of_answers_or_of_rows_and_may_be_as_large_as_the_study_allows() -> None:
    counts = ScoringCounts(rows_read=40, rows_rejected=20, rows_answered=20, rows_unparsed=5)
    assert _warn_of_unparsed(counts, 0.25) is None
    assert str(_warn_of_unparsed(counts, 0.2)).startswith("warning: 5 of 20 answers (25.0%) are no label, more than")
    assert _warn_of_rejected("scoring", counts, 0.5) is None
    assert str(_warn_of_rejected("scoring", counts, 0.4)).startswith("warning: 20 of 40 rows (50.0%) were rejected")


@pytest.mark.parametrize(
    ("count", "beginning"), [(0, "None"), (1, "warning: 1 headline has no"), (2, "warning: 2 head")]
)
def test_a_single_date_that_cannot_be_read_is_reported(count: int, beginning: str) -> None:
    assert str(_warn_of_dates(ScoringCounts(dates_unread=count))).startswith(beginning)


def test_the_counts_of_a_source_add_up_to_its_rows() -> None:
    counts = ScoringCounts(rows_read=9, rows_rejected=3, headlines_scored=1, headlines_known=2, rows_answered=6)
    line = format_counts(ScoredSource("scoring", "dup.csv", "cell", counts, "at temperature 1"))
    assert line.startswith(
        "dup.csv: 9 rows read, 1 headline scored, 2 known before, 3 copies, 0 answers unparsed, 3 rows"
    )
