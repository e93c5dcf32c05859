"""`fintone score` and its flow: answers to a pipe or a file, and the drift that the Prefect server is told of."""

import asyncio
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.score import score
from ingestion.packed import PackedError
from reporting.verdict import format_ratio
from schemas.plan import StudyPlan
from schemas.score import ScoreSettings
from storage.champions import Decision, save_decision
from storage.query import query
from storage.warehouse import writing
from tasks.scoring import DRIFT_EVENT, DROP_EVENT
from tests.asking import ask
from tests.old_home.restore import CHAMPION, OTHER, PREDICTIONS
from tests.told import Told

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


@pytest.fixture
def champion(home: Path, trained: tuple[Path, str, StudyPlan], lasting_worker: None) -> str:
    """A home whose champion is the trained cell, and a file of headlines that all say the same."""
    shutil.copytree(trained[0], home)
    decision = Decision("promoted", "person", "because", trained[2].study_id, trained[1], 0.1)
    save_decision(home / "warehouse.duckdb", decision, None)
    with writing(home / "warehouse.duckdb") as connection:  # on test it was sure of everything
        sure = "UPDATE ledger.predictions SET p_positive = 1, p_neutral = 0, p_negative = 0, p_unparsed = 0"
        connection.execute(sure)
    Path("news.csv").write_text("id,title\n" + "".join(f"{number},Profit fell {number} .\n" for number in range(400)))
    return trained[1]


SECONDS_FOR_AN_EVENT = 60.0
"""A server that is busy takes events late."""


def read_events(source: str, name: str = DRIFT_EVENT) -> list[dict[str, Any]]:
    """The events of drift of a source, or of another name, once the server has one."""

    async def ask() -> Any:
        async with get_client() as client:
            found = await client._client.post("/events/filter", json={"filter": {"event": {"name": [name]}}})
            return found.json()["events"]

    deadline = time.monotonic() + SECONDS_FOR_AN_EVENT
    while time.monotonic() < deadline:
        events = [event for event in asyncio.run(ask()) if event["payload"]["source"] == source]
        if events:
            return events
    return []


def test_answers_go_to_standard_output_and_everything_else_to_standard_error(fintone: Run, champion: str) -> None:
    code, out, err = fintone("score", "news.csv", "--drift-tolerance", "0.9")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, len(rows)) == (0, 400)
    assert rows[0].keys() >= {"row", "text", "label", "p_negative", "p_neutral", "p_positive", "model", "version"}
    assert {row["version"] for row in rows} == {champion}
    told = [line for line in err.splitlines() if not re.match(r"[\d,]+ rows", line)]  # which tells what is slow
    read, loading, counted, answered, *more = told
    assert read == "news.csv: text from 'title'"
    assert loading == f"loading tiny0, fine-tuned as cell {champion}"
    unparsed = sum(row["label"] == "unparsed" for row in rows)
    assert counted == (
        f"news.csv: 400 rows read, 400 headlines scored, 0 known before, {unparsed} answers unparsed, 0 rows rejected"
    )
    assert answered.startswith("news.csv: answered at temperature 0.1, at which it was judged: accuracy ")
    assert all(line.startswith(("drift: ", "warning: ")) for line in more)
    code, again, err = fintone("score", "news.csv", "--format", "jsonl", "--drift-tolerance", "0.9")
    assert [json.loads(line)["label"] for line in again.splitlines()] == [row["label"] for row in rows]
    assert " 0 headlines scored, 400 known before," in err


def test_the_text_column_is_told_and_kept_and_rejected_rows_have_reasons(
    fintone: Run, champion: str, home: Path
) -> None:
    rows = ["1,COPY 1,Profit rose again .", "2,COPY 2,Costs rose at Orlo .", "3,COPY 3, ", "4,COPY 4", "5,COPY 5, "]
    Path("two.csv").write_text("\n".join(["id,text,headline", *rows]))
    code, out, err = fintone("score", "two.csv")
    assert (code, [row["row"] for row in csv.DictReader(io.StringIO(out))]) == (0, ["1", "2"])
    assert "two.csv: text from 'headline'\ntwo.csv: warning: the text was read from 'headline', and 'text'" in err
    assert "3 rows rejected (most often 2: empty text, 1: number of fields is 2, not 3)\n" in err
    column = "SELECT text_column FROM scorings WHERE source = 'two.csv'"
    assert ask(home, column) == [("headline",)]


