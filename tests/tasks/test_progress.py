"""Progress reaches the log with its event, and the Prefect UI as one bar that grows; seconds read like a clock."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from prefect import flow

from flows.notices import show_notices
from operations.pace import CellWork, Pace, pacing
from tasks import progress
from tasks.progress import JobProgress, Progress, announce, format_seconds
from tests.server_record import ServerRecord


@pytest.fixture
def events(server: str) -> Iterator[list[dict[str, Any]]]:
    """The events of all log records of flow runs, as they come."""
    seen: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if hasattr(record, "fintone"):
                assert record.getMessage() == record.fintone["text"]
                seen.append(record.fintone)

    logger, handler = logging.getLogger("prefect.flow_runs"), Keep()
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)


class Step(NamedTuple):
    """What a bar shows of a training's step."""

    step: int
    steps: int
    loss: float
    examples_per_second: float


@flow
def count(steps: int) -> None:
    bar = Progress("count", steps)
    for step in range(1, steps + 1):
        bar.update(step, f"at {step}")


@flow
def notify(message: str) -> None:
    announce(message)


def test_an_announcement_is_a_line_and_an_event(events: list[dict[str, Any]]) -> None:
    notify("split: 900 train")
    assert events == [{"text": "split: 900 train"}]


def test_a_warning_has_that_level_so_that_a_server_finds_it(server: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "prefect.flow_runs"):
        notify("warning: too few headlines")
        notify("split: 900 train")
        log_twice()
    levels = {record.getMessage(): record.levelname for record in caplog.records if hasattr(record, "fintone")}
    assert levels == {
        "warning: too few headlines": "WARNING",
        "split: 900 train": "INFO",
        "home: another process is running": "WARNING",
        "home: all is well": "INFO",
    }


@flow
def log_twice() -> None:
    """What storage logs has its own level."""
    logger = logging.getLogger("fintone.test")
    logger.setLevel(logging.INFO)
    show_notices()
    logger.warning("home: another process is running")
    logger.info("home: all is well")


def test_a_server_keeps_ever_fewer_lines_of_a_long_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten hours with an update every two seconds."""
    now, kept = 0.0, []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    monkeypatch.setattr(progress.Progress, "_draw", lambda *_: None)

    class Keep:
        def info(self, text: str, extra: dict[str, Any]) -> None:
            kept.extend([text] * extra["send_to_api"])

    monkeypatch.setattr(progress, "get_run_logger", Keep)
    bar = Progress("train", 18_000)
    for step in range(1, 18_001):
        now += 2.0
        bar.update(step)
    assert 50 < len(kept) < 150
    assert kept[0].startswith("train, 1/18000")
    assert kept[-1] == "train, 18000/18000"


def test_quick_work_shows_only_its_end(events: list[dict[str, Any]]) -> None:
    count(50)
    shown = {"title": "count", "done": 50, "total": 50, "detail": "at 50", "ends": "", "cell": None}
    assert events == [{"text": "count, 50/50, at 50", **shown}]


def test_slow_work_is_one_bar_that_grows(
    events: list[dict[str, Any]], recorded: ServerRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    monkeypatch.setattr(progress, "SECONDS_TO_MEAN", 0.0)
    count(4)
    assert [event["done"] for event in events] == [1, 2, 3, 4]
    assert [event["text"].endswith(" left") for event in events] == [False, True, True, False]
    assert "left" not in events[-1]
    [bar] = [artifact for artifact in recorded.artifacts() if artifact.type == "progress"]
    assert (float(bar.data), bar.description) == (100.0, "count, 4/4, at 4")


def test_the_first_seconds_give_no_estimate_and_earlier_time_does_not_count() -> None:
    """A training that loads for 100 s, goes on from step 500 of 1,000 and then takes a second a step."""
    bar = Progress("train", 1_000)
    bar.first = (100.0, 500)
    ends = [bar._describe_end(500 + after, 100.0 + after) for after in (0, 1, 2, 3, 100)]
    assert ends == ["", "", "", "8:17 left", "6:40 left"]


def test_a_bar_of_a_cell_shows_how_long_all_cells_will_take(
    events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds between two updates: eight headlines in each training step, twelve in each batch that is scored."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    clock = iter(range(0, 1_000, 10))
    pace = Pace({"a": CellWork("base", 4, 8), "b": CellWork("base", 8, 8)}, ["a", "b"], clock=lambda: next(clock))

    @flow
    def train() -> None:
        with pacing(pace), pace.running(["a"]):
            training, scoring = JobProgress("train a", cell="a"), Progress("score a", 24, "a")
            for step in (1, 2, 3, 4):
                training.update(Step(step, 4, 0.5, 10.0))
            scoring.update(12)
            scoring.update(24)

    train()
    assert [event.get("left") for event in events] == [None, None, None, None, None, "1:40"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (9.6, "0:10"), (59.6, "1:00"), (187, "3:07"), (3599.9, "1:00:00"), (3787, "1:03:07")],
)
def test_seconds_read_like_a_clock(seconds: float, shown: str) -> None:
    assert format_seconds(seconds) == shown
