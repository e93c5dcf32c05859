"""A training that is asked to stop saves a checkpoint, and what goes on from there is what it would have become."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training import stopping
from learning.training.cell import train_adapters
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep
from learning.training.run import Training
from learning.training.stopping import TrainingStoppedError, request_stop
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

Labelled = tuple[list[str], list[Label]]
ASKED_AT = 2


@pytest.fixture(scope="module")
def base(tiny_folder: Path) -> LoadedBase:
    return LoadedBase(tiny_folder, "nf4", choose_device())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The request, in place of that of this process, which would be final."""
    monkeypatch.setattr(stopping, "_requested", Event())
    return stopping._requested


def recipe(rate: float, schedule: Any, side_by_side: Any) -> Recipe:
    """Five steps with dropout, so that every random number counts."""
    own: dict[str, Any] = {"learning_rate": rate, "schedule": schedule, "side_by_side": side_by_side}
    training = TrainingSettings(
        loss="completion", batch_size=8, micro_batch_size=4, epochs=1, seed=7, precision="float32", **own
    )
    return Recipe(PromptSettings(), LoraSettings(r=4, dropout=0.1), training)


def ask_at_step(step: TrainingStep) -> None:
    if step.step == ASKED_AT:
        assert request_stop()


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("rates", "schedule"), [pytest.param([1e-3], "cosine", marks=pytest.mark.slow), ([1e-3, 3e-3], "constant")]
)
def test_a_stopped_training_goes_on_to_the_same_adapter(
    base: LoadedBase, labelled: Labelled, tmp_path: Path, asked: Event, rates: list[float], schedule: str
) -> None:
    recipes = [recipe(rate, schedule, len(rates) if len(rates) > 1 else "auto") for rate in rates]

    def train(name: str, on_step: Callable[[TrainingStep], None] = lambda _: None) -> list[TrainingOutcome]:
        trainings = [
            Training(
                own, tmp_path / f"{name}-{place}", CheckpointStore(tmp_path / f"{name}-{place}-kept", "x"), on_step
            )
            for place, own in enumerate(recipes)
        ]
        return train_adapters(base, *labelled, trainings)

    with pytest.raises(TrainingStoppedError):
        train("stopped", ask_at_step)
    assert not (tmp_path / "stopped-0").exists()
    asked.clear()
    outcomes, alone = train("stopped"), train("alone")
    for place, (outcome, undisturbed) in enumerate(zip(outcomes, alone, strict=True)):
        assert 0 < outcome.first_step <= ASKED_AT + 1
        assert weights(tmp_path / f"stopped-{place}") == weights(tmp_path / f"alone-{place}")
        assert [step.loss for step in outcome.log] == [step.loss for step in undisturbed.log]


def test_there_is_nothing_to_stop_where_nothing_is_trained(asked: Event) -> None:
    assert not request_stop()
