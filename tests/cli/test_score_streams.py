"""`fintone score -`: a stream is answered as it comes, and whatever ends it leaves what was answered."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingestion.packed import PackedError

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


def test_the_drift_of_a_stream_is_reported_while_it_runs_and_at_ctrl_c(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream pauses after 400 headlines, and Ctrl-C comes while the command waits for the next ones."""
    from ingestion import streams
    from operations import drift

    def interrupt(rows: Iterator[Any], most: int, patience: float) -> Iterator[list[Any]]:
        all_rows = list(rows)
        yield all_rows[:300]
        yield all_rows[300:]
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "batch_rows", interrupt)
    monkeypatch.setattr(drift, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes())))
    code, out, err = fintone("score", "-", "--drift-tolerance", "0.05")
    lines = err.splitlines()
    assert (code, len(out.splitlines())) == (130, 401)
    [counted] = [place for place, line in enumerate(lines) if line.startswith("-: 400 rows read")]
    drifted = [place for place, line in enumerate(lines) if line.startswith("warning: drift: ")]
    assert drifted[0] < counted < drifted[-1]
    assert lines[-1].startswith("fintone: interrupted")


def test_a_stream_whose_columns_have_unknown_names_is_refused_by_its_own_header(
    refuse: Callable[..., str], champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a stream is gone: it must not be opened again in the middle."""
    rows = "".join(f"{number};Tessel grew by {number} percent;TESS\n" for number in range(5_000))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"Row;Story;Tkr\n{rows}".encode())))
    line = refuse("score", "-")
    assert "source '-' has no text column, its columns are ['Row', 'Story', 'Tkr']" in line


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
    assert "401 rows read, 1 headline scored, 400 known before" in err
    assert len(read(output)) == 401


def test_a_stream_without_an_answer_leaves_the_file_as_it_was(
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
        pytest.param(signal.SIGTERM, "", marks=pytest.mark.soak),
        pytest.param(signal.SIGINT, "", marks=pytest.mark.soak),
        pytest.param(signal.SIGHUP, UNDER_NOHUP, marks=pytest.mark.soak),
    ],
)
def test_a_signal_that_ends_a_stream_leaves_its_answers_in_the_file(
    champion: str, number: signal.Signals, before: str
) -> None:
    reset = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    code = f"{reset}{before}from cli.main import main; main()"
    command = [sys.executable, "-c", code, "score", "-", "--output", "answers.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stderr=pipe, text=True) as process:
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
