"""Accuracy on headlines since a model's study: each counts once, and a drop is reported each time and sent once."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from embedded.grammar import generate_headline
from learning.study.accuracy_drop import drop_p_value
from learning.study.intervals import accuracy_interval
from operations.accuracy_watch import watch_accuracy
from operations.answers import choose_model, score_source
from operations.withdrawal import withdraw_answers
from reporting.verdict import format_ratio
from schemas.score import ScoreSettings
from schemas.scoring import FreshAccuracy
from storage.warehouse import writing
from tests.asking import ask

pytestmark = pytest.mark.usefixtures("session_worker")

Score = Callable[[Sequence[tuple[str, str, str]]], str]
RIGHT = {"neutral": "neutral", "positive": "positive", "negative": "negative", "unparsed": "neutral"}
WRONG = {"neutral": "positive", "positive": "negative", "negative": "neutral", "unparsed": "positive"}
NOTHING = "fresh headlines: nothing is known of the accuracy since the model's study: none has a label"


@pytest.fixture
def home(trained_home: Path) -> Path:
    """A copy of the home with the trained cell."""
    return trained_home


@pytest.fixture
def score(home: Path, trained: Any) -> Score:
    """Scores rows of text, label and date with --evaluate, and returns the id of the scoring."""

    def run(rows: Sequence[tuple[str, str, str]], *, evaluate: bool = True) -> str:
        pd.DataFrame(rows, columns=["headline", "label", "date"]).to_csv("week.csv", index=False)
        settings = ScoreSettings(source="week.csv", model=trained[1], evaluate=evaluate)
        return score_source(settings, choose_model(settings), None).scoring_id

    return run


@pytest.fixture
def weeks(home: Path, score: Score) -> list[list[tuple[str, str, str]]]:
    """Three weeks of 60 headlines each, all with a label other than the answer."""
    random = Random(11)
    texts = [generate_headline(random).text for _ in range(240)]
    return [label(home, score, sorted(set(texts))[60 * week : 60 * week + 60], WRONG, week) for week in range(3)]


def label(home: Path, score: Any, texts: list[str], words: dict[str, str], week: int) -> list[tuple[str, str, str]]:
    """Headlines of one day with labels that follow from the answers."""
    day = str(date(2026, 1, 5) + timedelta(weeks=week))
    score([(text, "neutral", day) for text in texts], evaluate=False)
    answers = dict(ask(home, "SELECT text, label FROM scores"))
    return [(text, words[answers[text]], day) for text in texts]


class Watch:
    """Looks at the accuracy as the command does, and keeps the lines and what is sent."""

    def __init__(self, home: Path) -> None:
        self.warehouse, self.lines, self.sent, self.is_reachable = home / "warehouse.duckdb", [], [], True

    def look(self, scoring_id: str) -> FreshAccuracy | None:
        return watch_accuracy(self.warehouse, scoring_id, self.lines.append, self.send)

    def send(self, drop: FreshAccuracy) -> bool:
        self.sent.append(drop)
        return self.is_reachable


def test_a_drop_is_reported_with_the_remedy_and_sent_once(home: Path, score: Score, weeks: Any) -> None:
    watch = Watch(home)
    assert watch.look(score(weeks[0])) is None
    [(right, n)] = ask(
        home,
        "SELECT count(*) FILTER (likeliest_label(p_negative, p_neutral + p_unparsed, p_positive) = label), count(*)"
        " FROM predictions WHERE part = 'test' AND temperature = 0.1",
    )
    reference, _ = accuracy_interval(right, n)
    assert watch.lines[-1] == (
        "fresh headlines: accuracy 0 on 60 labelled headlines since the model's study, no drop below "
        f"{format_ratio(reference)} beyond noise"
    )
    drop = watch.look(score(weeks[1]))
    assert drop == FreshAccuracy(120, 0.0, reference, n, right / n, drop_p_value(0, 120, reference))
    assert watch.sent == [drop]
    assert watch.lines[-1] == (
        "warning: fresh headlines: accuracy 0 on 120 labelled headlines since the model's study is below "
        f"{format_ratio(reference)}, the lower end of the interval of its accuracy on its own test part "
        f"({format_ratio(right / n)} by the likeliest labels on {n}), by more than noise "
        f"(p={format_ratio(drop.p_value)}, valid for any number of looks); the model "
        "no longer fits this news: train again with these headlines (`fintone run`)"
    )
    assert watch.look(score(weeks[2])).n == 180
    assert len(watch.sent) == 1
    assert "; a drop was found on " in watch.lines[-1]
    assert ", after 120 labelled headlines; " in watch.lines[-1]
    assert ask(home, "SELECT n, accuracy, sent_at IS NOT NULL FROM accuracy_drops") == [(120, 0, True)]


def test_a_drop_that_could_not_be_sent_is_sent_at_the_next_look(home: Path, score: Score, weeks: Any) -> None:
    watch = Watch(home)
    watch.is_reachable = False
    watch.look(score([*weeks[0], *weeks[1]]))
    watch.is_reachable = True
    watch.look(score(weeks[2]))
    watch.look(score(weeks[2]))
    assert [drop.n for drop in watch.sent] == [120, 180]
    assert ask(home, "SELECT n, found_at < sent_at FROM accuracy_drops") == [(120, True)]


def test_a_drop_that_was_found_is_still_reported_when_accuracy_has_recovered(
    home: Path, score: Score, weeks: Any
) -> None:
    watch = Watch(home)
    watch.look(score([*weeks[0], *weeks[1]]))
    back = label(home, score, [f"Orlo publishes {number} reports ." for number in range(200)], RIGHT, 5)
    assert watch.look(score(back)) is None
    assert ", no drop below " in watch.lines[-1]
    assert " beyond noise now; a drop was found on " in watch.lines[-1]
    assert len(watch.sent) == 1


def test_batches_and_sources_that_overlap_count_each_headline_once(home: Path, score: Score, weeks: Any) -> None:
    watch = Watch(home)
    for rows in (weeks[0], weeks[0], [*weeks[0][:30], *weeks[1][:10]], [*weeks[1][:10], *weeks[1][:10]]):
        watch.look(score(rows))
    counts = [line.partition(" on ")[2].partition(" ")[0] for line in watch.lines]
    assert counts == ["60", "60", "70", "70"]
    score([(text, word, "2026-03-02") for text, word, _ in weeks[0]])
    dated = "SELECT count(*) FROM ledger.scored_headlines WHERE is_fresh"
    assert ask(home, dated) == [(130,)]  # one text on two days is two headlines
    months = "SELECT sum(n) FROM accuracy_over_time WHERE origin = 'scored' AND period = 'year'"
    assert ask(home, months) == [(130,)]


def test_a_label_that_was_corrected_counts_as_corrected(home: Path, score: Score, weeks: Any) -> None:
    watch = Watch(home)
    score(weeks[0])
    answers = dict(ask(home, "SELECT text, label FROM scores"))
    watch.look(score([(text, RIGHT[answers[text]], day) for text, _, day in weeks[0]]))
    assert watch.lines[-1].startswith("fresh headlines: accuracy 1.000 on 60 labelled headlines")


def test_headlines_of_the_models_own_study_are_not_fresh(home: Path, score: Score) -> None:
    study = (
        "SELECT text, headlines.label, coalesce(part, 'unplaced') FROM snapshot_headlines JOIN headlines"
        " USING (headline_id) LEFT JOIN splits USING (snapshot_id, headline_id) ORDER BY text"
    )
    rows = ask(home, study)
    assert {part for *_, part in rows} == {"train", "validation", "test", "unplaced"}
    watch = Watch(home)
    scoring = score([(text, word, "2026-01-05") for text, word, _ in rows])
    assert watch.look(scoring) is None
    assert watch.lines == [NOTHING]
    parts = "SELECT text, part FROM scores ORDER BY row_number"
    assert ask(home, parts) == [(text, part) for text, _, part in rows]
    assert ask(home, "SELECT count(*) FROM scores WHERE in_sample <> (part = 'train')") == [(0,)]
    assert ask(home, "SELECT count(*) FROM accuracy_over_time WHERE origin = 'scored'") == [(0,)]


def test_withdrawn_answers_take_the_drop_with_them(home: Path, score: Score, weeks: Any, trained: Any) -> None:
    Watch(home).look(score([*weeks[0], *weeks[1]]))
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE ledger.scores SET adapter_hash = 'another'")
    withdraw_answers(trained[1])
    assert ask(home, "SELECT count(*) FROM accuracy_drops") == [(0,)]
