"""A training that is stop_requested to stop saves a checkpoint and continues from it to the same adapter."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from learning.models.loaded_base import LoadedBase
from learning.training import stopping
from learning.training.cell import train_adapters
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training, TrainingOutcome, TrainingStep
from learning.training.stopping import TrainingStoppedError, request_stop
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

Labelled = tuple[list[str], list[Label]]
STOPPED_AT = 2


@pytest.fixture
def stop_requested(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The request to stop, in place of that of this process, which would be final."""
    monkeypatch.setattr(stopping, "_requested", Event())
    return stopping._requested


def recipe(rate: float, schedule: Any, side_by_side: Any) -> Recipe:
    """Five steps with dropout, so that every random number counts."""
    changes: dict[str, Any] = {"learning_rate": rate, "schedule": schedule, "side_by_side": side_by_side}
    training = TrainingSettings(
        loss="completion", batch_size=8, micro_batch_size=4, epochs=1, seed=7, precision="float32", **changes
    )
    return Recipe(PromptSettings(), LoraSettings(r=4, dropout=0.1), training)


def stop_at_step(step: TrainingStep) -> None:
    if step.step == STOPPED_AT:
        assert request_stop()


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "schedule"), [pytest.param([1e-3], "cosine", marks=pytest.mark.soak), ([1e-3, 3e-3], "constant")]
)
def test_a_stopped_training_continues_to_the_same_adapter(
    base: LoadedBase, labelled: Labelled, tmp_path: Path, stop_requested: Event, rates: list[float], schedule: str
) -> None:
    recipes = [recipe(rate, schedule, len(rates) if len(rates) > 1 else "auto") for rate in rates]

    def train(name: str, on_step: Callable[[TrainingStep], None] = lambda _: None) -> list[TrainingOutcome]:
        trainings = [
            Training(
                each, tmp_path / f"{name}-{place}", CheckpointStore(tmp_path / f"{name}-{place}-kept", "x"), on_step
            )
            for place, each in enumerate(recipes)
        ]
        return train_adapters(base, *labelled, trainings)

    with pytest.raises(TrainingStoppedError):
        train("stopped", stop_at_step)
    assert not (tmp_path / "stopped-0").exists()
    stop_requested.clear()
    outcomes, alone = train("stopped"), train("alone")
    for place, (outcome, undisturbed) in enumerate(zip(outcomes, alone, strict=True)):
        assert 0 < outcome.first_step <= STOPPED_AT + 1
        assert weights(tmp_path / f"stopped-{place}") == weights(tmp_path / f"alone-{place}")
        assert [step.loss for step in outcome.log] == [step.loss for step in undisturbed.log]


def test_a_request_to_stop_is_refused_if_nothing_is_training(stop_requested: Event) -> None:
    assert not request_stop()