def test_other_columns_pass_through_to_every_form_of_answers(fintone: Run, champion: str) -> None:
    Path("desk.csv").write_text(
        "id;headline;label;ticker;published\n7;Profit rose at Orlo .;up;ORL;2026-01-02\n;Costs fell at Orlo .;;=1+1;\n"
    )
    names = ["id", "source_label", "ticker", "published"]
    expected = [["7", "up", "ORL", "2026-01-02"], ["", "", "=1+1", ""]]
    code, out, err = fintone("score", "desk.csv", "--raw")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert list(rows[0])[-4:] == names
    assert [[row[name] for name in names] for row in rows] == expected
    assert "desk.csv: in the answers 'label' is 'source_label'" in err
    _, out, _ = fintone("score", "desk.csv", "--format", "jsonl")
    assert [[json.loads(line)[name] for name in names] for line in out.splitlines()] == expected
    fintone("score", "desk.csv", "--output", "answers.parquet")
    assert pq.read_table("answers.parquet").select(names).to_pylist() == [
        dict(zip(names, row, strict=True)) for row in expected
    ]
    _, out, _ = fintone("score", "desk.csv")
    assert "'=1+1" in out


def test_evaluate_compares_answers_with_labels_and_tells_which_the_model_was_trained_on(
    fintone: Run, champion: str, home: Path
) -> None:
    train = query(
        home / "warehouse.duckdb",
        "SELECT text, label FROM splits JOIN headlines USING (headline_id) WHERE part = 'train' ORDER BY text LIMIT 20",
    ).rows
    new = [(f"Orlo publishes {number} reports .", ("up", "down")[number % 2]) for number in range(40)]
    lines = [f'"{text}",{word}' for text, word in [*train, *new, ("Orlo opens .", "odd"), ("Orlo closes .", "")]]
    Path("labelled.csv").write_text("\n".join(["headline,label", *lines]))
    Path("words.yaml").write_text("up: positive\ndown: negative\n")
    options = ("--evaluate", "--label-map", "words.yaml", "--unparsed", "neutral")
    code, out, err = fintone("score", "labelled.csv", *options)
    answers = [row["label"] for row in csv.DictReader(io.StringIO(out))]
    truth = [*(label for _, label in train), *(("positive", "negative")[number % 2] for number in range(40))]
    right = [answer == label for answer, label in zip(answers, truth, strict=False)]
    assert code == 0
    assert len(answers) == 62
    assert "2 rows without a known label (1 empty, 1 'odd'); --label-map gives the meaning of words" in err
    [every] = [line for line in err.splitlines() if line.startswith("evaluation: accuracy")]
    [rest] = [line for line in err.splitlines() if line.startswith("evaluation without these: ")]
    assert f"accuracy {format_ratio(sum(right) / 60)} [" in every
    assert every.endswith(" on 60 labelled rows; the model was trained on 20 of them")
    assert f"accuracy {format_ratio(sum(right[20:]) / 40)} [" in rest
    assert rest.endswith(" on 40 labelled rows")


def test_nothing_to_evaluate_is_an_error_with_the_reason(fintone: Run, champion: str) -> None:
    Path("odd.csv").write_text("headline,label\nProfit rose at Orlo .,odd\nCosts rose at Orlo .,\n")
    code, out, err = fintone("score", "odd.csv", "--evaluate", "--label-column", "label")
    assert (code, out) == (2, "")  # before anything is answered
    assert err.splitlines()[-1] == (
        "fintone: source 'odd.csv': nothing to evaluate, 2 rows without a known label (1 empty, 1 'odd'); "
        "--label-map gives the meaning of words"
    )


