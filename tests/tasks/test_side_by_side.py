"""A number of trainings side by side that has no effect is told."""

from unittest.mock import Mock

import pytest

from learning.study.grid import plan_study
from tasks.training import report_ignored_number
from tests.learning.study.demo_plans import demo, find_base


@pytest.mark.parametrize(
    ("wanted", "most", "is_told"), [("3", 1, True), ("3", 3, False), ("1", 1, False), ("auto", 1, False)]
)
def test_a_number_without_effect_is_told(
    monkeypatch: pytest.MonkeyPatch, wanted: str, most: int, *, is_told: bool
) -> None:
    announce = Mock()
    monkeypatch.setattr("tasks.training.announce", announce)
    study = plan_study(demo(f"training.side_by_side={wanted}"), "snapshot", "split", find_base, [], None)
    report_ignored_number(study.cells[0], most)
    line = "base model embedded: training.side_by_side = 3 has no effect, its cells share no pass"
    assert [call.args[0] for call in announce.call_args_list] == [line] * is_told
