"""Headlines without labels are scored once, in batches, into the warehouse and a file."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from learning.study.identity import decoding_id
from learning.study.intervals import mean_interval
from operations import score_input, scoring_run
from operations.answers import NoScorerError, answers_file, choose_model, describe_result, score_source
from operations.floors import describe_proposal
from operations.judged import NotJudgedError, load_judged
from operations.promotion import propose
from operations.scoring_run import ScoredSource
from reporting.csv_rows import CsvRows
from schemas.promotion import Champion
from schemas.score import ScoreSettings
from storage import opening
from storage.catalogue import list_champions
from storage.champions import Decision, load_champion, save_decision
from storage.deletion import delete_study
from storage.unfit import WarehouseUnwritableError
from storage.warehouse import writing
from tests.asking import ask
from tests.operations.scored_news import PROBABILITIES, run, write_news

pytestmark = pytest.mark.usefixtures("session_worker")


def test_a_test_headline_is_answered_as_the_ledger_records(trained_home: Path, trained: Any) -> None:
    rows = ask(
        trained_home,
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
    drift = ask(trained_home, "SELECT measure, n, test_n, verdict, reason, difference FROM score_drift")
    measures = ("negative", "neutral", "positive", "unparsed", "confidence")
    assert [row[:5] for row in drift] == [(name, 30, 30, "no difference", None) for name in measures]
    assert [row[5] for row in drift] == pytest.approx([0] * 5, abs=1e-5)
    mean, (low, high) = written["confidence"].mean(), mean_interval(written["confidence"].to_numpy())
    reach = math.hypot(mean - low, high - mean)  # the same values are on both sides
    [bounds] = ask(trained_home, "SELECT difference_low, difference_high FROM score_drift WHERE measure = 'confidence'")
    assert bounds == pytest.approx((-reach, reach), abs=1e-4)


def test_a_scoring_of_one_batch_opens_the_warehouse_ten_times_at_most(
    trained_home: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, attached = list[Path](), opening._Engine.attached

    def count(engine: Any, path: Path, read_only: Any) -> Any:
        opened.append(path)
        return attached(engine, path, read_only)

    write_news(5)
    monkeypatch.setattr(opening._Engine, "attached", count)
    run(trained[1], "answers.csv")
    assert 0 < len(opened) <= 10


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_an_answer_that_is_no_label_is_called_unparsed_everywhere(
    trained_home: Path, trained: Any, suffix: str
) -> None:
    write_news(40)
    readers = {"csv": pd.read_csv, "jsonl": lambda name: pd.read_json(name, lines=True), "parquet": pd.read_parquet}
    for mode in ("label", "neutral"):
        scored = run(trained[1], f"answers.{suffix}", unparsed=mode, temperature=1)
        written: pd.DataFrame = readers[suffix](f"answers.{suffix}")
        is_none = written["p_unparsed"] > written[PROBABILITIES[:3]].max(axis=1)
        assert 0 < is_none.sum() == scored.counts.rows_unparsed
        assert (written.loc[is_none, "label"] == ("unparsed" if mode == "label" else "neutral")).all()
        assert (written["label"] == "unparsed").sum() == (is_none.sum() if mode == "label" else 0)
        chosen = written["label"].where(~is_none | (mode == "neutral"))
        expected = [
            row[f"p_{label}"] if isinstance(label, str) else row[PROBABILITIES[:3]].max()
            for (_, row), label in zip(written.iterrows(), chosen, strict=True)
        ]
        assert written["confidence"].tolist() == pytest.approx(expected, abs=1e-6)
        rows = ask(
            trained_home,
            "SELECT label, confidence, is_unparsed FROM scores"
            f" WHERE scoring_id = '{scored.scoring_id}' ORDER BY row_number",
        )
        assert [row[0] for row in rows] == written["label"].tolist()
        assert [row[1] for row in rows] == pytest.approx(written["confidence"].tolist(), abs=1e-6)
        assert [row[2] for row in rows] == is_none.tolist()
    shares = ask(trained_home, "SELECT value * n FROM score_drift WHERE measure = 'unparsed'")
    texts = ask(trained_home, "SELECT count(DISTINCT text_id) FILTER (is_unparsed) FROM scores")
    assert [round(share) for (share,) in shares] == [texts[0][0]] * 2


def test_a_headline_that_was_scored_is_not_scored_again_in_any_file(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 16)
    texts = write_news(40)
    first = run(trained[1], "first.csv")
    assert (first.counts.rows_read, first.counts.headlines_scored) == (40, len(set(texts)))
    again = run(trained[1], "again.csv")
    assert (again.scoring_id, again.counts.headlines_scored) == (first.scoring_id, 0)
    assert Path("first.csv").read_bytes() == Path("again.csv").read_bytes()
    assert ask(trained_home, "SELECT count(*), count(DISTINCT row_number) FROM scores") == [(40, 40)]
    pd.DataFrame({"title": [f"  {texts[0]} ", "Something new happened ."]}).to_json(
        "other.jsonl", orient="records", lines=True
    )
    other = run(trained[1], source="other.jsonl")
    assert (other.counts.headlines_scored, other.counts.headlines_known) == (1, 1)
    assert ask(trained_home, "SELECT count(*) FROM scorings WHERE finished_at IS NOT NULL") == [(2,)]


def test_batches_make_no_difference(trained_home: Path, trained: Any, monkeypatch: Any) -> None:
    write_news(40)
    run(trained[1], "whole.csv")
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM ledger.scores")
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 7)
    run(trained[1], "parts.csv")
    whole, parts = pd.read_csv("whole.csv"), pd.read_csv("parts.csv")
    assert whole["label"].tolist() == parts["label"].tolist()
    assert (whole[PROBABILITIES] - parts[PROBABILITIES]).abs().to_numpy().max() < 1e-4


def test_an_interrupted_scoring_continues_where_it_stopped(trained_home: Path, trained: Any, monkeypatch: Any) -> None:
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
    assert ask(trained_home, "SELECT rows_read, finished_at FROM scorings") == [(20, None)]
    done = run(trained[1], "answers.csv")
    assert done.counts.headlines_known == len(set(texts[:20]))
    assert len(pd.read_csv("answers.csv")) == 40


def test_answers_of_a_slow_model_are_kept_before_their_batch_ends(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(scoring_run, "FIRST_PART", 8)
    monkeypatch.setattr(scoring_run, "SECONDS_OF_A_PART", 1e-9)
    texts = sorted(set(write_news(40)))
    settings = ScoreSettings(source="news.csv", model=trained[1])
    interrupted: list[ScoredSource] = []

    def stop(done: int, *_: Any) -> None:
        if done > 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_source(settings, choose_model(settings), on_rows=stop, on_interrupt=interrupted.append)
    [(kept,)] = ask(trained_home, "SELECT count(*) FROM ledger.scores")
    assert 8 <= kept < len(texts)
    assert [describe_result(scored) for scored in interrupted] == [[f"news.csv: kept {kept} answers for the next run"]]
    assert ask(trained_home, "SELECT count(*) FROM ledger.scored_rows") == [(0,)]
    done = run(trained[1], "answers.csv")
    assert (done.counts.headlines_known, done.counts.headlines_scored, done.kept) == (kept, len(texts) - kept, 0)
    assert describe_result(replace(done, kept=3))[-1] == "news.csv: kept 3 more answers for the next run"


def test_an_interruption_before_the_first_answer_reports_nothing(trained_home: Path, trained: Any) -> None:
    write_news(40)
    settings = ScoreSettings(source="news.csv", model=trained[1])
    interrupted: list[ScoredSource] = []

    def stop(line: str) -> None:
        if line.startswith("loading"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_source(settings, choose_model(settings), notify=stop, on_interrupt=interrupted.append)
    assert interrupted == []


def test_the_champion_scores_at_the_temperature_of_its_promotion_or_another(trained_home: Path, trained: Any) -> None:
    write_news(3)
    with pytest.raises(
        NoScorerError,
        match=r"champion: no cell has been promoted yet; name a cell \(`model`, on the command line --model\), or use",
    ):
        choose_model(ScoreSettings(source="news.csv"))
    named = ScoreSettings(source="news.csv", model=trained[1])
    for cell, judged_at in (("another", 0.1), (trained[1], 1)):
        decision = Decision("promoted", "person", "because", trained[2].study_id, cell, 1)
        before = load_champion(trained_home / "warehouse.duckdb")
        save_decision(trained_home / "warehouse.duckdb", decision, before)
        assert choose_model(named).temperature == choose_model(named).judged_at == judged_at
    scored = run("champion")
    assert scored.cell_id == trained[1]
    assert re.fullmatch(r"at temperature 1, at which it was judged: accuracy .* test headlines", scored.answering)
    assert run("champion", temperature=10).answering.startswith("at temperature 10, judged at 1: accuracy ")
    assert ask(trained_home, "SELECT DISTINCT cell_id, temperature FROM scores ORDER BY ALL") == [
        (trained[1], 1.0),
        (trained[1], 10.0),
    ]
    with pytest.raises(NotJudgedError, match=rf"temperature 2: cell {trained[1]} was judged at 0.1, 1, 10"):
        run("champion", temperature=2)


def test_another_study_with_other_draws_changes_answers_only_at_its_own_temperatures(
    trained_home: Path, trained: Any
) -> None:
    warehouse = trained_home / "warehouse.duckdb"
    greedy = 'json_merge_patch(config, \'{"decoding": {"top_k": 1}}\')'
    decoding = decoding_id(trained[2].config.decoding.model_copy(update={"top_k": 1}))
    evaluation = f"cell_id = '{trained[1]}' AND temperature = 10 AND part = 'test'"
    [(judged,)] = ask(trained_home, f"SELECT evaluation_id FROM evaluations WHERE {evaluation}")
    with writing(warehouse) as connection:
        for table, changes in (
            ("studies", f"'later' AS study_id, number + 1 AS number, '{decoding}' AS decoding_id, {greedy} AS config"),
            ("study_cells", "'later' AS study_id"),
        ):
            connection.execute(f"INSERT INTO {table} SELECT * REPLACE ({changes}) FROM {table}")
        connection.execute(
            f"INSERT INTO evaluations SELECT * REPLACE ('later' AS evaluation_id, '{decoding}' AS decoding_id,"
            " 1 AS top_k, .9 AS accuracy, evaluated_at + INTERVAL 1 HOUR AS evaluated_at) FROM evaluations"
            f" WHERE {evaluation}"
        )

    def find_top_k(temperature: float) -> int | None:
        return choose_model(ScoreSettings(source="a", model=trained[1], temperature=temperature)).decoding.top_k

    assert (find_top_k(0.1), find_top_k(10)) == (50, 1)
    by_gate = {"evaluation_id": judged, "level": 0.05, "promotion_level": 0.05}
    promoted = Decision("promoted", "gate", "good", trained[2].study_id, trained[1], 10, **by_gate)
    save_decision(warehouse, promoted, None)
    assert (find_top_k(0.1), find_top_k(10)) == (50, 50)
    save_decision(warehouse, Decision("promoted", "person", "it", "later", trained[1], 0.1), Champion(trained[1], 10))
    by_person = dict(describe_proposal(propose(trained[1], "better", "me", 10)))
    assert "accuracy .900 " in by_person["becomes champion"]  # by the latest evaluation
    save_decision(warehouse, promoted, Champion(trained[1], 0.1))
    delete_study(warehouse, trained[2].study_id)  # the champion's evaluations stay
    assert find_top_k(10) == 50
    accuracy = list_champions(warehouse).rows[0][3]
    judged_as = load_judged(warehouse, Champion(trained[1], 10))
    assert judged_as is not None
    assert accuracy == pytest.approx(judged_as.accuracy, abs=5e-4) != 0.9


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("answers.txt", "give a name that ends in .csv, .jsonl or .parquet"),
        (
            "nowhere/answers.csv",
            "nowhere/answers.csv: the folder nowhere does not exist; give another place, or make the folder",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_reported_before_anything_is_scored(
    trained_home: Path, trained: Any, output: str, line: str
) -> None:
    write_news(3)
    with pytest.raises(ValueError, match=line):
        run(trained[1], output)
    assert ask(trained_home, "SELECT count(*) FROM scorings") == [(0,)]


def test_where_the_disk_of_the_home_is_full_the_home_is_named(
    trained_home: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_news(5)
    monkeypatch.setattr(score_input, "TemporaryFile", lambda *_, **__: Path("/dev/full").open("w"))  # noqa: SIM115
    with pytest.raises(WarehouseUnwritableError, match=f"^home {trained_home}: cannot be written"):
        run(trained[1], "answers.csv")
