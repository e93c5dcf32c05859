"""Headlines without labels: scored once, in batches, into the warehouse and a file; whatever the source holds."""

import io
import json
import math
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from embedded.grammar import generate_headline
from learning.study.intervals import mean_interval
from operations import score_input
from operations.answers import NoScorerError, answers_file, choose_model, format_counts, score_source
from operations.scoring_run import ScoredSource
from reporting.csv_rows import CsvRows
from reporting.verdict import describe_drift
from schemas.errors import InputError
from schemas.plan import StudyPlan
from schemas.score import ScoreSettings
from storage.champions import Decision, save_decision
from storage.scores import load_drift
from storage.warehouse import writing
from tests.asking import ask

pytestmark = pytest.mark.usefixtures("session_worker")

PROBABILITIES = ["p_negative", "p_neutral", "p_positive", "p_unparsed"]


@pytest.fixture
def home(trained: tuple[Path, str, StudyPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own with the trained cell."""
    import shutil

    shutil.copytree(trained[0], tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def write_news(count: int, seed: int = 1) -> list[str]:
    random = Random(seed)
    texts = [generate_headline(random).text for _ in range(count)]
    pd.DataFrame({"id": range(count), "headline": texts}).to_csv("news.csv", index=False)
    return texts


def run(cell: str, output: str | None = None, **settings: Any) -> Any:
    asked = ScoreSettings(source=settings.pop("source", "news.csv"), model=cell, output=output, **settings)
    with answers_file(asked, CsvRows(raw=False)) as write:
        return score_source(asked, choose_model(asked), write)


def test_a_headline_of_test_is_answered_as_the_ledger_has_it(home: Path, trained: Any) -> None:
    rows = ask(
        home,
        "SELECT text, p_negative, p_neutral, p_positive, p_unparsed FROM predictions JOIN headlines USING (headline_id)"
        " WHERE part = 'test' AND temperature = 0.1 ORDER BY headline_id",
    )
    pd.DataFrame({"text": [row[0] for row in rows]}).to_csv("news.csv", index=False)
    run(trained[1], "answers.parquet")
    written = pd.read_parquet("answers.parquet")
    assert written["text"].tolist() == [row[0] for row in rows]
    for column, name in enumerate(PROBABILITIES, start=1):
        assert written[name].tolist() == pytest.approx([row[column] for row in rows], abs=1e-5)
    likeliest = written[PROBABILITIES].idxmax(axis=1).str.removeprefix("p_")
    assert written["label"].tolist() == likeliest.tolist()
    assert written["version"].unique().tolist() == [trained[1]]
    assert written["temperature"].unique().tolist() == [0.1]
    drift = ask(home, "SELECT measure, n, test_n, verdict, reason, difference FROM score_drift")
    measures = ("negative", "neutral", "positive", "unparsed", "confidence")
    assert [row[:5] for row in drift] == [(name, 30, 30, "no difference", None) for name in measures]
    assert [row[5] for row in drift] == pytest.approx([0] * 5, abs=1e-5)
    mean, (low, high) = written["confidence"].mean(), mean_interval(written["confidence"].to_numpy())
    reach = math.hypot(mean - low, high - mean)  # the same values are on both sides
    [bounds] = ask(home, "SELECT difference_low, difference_high FROM score_drift WHERE measure = 'confidence'")
    assert bounds == pytest.approx((-reach, reach), abs=1e-4)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_an_answer_that_is_no_label_is_called_unparsed_everywhere(home: Path, trained: Any, suffix: str) -> None:
    write_news(40)
    readers = {"csv": pd.read_csv, "jsonl": lambda name: pd.read_json(name, lines=True), "parquet": pd.read_parquet}
    for mode in ("label", "neutral"):
        scored = run(trained[1], f"answers.{suffix}", unparsed=mode, temperature=1)
        written: pd.DataFrame = readers[suffix](f"answers.{suffix}")
        is_none = written["p_unparsed"] > written[PROBABILITIES[:3]].max(axis=1)
        assert 0 < is_none.sum() == scored.counts.rows_unparsed
        assert (written.loc[is_none, "label"] == ("unparsed" if mode == "label" else "neutral")).all()
        assert (written["label"] == "unparsed").sum() == (is_none.sum() if mode == "label" else 0)
        own = written["label"].where(~is_none | (mode == "neutral"))
        expected = [
            row[f"p_{label}"] if isinstance(label, str) else row[PROBABILITIES[:3]].max()
            for (_, row), label in zip(written.iterrows(), own, strict=True)
        ]
        assert written["confidence"].tolist() == pytest.approx(expected, abs=1e-6)
        told = ask(
            home,
            "SELECT label, confidence, is_unparsed FROM scores"
            f" WHERE scoring_id = '{scored.scoring_id}' ORDER BY row_number",
        )
        assert [row[0] for row in told] == written["label"].tolist()
        assert [row[1] for row in told] == pytest.approx(written["confidence"].tolist(), abs=1e-6)
        assert [row[2] for row in told] == is_none.tolist()
    shares = ask(home, "SELECT value * n FROM score_drift WHERE measure = 'unparsed'")
    texts = ask(home, "SELECT count(DISTINCT text_id) FILTER (is_unparsed) FROM scores")
    assert [round(share) for (share,) in shares] == [texts[0][0]] * 2


@pytest.mark.parametrize(("bound", "is_told"), [(0.0, True), (1.0, False)])
def test_more_unparsed_answers_than_the_study_allows_are_told(
    home: Path, trained: Any, bound: float, is_told: Any
) -> None:
    write_news(40)
    with writing(home / "warehouse.duckdb") as connection:
        allow = f'{{"promotion": {{"max_unparsed_rate": {bound}}}}}'
        connection.execute("UPDATE studies SET config = json_merge_patch(config, ?)", [allow])
    scored = run(trained[1], temperature=1)
    assert f"{scored.counts.rows_unparsed} answers unparsed" in format_counts(scored)
    warnings = [line for line in scored.warnings if "no label" in line]
    assert bool(warnings) == is_told
    for warning in warnings:
        assert f"warning: {scored.counts.rows_unparsed} of 40 answers" in warning
        assert "promotion.max_unparsed_rate 0 allows" in warning


@pytest.mark.parametrize(("low", "is_told"), [(0.3, True), (0.34, False)])
def test_a_model_that_is_no_better_than_chance_on_its_own_test_part_is_told(
    home: Path, trained: Any, low: float, is_told: Any
) -> None:
    write_news(3)
    with writing(home / "warehouse.duckdb") as connection:
        figures = "UPDATE evaluations SET accuracy = 0.4, accuracy_low = ?, accuracy_high = 0.5"
        connection.execute(f"{figures} WHERE temperature = 0.1 AND part = 'test'", [low])
    told = [line for line in run(trained[1]).warnings if "chance" in line]
    assert bool(told) == is_told
    for line in told:
        assert line.startswith(f"warning: cell {trained[1]} is no better than chance (accuracy .400 [.300, .500] on ")
        assert "always answering one label gives .333): do not rely on these answers; `fintone list cells`" in line


def test_more_rejected_rows_than_the_study_allows_are_told(home: Path, trained: Any) -> None:
    Path("news.csv").write_text("id,headline\n" + "1,Profit rose .\n" * 8 + "2,\n" * 2)
    scored = run(trained[1])
    [told] = [line for line in scored.warnings if "rejected" in line]
    assert told.startswith(
        "warning: 2 of 10 rows (20.0%) were rejected and have no answer, more than data.max_rejected"
    )
    [query_told] = re.findall(r'fintone sql "(.+?)"', told)
    assert [row[1] for row in ask(home, query_told)] == [9, 10]
    Path("news.csv").write_text("id,headline\n" + "1,Profit rose .\n" * 19 + "2,\n")
    assert not [line for line in run(trained[1]).warnings if "rejected" in line]


@pytest.mark.parametrize("count", [1, 29, 30])
def test_of_few_headlines_no_drift_is_told(home: Path, trained: Any, count: int) -> None:
    texts = [f"{text} {' x' * number}" for number, text in enumerate(write_news(count))]
    pd.DataFrame({"headline": texts * 40}).to_csv("news.csv", index=False)
    scored = run(trained[1])
    drifts = load_drift(home / "warehouse.duckdb", scored.scoring_id)
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
    assert {row[0] for row in ask(home, "SELECT verdict FROM score_drift")} == {"unknown"}


def test_what_was_scored_is_not_scored_again_in_whichever_file(home: Path, trained: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 16)
    texts = write_news(40)
    first = run(trained[1], "first.csv")
    assert (first.counts.rows_read, first.counts.headlines_scored) == (40, len(set(texts)))
    again = run(trained[1], "again.csv")
    assert (again.scoring_id, again.counts.headlines_scored) == (first.scoring_id, 0)
    assert Path("first.csv").read_bytes() == Path("again.csv").read_bytes()
    assert ask(home, "SELECT count(*), count(DISTINCT row_number) FROM scores") == [(40, 40)]
    pd.DataFrame({"title": [f"  {texts[0]} ", "Something new happened ."]}).to_json(
        "other.jsonl", orient="records", lines=True
    )
    other = run(trained[1], source="other.jsonl")
    assert (other.counts.headlines_scored, other.counts.headlines_known) == (1, 1)
    assert ask(home, "SELECT count(*) FROM scorings WHERE finished_at IS NOT NULL") == [(2,)]


def test_batches_make_no_difference(home: Path, trained: Any, monkeypatch: Any) -> None:
    write_news(40)
    run(trained[1], "whole.csv")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM ledger.scores")
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 7)
    run(trained[1], "parts.csv")
    whole, parts = pd.read_csv("whole.csv"), pd.read_csv("parts.csv")
    assert whole["label"].tolist() == parts["label"].tolist()
    assert (whole[PROBABILITIES] - parts[PROBABILITIES]).abs().to_numpy().max() < 1e-4


def test_an_interrupted_scoring_goes_on_where_it_was(home: Path, trained: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 10)
    texts = write_news(40)
    settings, chosen = (
        ScoreSettings(source="news.csv", model=trained[1]),
        choose_model(ScoreSettings(source="x", model=trained[1])),
    )

    to_file = settings.model_copy(update={"output": "answers.csv"})

    def stop(done: int, *_: Any) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), answers_file(to_file, CsvRows(raw=False)) as write:
        score_source(settings, chosen, write, stop)
    assert not [file for file in Path().iterdir() if "answers" in file.name]
    assert ask(home, "SELECT rows_read, finished_at FROM scorings") == [(20, None)]
    done = run(trained[1], "answers.csv")
    assert done.counts.headlines_known == len(set(texts[:20]))
    assert len(pd.read_csv("answers.csv")) == 40


def test_a_source_is_opened_once(home: Path, trained: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 16)
    Path("folder").mkdir()
    for name in ("one", "two"):
        texts = [generate_headline(Random(f"{name} {row}")).text for row in range(20)]
        pd.DataFrame({"headline": texts}).to_csv(f"folder/{name}.csv", index=False)
    opened: Counter[str] = Counter()
    sys.addaudithook(lambda event, args: opened.update([Path(str(args[0])).name]) if event == "open" else None)
    told: list[tuple[int, int | None]] = []
    settings = ScoreSettings(source="folder", model=trained[1])
    scored = score_source(settings, choose_model(settings), None, lambda done, total, _: told.append((done, total)))
    assert (opened["one.csv"], opened["two.csv"]) == (1, 1)
    assert told == [(16, 40), (32, 40), (40, 40)]
    assert ask(home, f"SELECT count(*) FROM scores WHERE scoring_id = '{scored.scoring_id}'") == [(40,)]


def test_what_breaks_off_is_refused_before_anything_is_answered(home: Path, trained: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 2)
    Path("folder").mkdir()
    Path("folder/one.csv").write_text("headline\n" + "Profit rose .\n" * 5)
    Path("folder/two.csv").write_text("nr,kop,datum\n1,Winst steeg,x\n")
    with pytest.raises(InputError, match="has no text column"):
        run(trained[1], source="folder")
    assert ask(home, "SELECT count(*) FROM scorings") == [(0,)]


def test_rows_that_cannot_be_scored_are_kept_with_their_reason(home: Path, trained: Any) -> None:
    rows = ["Profit rose .", "\u200b", "Sales\x07 fell .", "word " * 1_900, "Profit rose ."]
    Path("news.jsonl").write_text("\n".join([*(json.dumps({"text": row}) for row in rows), "{broken"]))
    scored = run(trained[1], "answers.jsonl", source="news.jsonl")
    assert (scored.counts.rows_read, scored.counts.rows_rejected, scored.counts.headlines_scored) == (6, 4, 1)
    rejected = ask(
        home, f"SELECT row_number, reason FROM rejected_rows WHERE ingest_id = '{scored.scoring_id}' ORDER BY 1"
    )
    assert rejected == [
        (2, "empty text"),
        (3, "control character in the text"),
        (4, "longer than the model takes"),
        (6, "not a JSON object"),
    ]
    written = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert [(row["row"], row["text"]) for row in written] == [(1, "Profit rose ."), (5, "Profit rose .")]
    assert run(trained[1], source="news.jsonl").counts.rows_rejected == 4
    assert ask(home, "SELECT count(*) FROM rejected_rows JOIN scorings ON scoring_id = ingest_id") == [(4,)]


def test_a_long_headline_is_answered_by_its_beginning_where_that_is_asked_for(home: Path, trained: Any) -> None:
    Path("news.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in ("Profit rose .", "word " * 1_900)))
    marks = "SELECT row_number, is_truncated FROM scores WHERE scoring_id = '{}' ORDER BY 1"
    rejected = run(trained[1], source="news.jsonl")
    assert (rejected.counts.rows_rejected, rejected.counts.rows_truncated) == (1, 0)
    truncated = run(trained[1], source="news.jsonl", too_long="truncate")
    assert (truncated.counts.rows_rejected, truncated.counts.rows_truncated) == (0, 1)
    assert "1 truncated to what the model takes, " in format_counts(truncated)
    assert ask(home, marks.format(truncated.scoring_id)) == [(1, False), (2, True)]
    again = run(trained[1], source="news.jsonl", too_long="reject")
    assert (again.scoring_id, again.counts.rows_rejected) == (rejected.scoring_id, 1)
    assert ask(home, marks.format(again.scoring_id)) == [(1, False)]
    with writing(home / "warehouse.duckdb") as connection:  # its study truncates
        connection.execute(
            'UPDATE studies SET config = json_merge_patch(config, \'{"data": {"too_long": "truncate"}}\')'
        )
    assert run(trained[1], source="news.jsonl").counts.rows_truncated == 1


def test_a_stream_is_scored_as_it_comes(home: Path, trained: Any, monkeypatch: Any) -> None:
    stream = io.TextIOWrapper(io.BytesIO("Profit rose , sales too .\nOmsättningen ökade .\n\nLast".encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    scored = run(trained[1], "answers.jsonl", source="-")
    texts = [json.loads(line)["text"] for line in Path("answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert texts == ["Profit rose , sales too .", "Omsättningen ökade .", "Last"]
    assert scored.source == "-"


def test_the_champion_scores_at_the_temperature_of_its_promotion_or_another(home: Path, trained: Any) -> None:
    write_news(3)
    with pytest.raises(
        NoScorerError, match="champion: no cell has been promoted yet; name a cell with --model, or use"
    ):
        choose_model(ScoreSettings(source="news.csv"))
    decision = Decision("promoted", "person", "because", trained[2].study_id, trained[1], 1)
    save_decision(home / "warehouse.duckdb", decision, None)
    scored = run("champion")
    assert scored.cell_id == trained[1]
    assert re.fullmatch(r"at temperature 1, at which it was judged: accuracy .* test headlines", scored.answering)
    assert run("champion", temperature=10).answering.startswith("at temperature 10, judged at 1: accuracy ")
    assert ask(home, "SELECT DISTINCT cell_id, temperature FROM scores ORDER BY ALL") == [
        (trained[1], 1.0),
        (trained[1], 10.0),
    ]
    with pytest.raises(NoScorerError, match=rf"temperature 2: cell {trained[1]} was judged at 0.1, 1, 10"):
        run("champion", temperature=2)


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("answers.txt", "give a name that ends in .csv, .jsonl or .parquet"),
        ("nowhere/answers.csv", "nowhere/answers.csv: cannot be written .No such file or directory.; give a place"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_scored(
    home: Path, trained: Any, output: str, line: str
) -> None:
    write_news(3)
    with pytest.raises(ValueError, match=line):
        run(trained[1], output)
    assert ask(home, "SELECT count(*) FROM scorings") == [(0,)]


DATED = """headline,label,date,ticker
Profit rose 5 %,positive,03/04/2025,NWD
Costs rose again,negative,13/04/2025,HBF
A merger is near,neutral,28/05/2025,NWD
An odd day,neutral,soon,NWD
"""


def test_dates_instruments_and_labels_of_scored_rows_can_be_queried_over_time(home: Path, trained: Any) -> None:
    Path("news.csv").write_text(DATED)
    scored = run(trained[1], evaluate=True, published_at_column="date")
    [told] = [each for each in scored.warnings if "date" in each]
    assert told.startswith("warning: 1 headline has no date: what they have cannot be read")
    rows = "SELECT strftime(published_at, '%m-%d'), instrument, true_label, in_sample FROM scores ORDER BY row_number"
    assert ask(home, rows) == [
        ("04-03", "NWD", "positive", False),
        ("04-13", "HBF", "negative", False),
        ("05-28", "NWD", "neutral", False),
        (None, "NWD", "neutral", False),
    ]
    months = ask(
        home,
        "SELECT strftime(begins, '%m-%d'), n, round(accuracy * n) FROM accuracy_over_time"
        " WHERE origin = 'scored' AND period = 'month' ORDER BY begins",
    )
    hits = "(label = true_label OR (label = 'unparsed' AND true_label = 'neutral'))::INTEGER"
    right = ask(
        home,
        f"SELECT month(published_at), sum({hits}) FROM scores WHERE published_at IS NOT NULL GROUP BY ALL ORDER BY ALL",
    )
    assert [(begins, n) for begins, n, _ in months] == [("04-01", 2), ("05-01", 1)]
    before = "SELECT before_cutoff FROM scores ORDER BY row_number"
    counted = (
        "SELECT n_before_cutoff FROM accuracy_over_time WHERE origin = 'scored' AND period = 'month' ORDER BY begins"
    )
    assert ask(home, before) == [(None,)] * 4
    assert ask(home, counted) == [(None,), (None,)]
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE study_cells SET trained_until = '2025-04-03' WHERE cell_id = ?", [trained[1]])
    assert ask(home, before) == [(True,), (False,), (False,), (None,)]
    assert ask(home, counted) == [(1,), (0,)]
    assert [hits for *_, hits in months] == [hits for _, hits in right]


def test_the_order_of_dates_is_found_from_the_whole_source(home: Path, trained: Any) -> None:
    texts = write_news(4_200)  # more rows than are read at a time, and only the last one shows the order
    dates = ["01/02/2025"] * 4_199 + ["13/02/2025"]
    pd.DataFrame({"headline": texts, "date": dates}).to_csv("news.csv", index=False)
    run(trained[1])
    assert ask(home, "SELECT DISTINCT strftime(published_at, '%Y-%m-%d') FROM scores ORDER BY ALL") == [
        ("2025-02-01",),
        ("2025-02-13",),
    ]


def test_a_source_is_read_as_the_models_study_read_its_own_where_that_fits(home: Path, trained: Any) -> None:
    words = ("up", "down")
    rows = [f"Orlo publishes {number} reports .;{words[number % 2]}" for number in range(9)]
    Path("news.csv").write_text("\n".join(["News Text;Analyst View", *rows]))
    Path("plain.csv").write_text("headline\nOrlo opens .\n")
    own: dict[str, Any] = {"text_column": "News Text", "label_column": "Analyst View"}
    own["label_map"] = {"up": "positive", "down": "negative"}

    def score(source: str, **settings: Any) -> tuple[ScoredSource, list[str]]:
        told: list[str] = []
        asked = ScoreSettings(source=source, model=trained[1], **settings)
        chosen = choose_model(asked)
        chosen = replace(chosen, model=replace(chosen.model, reading=own))
        return score_source(asked, chosen, None, notify=told.append), told

    scored, told = score("news.csv", evaluate=True)
    assert told[0].startswith(
        'news.csv: read as in the model\'s study, text_column="News Text", label_column="Analyst '
    )
    assert " on 9 labelled rows" in scored.evaluation[0]
    assert score("news.csv", text_column="Analyst View")[0].counts.headlines_scored == 2  # what is said comes first
    own["label_columns"] = own.pop("label_column"), "text"  # which go with neither thresholds nor a label column
    Path("scores.csv").write_text("headline,points\nOrlo opens .,-1\nOrlo closes .,2\n")
    scored, _ = score("scores.csv", evaluate=True, label_column="points", thresholds=(-0.5, 0.5))
    assert " on 2 labelled rows" in scored.evaluation[0]
    scored, told = score("plain.csv")
    assert not any("study" in line for line in told)
    assert scored.counts.rows_answered == 1
