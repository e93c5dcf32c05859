"""The limits of `fintone sql` in real processes: its time, its memory, and the wait after Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from storage.warehouse import writing

FINTONE = Path(sys.executable).with_name("fintone")
SECONDS_TO_LOAD = 60
ENDLESS = "SELECT count(*) FROM range(1000000000000) AS t(i) WHERE sqrt(i) > 0"
STUBBORN = "SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))"
"""One call of a function that takes minutes, during which DuckDB ignores interruptions."""


def start(warehouse: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "FINTONE_HOME": str(warehouse.parent)}
    pipe = subprocess.PIPE
    return subprocess.Popen([str(FINTONE), "sql", *arguments], env=environment, stdout=pipe, stderr=pipe, text=True)


def wait_until_it_computes(process: subprocess.Popen[str], warehouse: Path) -> None:
    """Wait until the process has the warehouse open and has spent a moment on the query."""
    watched, deadline = psutil.Process(process.pid), time.monotonic() + SECONDS_TO_LOAD
    while str(warehouse) not in {file.path for file in watched.open_files()} and time.monotonic() < deadline:
        time.sleep(0.02)
    begun = watched.cpu_times().user
    while watched.cpu_times().user < begun + 0.3 and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("statement", [ENDLESS, STUBBORN])
def test_an_interruption_ends_any_query_within_a_second(warehouse: Path, statement: str) -> None:
    with start(warehouse, statement) as process:
        wait_until_it_computes(process, warehouse)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        out, err = process.communicate()
        seconds = time.monotonic() - begin
    assert (process.returncode, out) == (130, "")
    assert err == "fintone: interrupted\n"
    assert seconds < 2  # a second, and one more for a busy machine


@pytest.mark.parametrize("statement", [ENDLESS, STUBBORN])
def test_a_query_that_takes_too_long_is_ended_and_reported(warehouse: Path, statement: str) -> None:
    with start(warehouse, "--timeout", "0.5", statement) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert err == "fintone: sql: took longer than 0.5 s; allow more with --timeout, or ask for less\n"


@pytest.mark.slow
def test_the_time_that_a_reader_takes_does_not_count(warehouse: Path) -> None:
    statement = "SELECT i, repeat('x', 100) FROM range(50000) AS t(i)"
    with start(warehouse, "--timeout", "20", "--format", "csv", statement) as process:
        assert process.stdout
        first = process.stdout.readline()
        time.sleep(1)
        rows = process.stdout.readlines()
    assert (process.returncode, first[:2], len(rows)) == (0, "i,", 50_000)


def test_a_query_that_takes_too_much_memory_is_reported(warehouse: Path) -> None:
    with start(warehouse, "--memory", "0.1", "SELECT list(hash(i)) FROM range(100000000) AS t(i)") as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert err == "fintone: sql: takes more memory than it may; allow more with --memory, or ask for less\n"
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", *(pytest.param(form, marks=pytest.mark.soak) for form in ("json", "table"))])
def test_a_large_answer_is_never_held_whole(warehouse: Path, form: str) -> None:
    """Half a million rows of 200 bytes are 100 MB as text, and some 300 MB as Python's values."""
    statement = "SELECT i, repeat('x', 200) AS text FROM range(500000) AS t(i)"
    peaks = {}
    for number, sql in ((1, "SELECT 1 AS i, 'x' AS text"), (500_000, statement)):
        with start(warehouse, "--format", form, "--output", "/dev/null", sql) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            peaks[number] = usage.ru_maxrss * 1024
    assert peaks[500_000] - peaks[1] < 100e6


def test_a_pipe_that_closes_ends_an_endless_answer(warehouse: Path) -> None:
    with start(warehouse, "--format", "csv", "SELECT i FROM range(1000000000000) AS t(i)") as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["i\n", "0\n"]
        process.stdout.close()
        process.wait(timeout=30)
    assert process.returncode == 1


@pytest.mark.slow
def test_a_query_and_a_writer_do_not_fail_each_other(warehouse: Path) -> None:
    """A writer waits for a long query and finishes after it."""
    with start(warehouse, "--timeout", "2", ENDLESS) as process:
        wait_until_it_computes(process, warehouse)
        with writing(warehouse) as connection:
            connection.execute("UPDATE published_results SET accuracy = 0.5 WHERE epochs = 13")
        process.communicate()
    assert process.returncode == 1
