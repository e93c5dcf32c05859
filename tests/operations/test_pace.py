"""The estimate of how long a study takes: from measured cells, without their start-up before the first headlines."""

import pytest

from operations.pace import CellWork, Pace

SMALL = CellWork("small", 10, 8)
LARGE = CellWork("large", 10, 8)


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def train(pace: Pace, clock: Clock, cell: str, seconds: float, start_up: float = 0.0) -> None:
    """Ten steps of this many seconds each, after a start-up."""
    clock.now += start_up
    for step in range(1, 11):
        clock.now += seconds
        pace.update(cell, "train", step, 10)


def score(pace: Pace, clock: Clock, cell: str, seconds: float) -> None:
    """A hundred headlines in ten batches of this many seconds each."""
    for done in range(10, 101, 10):
        clock.now += seconds
        pace.update(cell, "score", done, 100)


def test_there_is_no_estimate_before_both_training_and_scoring_are_measured(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL}, ["a", "b"], clock=clock)
    assert pace.seconds_left() is None
    with pace.running(["a"]):
        train(pace, clock, "a", 1)
        assert pace.seconds_left() is None
        pace.update("a", "score", 10, 100)
        clock.now += 1
        pace.update("a", "score", 20, 100)
        assert pace.seconds_left() is None  # one second is too short to measure
        score(pace, clock, "a", 1)
        assert pace.seconds_left() is not None


def test_the_start_up_of_a_cell_does_not_count_for_others(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL, "c": SMALL}, ["a", "b", "c"], clock=clock)
    for cell, start_up in (("a", 600), ("b", 0)):
        with pace.running([cell]):
            train(pace, clock, cell, 1, start_up)
            score(pace, clock, cell, 1)
    assert pace.seconds_left() == pytest.approx(20, rel=0.2)
    assert pace.done == 2


def test_a_start_up_that_every_cell_has_is_expected_of_the_others_too(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL}, ["a", "b"], clock=clock)
    with pace.running(["a"]):
        train(pace, clock, "a", 1, 30)
        score(pace, clock, "a", 1)
    assert pace.seconds_left() == pytest.approx(30 + 20, rel=0.05)


def test_what_follows_a_training_that_ended_early_is_not_counted_as_training(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL, "c": SMALL}, ["a", "b", "c"], clock=clock)
    with pace.running(["a"]):
        for step in range(1, 6):
            clock.now += 1
            pace.update("a", "train", step, 10)
    with pace.running(["b"]):
        train(pace, clock, "b", 1, 600)
        score(pace, clock, "b", 1)
    assert pace.seconds_left() == pytest.approx(20, rel=0.2)


def test_the_estimate_falls_within_a_cell(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL}, ["a", "b"], clock=clock)
    with pace.running(["a"]):
        train(pace, clock, "a", 1)
        score(pace, clock, "a", 1)
    estimates = []
    with pace.running(["b"]):
        for step in range(1, 10):
            clock.now += 1
            pace.update("b", "train", step, 10)
            estimates.append(pace.seconds_left() or 0)
        pace.update("b", "score", 60, 100)
        assert pace.seconds_left() == pytest.approx(4, abs=2)
    assert estimates == sorted(estimates, reverse=True)
    assert estimates[0] - estimates[-1] == pytest.approx(8, rel=0.2)
    assert estimates[-1] == pytest.approx(1 + 10, rel=0.2)


def test_cells_side_by_side_are_measured_together(clock: Clock) -> None:
    names = [f"cell {number}" for number in range(4)]
    pace = Pace(dict.fromkeys(names, SMALL), names, clock=clock)
    with pace.running(names[:2]):
        for step in range(1, 11):
            clock.now += 1
            for name in names[:2]:
                pace.update(name, "train", step, 10)
        for name in names[:2]:
            score(pace, clock, name, 1)
    assert pace.seconds_left() == pytest.approx(10 + 2 * 10, rel=0.2)


def test_a_base_that_has_not_trained_yet_trains_as_much_slower_as_it_scores(clock: Clock) -> None:
    works = {"base small": SMALL, "base large": LARGE, "a": SMALL, "b": LARGE}
    pace = Pace(works, ["a", "b"], clock=clock)
    score(pace, clock, "base small", 1)
    score(pace, clock, "base large", 5)
    with pace.running(["a"]):
        train(pace, clock, "a", 1)
        score(pace, clock, "a", 1)
    assert pace.seconds_left() == pytest.approx(5 * 20, rel=0.2)
    assert pace.done == 1


def test_there_is_no_estimate_while_a_base_is_not_measured(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": LARGE}, ["a", "b"], clock=clock)
    with pace.running(["a"]):
        train(pace, clock, "a", 1)
        score(pace, clock, "a", 1)
    assert pace.seconds_left() is None


def test_a_cell_that_was_finished_before_gives_no_estimate(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL}, ["a", "b"], clock=clock)
    with pace.running(["a"]):
        clock.now += 0.5
    assert (pace.done, pace.seconds_left()) == (1, None)


def test_on_a_cluster_cells_are_measured_as_they_end_and_run_side_by_side(clock: Clock) -> None:
    works = {"a": SMALL, "b": SMALL, "c": SMALL, "twice as long": CellWork("small", 20, 8)}
    pace = Pace(works, list(works), lanes=2, clock=clock)
    with pace.running(["a"]):
        clock.now += 30
    assert pace.seconds_left() == pytest.approx((30 + 30 + 60) / 2)


def test_the_time_of_a_pause_does_not_count_and_cells_left_out_are_not_expected(clock: Clock) -> None:
    pace = Pace({"a": SMALL, "b": SMALL}, ["a", "b"], clock=clock)
    with pace.pausing(["a"]):
        for step in range(1, 6):
            clock.now += 1
            pace.update("a", "train", step, 10)
    clock.now += 600
    with pace.running(["a"]):
        for step in range(6, 11):
            clock.now += 1
            pace.update("a", "train", step, 10)
        score(pace, clock, "a", 1)
    assert pace.seconds_left() == pytest.approx(20, rel=0.2)
    pace.leave_out(["b"])
    assert (pace.seconds_left(), pace.done) == (0, 2)
