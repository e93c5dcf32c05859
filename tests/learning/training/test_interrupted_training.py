"""An interrupted training continues from its checkpoint to the same weights, and a damaged checkpoint is ignored."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from learning.training.checkpoints import MANIFEST, CheckpointStore
from learning.training.recipe import Training, TrainingStep
from learning.worker.jobs import BaseSpec, TrainingJob
from learning.worker.process import Worker, WorkerDiedError
from schemas.label import Label
from tests.learning.training.short_trainings import KilledError, recipe, weights

Labelled = tuple[list[str], list[Label]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "step", "first_step"),
    [
        ("constant", 9, 6),
        *(
            pytest.param(*point, marks=pytest.mark.soak)
            for point in (("constant", 2, 0), ("cosine", 4, 3), ("warmup-stable-decay", 9, 8))
        ),
    ],
)
def test_an_interrupted_training_ends_in_the_weights_of_an_undisturbed_one(
    train: Any, store: CheckpointStore, tmp_path: Path, schedule: str, step: int, first_step: int
) -> None:
    how = recipe(2, schedule, checkpoint_steps=3)

    def end(done: TrainingStep) -> None:
        if done.step == step:
            raise KilledError

    with pytest.raises(KilledError):
        train("killed", how, store, on_step=end)
    assert train("killed", how, store).first_step == first_step
    train("alone", how)
    assert weights(tmp_path / "killed") == weights(tmp_path / "alone")


@pytest.mark.soak
def test_a_process_killed_at_any_moment_continues_to_the_same_weights(
    tiny_folder: Path, labelled: Labelled, train: Any, store: CheckpointStore, tmp_path: Path
) -> None:
    """`kill -9` at a step, and some time after one, when a checkpoint may be half written."""
    how = recipe(6, checkpoint_steps=1)
    spec = BaseSpec(tiny_folder, "nf4", how.training, "")
    planned = Training(how, tmp_path / "killed", store)
    job = TrainingJob(spec, tuple(labelled[0]), tuple(labelled[1]), (planned,))
    worker, left = Worker(), []
    for step, delay in ((4, 0.0), (17, 0.01)):
        with pytest.raises(WorkerDiedError, match=r"killed by signal 9 \(SIGKILL\)"):
            worker.run(job, lambda event, step=step, delay=delay: kill_at(worker, event, step, delay))
        left.append(len(list(store.root.glob("*/checkpoint-*"))))
    assert all(0 < count <= 3 for count in left)
    [outcome] = worker.run(job, lambda _: None)
    worker.close()
    assert outcome.first_step >= 15
    train("alone", how)
    assert weights(tmp_path / "killed") == weights(tmp_path / "alone")


def kill_at(worker: Worker, event: Any, step: int, delay: float) -> None:
    if isinstance(event, tuple) and event[1].step == step:
        time.sleep(delay)
        assert worker._process is not None
        os.kill(worker._process.pid, signal.SIGKILL)


@pytest.fixture
def interrupted(train: Any, store: CheckpointStore) -> Path:
    """The checkpoint that an interrupted training left."""

    def end(step: TrainingStep) -> None:
        if step.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train("cell", recipe(2, checkpoint_steps=3), store, on_step=end)
    [folder] = store.root.glob("*/checkpoint-*")
    return folder


def cut_file(folder: Path) -> None:
    file = folder / "optimizer.pt"
    file.write_bytes(file.read_bytes()[:-100])


def change_byte(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def cut_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:40])


def remove_file(folder: Path) -> None:
    (folder / "rng_state.pth").unlink()


def name_another_training(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "training": "theirs"}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (cut_file, "is damaged or incomplete"),
        pytest.param(change_byte, "is damaged or incomplete", marks=pytest.mark.soak),
        pytest.param(remove_manifest, "is damaged or incomplete", marks=pytest.mark.soak),
        pytest.param(cut_manifest, "is damaged or incomplete", marks=pytest.mark.soak),
        pytest.param(remove_file, "is damaged or incomplete", marks=pytest.mark.soak),
        (name_another_training, "is of another training"),
    ],
)
def test_a_torn_or_foreign_checkpoint_is_ignored_with_a_warning(
    train: Any, store: CheckpointStore, tmp_path: Path, interrupted: Path, spoil: Any, why: str
) -> None:
    spoil(interrupted)
    lines: list[str] = []
    outcome = train("cell", recipe(2, checkpoint_steps=3), store, notify=lines.append)
    assert lines == [f"checkpoint {interrupted}: {why}; ignored"]
    assert outcome.first_step == 0
    train("alone", recipe(2))
    assert weights(tmp_path / "cell") == weights(tmp_path / "alone")


def test_a_whole_checkpoint_is_used_without_a_message(train: Any, store: CheckpointStore, interrupted: Path) -> None:
    lines: list[str] = []
    assert train("cell", recipe(2, checkpoint_steps=3), store, notify=lines.append).first_step == 3
    assert lines == []
    assert interrupted.parent.is_dir()