def test_a_source_is_read_as_when_it_was_last_ingested(fintone: Run, champion: str) -> None:
    rows = [f"{number},Orlo publishes {number} reports .,{('up', 'down', 'flat')[number % 3]}" for number in range(30)]
    Path("own.csv").write_text("\n".join(["id,what,mood", *rows]))
    Path("words.yaml").write_text("up: positive\ndown: negative\nflat: neutral\n")
    reading = ("--text-column", "what", "--label-column", "mood", "--label-map", "words.yaml")
    assert fintone("ingest", "own.csv", *reading)[0] == 0
    code, _, err = fintone("score", "own.csv", "--evaluate")
    assert code == 0
    assert 'own.csv: read as when it was last ingested, label_column="mood", ' in err
    assert " on 30 labelled rows" in err
    code, _, err = fintone("score", "own.csv")
    assert code == 0
    assert err.startswith('own.csv: read as when it was last ingested, text_column="what"; options change that\n')


def test_the_drift_of_a_stream_is_told_while_it_runs_and_at_ctrl_c(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream of 400 headlines that then rests; Ctrl-C comes while the next ones are waited for."""
    from ingestion import streams
    from operations import drift

    def interrupted(rows: Iterator[Any], most: int, patience: float) -> Iterator[list[Any]]:
        held = list(rows)
        yield held[:300]
        yield held[300:]
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "batch_rows", interrupted)
    monkeypatch.setattr(drift, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes())))
    code, out, err = fintone("score", "-", "--drift-tolerance", "0.05")
    lines = err.splitlines()
    assert (code, len(out.splitlines())) == (130, 401)
    [counted] = [place for place, line in enumerate(lines) if line.startswith("-: 400 rows read")]
    drifted = [place for place, line in enumerate(lines) if line.startswith("drift: ")]
    assert drifted[0] < counted < drifted[-1]
    assert lines[-1].startswith("fintone: interrupted")


@pytest.mark.parametrize("output", ["answers.csv", "answers.parquet"])
@pytest.mark.parametrize("broken", [KeyboardInterrupt(), PackedError("the stream is broken")])
def test_a_stream_that_breaks_off_leaves_what_was_answered_in_the_file(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch, output: str, broken: BaseException
) -> None:
    from ingestion import streams

    def break_off(rows: Iterator[Any], most: int, patience: float) -> Iterator[list[Any]]:
        yield list(rows)
        raise broken

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes())))
    with monkeypatch.context() as patch:
        patch.setattr(streams, "batch_rows", break_off)
        code, _, err = fintone("score", "-", "--output", output)
    assert code == (130 if isinstance(broken, KeyboardInterrupt) else 2), err
    assert f"{output}: has the answers until here; the next run replaces the file" in err.splitlines()
    assert ("-: 400 rows read" in err) == isinstance(broken, KeyboardInterrupt)
    read = pd.read_csv if output.endswith("csv") else pd.read_parquet
    assert read(output)["row"].tolist() == list(range(1, 401))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes() + b"9,New .\n")))
    code, _, err = fintone("score", "-", "--output", output)
    assert code == 0
    assert "401 rows read, 1 headlines scored, 400 known before" in err
    assert len(read(output)) == 401


def test_a_stream_of_which_nothing_was_answered_leaves_the_file_as_it_was(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion import streams

    def break_off(rows: Iterator[Any], most: int, patience: float) -> Iterator[list[Any]]:
        raise KeyboardInterrupt
        yield []

    Path("answers.csv").write_text("before")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes())))
    monkeypatch.setattr(streams, "batch_rows", break_off)
    code, _, err = fintone("score", "-", "--output", "answers.csv")
    assert code == 130, err
    assert Path("answers.csv").read_text() == "before"


SECONDS_TO_ANSWER = 120.0
BYTES_OF_A_HEADER = 1_000
UNDER_NOHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "


@pytest.mark.parametrize(
    ("number", "before"),
    [
        (signal.SIGHUP, ""),
        pytest.param(signal.SIGTERM, "", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, UNDER_NOHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_to_end_leaves_what_was_answered_of_a_stream(
    champion: str, number: signal.Signals, before: str
) -> None:
    reset = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    code = f"{reset}{before}from cli.main import main; main()"
    command = [sys.executable, "-c", code, "score", "-", "--output", "answers.csv"]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=path, stdin=pipe, stderr=pipe, text=True) as process:
        assert process.stdin
        process.stdin.write(Path("news.csv").read_text())
        process.stdin.flush()
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while not any(file.stat().st_size > BYTES_OF_A_HEADER for file in Path().glob(".answers.csv.*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == (0 if before else 130), err
    answers = pd.read_csv("answers.csv")
    assert answers["row"].tolist() == list(range(1, 1 + len(answers)))
    assert not answers.isna().any(axis=None)
    assert len(answers) == 400 if before else 0 < len(answers) <= 400  # the signal may come between two lines
    if not before:
        assert "answers.csv: has the answers until here" in err
        assert err.splitlines()[-1].startswith("fintone: interrupted")


def test_lines_are_told_as_lines(fintone: Run, champion: str, home: Path) -> None:
    Path("lines.txt").write_text("Profit rose, again .\nCosts rose at Orlo .\n")
    code, _, err = fintone("score", "lines.txt")
    assert (code, err.splitlines()[0]) == (0, "lines.txt: each line is a headline")


def test_drift_is_told_where_it_exceeds_the_tolerance(fintone: Run, champion: str) -> None:
    _, _, err = fintone("score", "news.csv", "--output", "answers.csv", "--drift-tolerance", "0.05")
    assert "on the model's test part, beyond 0.05 and beyond noise" in err
    assert len(Path("answers.csv").read_text().splitlines()) == 401


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.csv"], "source 'nowhere.csv' does not exist"),
        (["news.csv", "--model", "0000"], "cell 0000: not in the warehouse"),
        (["news.csv", "--output", "answers.txt"], "give a name that ends in .csv, .jsonl or .parquet"),
        (["news.csv", "--output", "a.csv", "--format", "csv"], "--format is for standard output"),
        (["news.csv", "--label-column", "id"], "options for labels of the source need --evaluate: add it"),
        (
            ["news.csv", "--evaluate"],
            "has no label column, its columns are ['id', 'title']: name it with --label",
        ),
        (["news.csv", "--source-format", "pdf"], "format = 'pdf': must be 'csv', 'json'"),
        (
            ["words.csv"],
            "its columns are ['News Title', 'Publication Date']: name it with --text-column, or use --source-format",
        ),
        (["news.csv", "--source-format", "json"], "set --source-format to its own"),
        (["latin.csv", "--encoding", "utf-16"], "is not valid text in 'utf-16': set --encoding to its encoding"),
        (["news.csv", "--header-row", "500"], "has no line 500 that names columns: name another with --header-row"),
        (["news.csv", "--header-row", "0"], "header_row = 0: must be greater than or equal to 1"),
        (["news.csv", "--text-column", "nothing"], "has no text column 'nothing', its columns are ['id', 'title']"),
    ],
)
def test_what_cannot_be_scored_is_one_line(refuse: Refuse, champion: str, arguments: list[str], line: str) -> None:
    Path("words.csv").write_text("News Title,Publication Date\nProfit rose again,3 May\nCosts rose at Orlo,4 May\n")
    Path("latin.csv").write_bytes("title\nGewinn für Müller\n".encode("latin-1"))
    assert line in refuse("score", *arguments)


def test_without_a_warehouse_it_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    assert "does not exist; run `fintone run` first" in refuse("score", "news.csv")
    assert not home.exists()


def test_the_flow_tells_prefect_of_drift(told: Told, champion: str, home: Path) -> None:
    scored = score(ScoreSettings(source="news.csv", output="answers.parquet", drift_tolerance=0.05))
    assert scored.counts.headlines_scored == 400
    assert Path("answers.parquet").exists()

    assert [run.name for run in told.flow_runs()] == ["score news.csv with champion"]
    assert {run.name for run in told.task_runs()} == {"score news.csv", "watch drift"}
    [table] = [json.loads(artifact.data) for artifact in told.artifacts("score-drift")]
    rows = ask(home, "SELECT measure, value, difference FROM score_drift")
    assert [(row["measure"], row["value"]) for row in table] == [
        (measure, round(value, 3)) for measure, value, _ in rows
    ]
    beyond = {row["measure"] for row in table if row["beyond tolerance"]}
    assert beyond
    [event] = read_events("news.csv")
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"
    assert set(event["payload"]["drifted"]) == beyond


def test_drift_is_an_event_without_a_file_of_answers_too(server: str, fintone: Run, champion: str) -> None:
    Path("news.csv").rename("wire.csv")
    code, out, err = fintone("score", "wire.csv", "--drift-tolerance", "0.05")
    assert (code, len(out.splitlines())) == (0, 401)
    assert "is not sent" not in err
    [event] = read_events("wire.csv")
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"


def test_the_event_of_drift_costs_a_line_where_the_server_is_gone(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        code, _, err = fintone("score", "news.csv", "--drift-tolerance", "0.05")
    assert code == 0
    assert "the event of drift is not sent: no Prefect server answers at http://127.0.0.1:9/api" in err


def write_wrong_labels(fintone: Run, source: str, numbers: range) -> None:
    """A file of dated headlines that the champion answers, each with a label other than its answer."""
    texts = [f"Orlo publishes {number} reports ." for number in numbers]
    Path(source).write_text("\n".join(["headline", *texts]))
    _, out, _ = fintone("score", source, "--unparsed", "neutral")
    other = {"neutral": "positive", "positive": "negative", "negative": "neutral"}
    rows = [f"{row['text']},{other[row['label']]},2026-01-05" for row in csv.DictReader(io.StringIO(out))]
    Path(source).write_text("\n".join(["headline,label,date", *rows]))


def test_a_drop_of_accuracy_beyond_noise_is_told_and_is_one_event(
    server: str, fintone: Run, champion: str, home: Path
) -> None:
    for week, name in enumerate(("quiet.csv", "alarm.csv", "later.csv")):
        write_wrong_labels(fintone, name, range(60 * week, 60 * week + 60))
        code, _, err = fintone("score", name, "--evaluate", "--drift-tolerance", "0.9")
        [line] = [line for line in err.splitlines() if "fresh headlines: " in line]
        assert code == 0
        assert line.startswith("warning: ") == (name != "quiet.csv")
        assert ("train again with these headlines" in line) == (name != "quiet.csv")
    [event] = read_events("alarm.csv", DROP_EVENT)
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"
    assert (event["payload"]["n"], event["payload"]["accuracy"]) == (120, 0)
    assert event["payload"]["p_value"] <= 0.05
    [sent] = ask(home, "SELECT scoring_id FROM accuracy_drops WHERE sent_at IS NOT NULL")
    assert (event["payload"]["scoring_id"],) == sent


def test_the_flow_tells_of_a_drop_of_accuracy(told: Told, fintone: Run, champion: str) -> None:
    write_wrong_labels(fintone, "month.csv", range(120))
    score(ScoreSettings(source="month.csv", output="answers.csv", evaluate=True, drift_tolerance=0.9))
    assert {run.name for run in told.task_runs()} >= {"watch drift", "watch accuracy"}
    [event] = read_events("month.csv", DROP_EVENT)
    assert event["payload"]["n"] == 120


def test_without_a_server_a_drop_of_accuracy_is_told_and_kept_to_be_sent(
    fintone: Run, champion: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wrong_labels(fintone, "month.csv", range(120))
    code, _, err = fintone("score", "month.csv", "--evaluate", "--drift-tolerance", "0.9")
    assert (code, "is not sent" in err) == (0, False)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        _, _, err = fintone("score", "month.csv", "--evaluate", "--drift-tolerance", "0.9")
    assert "the event of the drop is not sent: no Prefect server answers at http://127.0.0.1:9/api" in err
    assert ask(home, "SELECT n, sent_at FROM accuracy_drops") == [(120, None)]


@pytest.mark.parametrize("cell", [CHAMPION, OTHER])
def test_the_adapters_of_an_old_home_answer_as_its_ledger_has_it(
    fintone: Run, old_home: Path, lasting_worker: None, cell: str
) -> None:
    known = ask(old_home, PREDICTIONS.format(cell))
    with Path("test.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["headline"], *([text] for text, *_ in known)])
    code, out, err = fintone("score", "test.csv", "--model", cell, "--temperature", "1", "--format", "jsonl")
    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, [answer["text"] for answer in answers]) == (0, [text for text, *_ in known])
    assert "migrated from 19 to 9000; the file as it was: " in err
    for (_, *probabilities), answer in zip(known, answers, strict=True):
        told = [answer[f"p_{outcome}"] for outcome in ("negative", "neutral", "positive", "unparsed")]
        assert told == pytest.approx(probabilities, abs=1e-3)
