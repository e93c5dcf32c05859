"""A training on a GPU that is killed continues from its checkpoint to the adapter of an undisturbed one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training
from learning.worker.jobs import BaseSpec, TrainingJob
from learning.worker.process import Worker, WorkerDiedError
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.gpu.rounding import ADAPTER, largest_difference, load_weights

pytestmark = pytest.mark.gpu

STEPS_BETWEEN, KILLED_AT, STEPS = 2, 5, 10


@pytest.fixture
def worker() -> Iterator[Worker]:
    running = Worker()
    yield running
    running.close()


def test_a_killed_training_continues_to_the_adapter_of_an_undisturbed_one(
    worker: Worker, labelled: tuple[list[str], list[Label]], tmp_path: Path
) -> None:
    training = TrainingSettings(
        loss="completion",
        schedule="constant",
        checkpoint_steps=STEPS_BETWEEN,
        precision="float32",
        learning_rate=1e-3,
        epochs=2,
        seed=7,
    )
    recipe = Recipe(PromptSettings(), LoraSettings(r=4, dropout=0.1), training)

    def train(name: str, store: CheckpointStore | None, on_event: Any = lambda _: None) -> Any:
        spec = BaseSpec(MODEL_FOLDER, "nf4", training, "")
        planned = Training(recipe, tmp_path / name, store)
        [outcome] = worker.run(TrainingJob(spec, tuple(labelled[0]), tuple(labelled[1]), (planned,)), on_event)
        return outcome

    def kill(event: Any) -> None:
        if isinstance(event, tuple) and event[1].step == KILLED_AT:
            assert worker._process is not None
            os.kill(worker._process.pid, signal.SIGKILL)

    store = CheckpointStore(tmp_path / "checkpoints", "ours")
    with pytest.raises(WorkerDiedError, match=r"killed by signal 9 \(SIGKILL\)"):
        train("killed", store, kill)
    assert not (tmp_path / "killed").exists()
    outcome, undisturbed = train("killed", store), train("undisturbed", None)
    assert KILLED_AT - STEPS_BETWEEN < outcome.first_step < STEPS
    assert [step.step for step in outcome.log] == [step.step for step in undisturbed.log] == [*range(1, STEPS + 1)]
    assert {outcome.environment["device"], undisturbed.environment["device"]} == {choose_device().name}
    assert undisturbed.first_step == 0
    weights, expected = load_weights(tmp_path / "killed"), load_weights(tmp_path / "undisturbed")
    assert largest_difference(weights, expected) < ADAPTER[torch.float32]
