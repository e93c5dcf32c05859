"""Checkpoints: shorter and longer cells share them, a killed training goes on from them, a torn one is ignored."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training import checkpoints
from learning.training.cell import train_adapter, train_adapters
from learning.training.cell_training import Training
from learning.training.checkpoints import MANIFEST, CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep
from learning.worker.jobs import BaseSpec, PlannedTraining, TrainingJob
from learning.worker.process import Worker, WorkerDiedError
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

Labelled = tuple[list[str], list[Label]]
DROPOUT = LoraSettings(r=4, dropout=0.1)


@pytest.fixture(scope="module")
def base(tiny_folder: Path) -> LoadedBase:
    return LoadedBase(tiny_folder, "nf4", choose_device())


def recipe(epochs: int, schedule: Any = "constant", **changes: Any) -> Recipe:
    """Five steps an epoch, in two micro-batches each, with dropout, so that every random number counts."""
    training = TrainingSettings(
        loss="completion",
        schedule=schedule,
        batch_size=8,
        micro_batch_size=4,
        learning_rate=1e-3,
        epochs=epochs,
        seed=7,
        **changes,
    )
    return Recipe(PromptSettings(), DROPOUT, training)


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", "ours")


@pytest.fixture
def train(base: LoadedBase, labelled: Labelled, tmp_path: Path) -> Any:
    def run(name: str, how: Recipe, store: CheckpointStore | None = None, **more: Any) -> TrainingOutcome:
        return train_adapter(base, *labelled, how, tmp_path / name, store=store, **more)

    return run


@pytest.mark.parametrize("schedule", ["constant", pytest.param("warmup-stable-decay", marks=pytest.mark.slow)])
def test_a_cell_that_goes_on_from_a_shorter_one_is_the_cell_trained_alone(
    train: Any, store: CheckpointStore, tmp_path: Path, schedule: str
) -> None:
    shared = {"constant": (0, 5, 15), "warmup-stable-decay": (0, 3, 9)}[schedule]
    for epochs, first_step in zip((1, 3, 4), shared, strict=True):
        how = recipe(epochs, schedule, decay_ratio=0.4)
        outcome = train(f"shared-{epochs}", how, store)
        alone = train(f"alone-{epochs}", how)
        assert outcome.first_step == first_step
        assert weights(tmp_path / f"shared-{epochs}") == weights(tmp_path / f"alone-{epochs}")
        told = [(step.step, step.loss, step.learning_rate, step.grad_norm) for step in outcome.log]
        assert told == [(step.step, step.loss, step.learning_rate, step.grad_norm) for step in alone.log]


def test_with_a_cosine_nothing_is_shared(train: Any, store: CheckpointStore, tmp_path: Path) -> None:
    train("one", recipe(1, "cosine"), store)
    assert train("two", recipe(2, "cosine"), store).first_step == 0
    train("alone", recipe(2, "cosine"))
    assert weights(tmp_path / "two") == weights(tmp_path / "alone")


@pytest.mark.slow
def test_a_shorter_cell_after_a_longer_one_is_trained_anew_and_leaves_its_checkpoint(
    train: Any, store: CheckpointStore, tmp_path: Path
) -> None:
    train("three", recipe(3), store)
    assert train("one", recipe(1), store).first_step == 0
    train("alone", recipe(1))
    assert weights(tmp_path / "one") == weights(tmp_path / "alone")
    assert train("four", recipe(4), store).first_step == 15


@pytest.mark.parametrize("schedule", ["cosine", pytest.param("constant", marks=pytest.mark.slow)])
def test_a_training_that_pauses_at_the_end_of_an_epoch_ends_in_the_weights_of_one_that_does_not(
    base: LoadedBase, labelled: Labelled, train: Any, store: CheckpointStore, tmp_path: Path, schedule: str
) -> None:
    def pause(name: str) -> TrainingOutcome:
        how = Training(recipe(2, schedule), tmp_path / name, store, pause_epoch=1)
        [outcome] = train_adapters(base, *labelled, [how])
        return outcome

    paused, again = pause("paused"), pause("again")
    assert (paused.steps, again.steps, again.seconds) == (5, 5, 0)
    whole = train("whole", recipe(2, schedule), store)
    assert (whole.first_step, whole.steps) == (5, 10)
    alone = train("alone", recipe(2, schedule))
    assert weights(tmp_path / "whole") == weights(tmp_path / "alone") != weights(tmp_path / "paused")
    assert weights(tmp_path / "paused") == weights(tmp_path / "again")
    losses = [[step.loss for step in outcome.log] for outcome in (paused, whole, alone)]
    assert losses[0] == losses[2][:5]
    assert losses[1] == losses[2]


def test_a_checkpoint_beyond_its_pause_is_no_place_to_begin(
    base: LoadedBase, labelled: Labelled, store: CheckpointStore, tmp_path: Path
) -> None:
    """As where a study without a race was interrupted before."""

    def end(told: TrainingStep) -> None:
        if told.step == 8:
            raise KilledError

    how = recipe(2, "cosine", checkpoint_steps=7)
    with pytest.raises(KilledError):
        train_adapter(base, *labelled, how, tmp_path / "killed", store=store, on_step=end)
    [outcome] = train_adapters(base, *labelled, [Training(how, tmp_path / "paused", store, pause_epoch=1)])
    assert (outcome.first_step, outcome.steps) == (0, 5)


def test_a_cell_with_nothing_left_to_train_is_copied(train: Any, store: CheckpointStore, tmp_path: Path) -> None:
    first = train("first", recipe(2), store)
    shutil.rmtree(tmp_path / "first")
    again = train("first", recipe(2), store)
    train("alone", recipe(2))
    assert weights(tmp_path / "first") == weights(tmp_path / "alone")
    assert (again.first_step, again.seconds, again.examples_per_second) == (10, 0.0, None)
    assert again.log == first.log


def test_longer_cells_of_a_diverged_training_are_where_it_ended(
    base: LoadedBase, labelled: Labelled, store: CheckpointStore, tmp_path: Path
) -> None:
    training = TrainingSettings(loss="completion", schedule="constant", batch_size=8)
    for epochs in (3, 4):
        how = Recipe(
            PromptSettings(), DROPOUT, training.model_copy(update={"learning_rate": 1e30, "epochs": epochs, "seed": 7})
        )
        outcome = train_adapter(base, *labelled, how, tmp_path / str(epochs), store=store)
        assert outcome.diverged
    assert outcome.first_step == len(outcome.log) < 15
    assert weights(tmp_path / "3") == weights(tmp_path / "4")


class KilledError(Exception):
    """The test ends a training here."""


@pytest.mark.parametrize(
    ("schedule", "step", "first_step"),
    [
        ("constant", 9, 6),
        *(
            pytest.param(*point, marks=pytest.mark.slow)
            for point in (("constant", 2, 0), ("cosine", 4, 3), ("warmup-stable-decay", 9, 8))
        ),
    ],
)
def test_an_interrupted_training_ends_in_the_weights_of_an_undisturbed_one(
    train: Any, store: CheckpointStore, tmp_path: Path, schedule: str, step: int, first_step: int
) -> None:
    how = recipe(2, schedule, checkpoint_steps=3)

    def end(told: TrainingStep) -> None:
        if told.step == step:
            raise KilledError

    with pytest.raises(KilledError):
        train("killed", how, store, on_step=end)
    assert train("killed", how, store).first_step == first_step
    train("alone", how)
    assert weights(tmp_path / "killed") == weights(tmp_path / "alone")


@pytest.mark.slow
def test_a_process_killed_at_any_moment_goes_on_to_the_same_weights(
    tiny_folder: Path, labelled: Labelled, train: Any, store: CheckpointStore, tmp_path: Path
) -> None:
    """`kill -9`, at a step and in the middle of whatever comes some time after one, a checkpoint's writing included."""
    how = recipe(6, checkpoint_steps=1)
    spec = BaseSpec(tiny_folder, "nf4", how.training)
    planned = PlannedTraining(how, tmp_path / "killed", store)
    job = TrainingJob(spec, tuple(labelled[0]), tuple(labelled[1]), (planned,))
    worker, left = Worker(), []
    for step, delay in ((4, 0.0), (17, 0.01)):
        with pytest.raises(WorkerDiedError, match=r"killed by signal 9 \(SIGKILL\)"):
            worker.run(job, lambda told, step=step, delay=delay: kill_at(worker, told, step, delay))
        left.append(len(list(store.root.glob("*/checkpoint-*"))))
    assert all(0 < count <= 3 for count in left)
    [outcome] = worker.run(job, lambda _: None)
    worker.close()
    assert outcome.first_step >= 15
    train("alone", how)
    assert weights(tmp_path / "killed") == weights(tmp_path / "alone")


def kill_at(worker: Worker, told: Any, step: int, delay: float) -> None:
    if isinstance(told, tuple) and told[1].step == step:
        time.sleep(delay)
        assert worker._process is not None
        os.kill(worker._process.pid, signal.SIGKILL)


@pytest.fixture
def interrupted(train: Any, store: CheckpointStore) -> Path:
    """The checkpoint that an interrupted training left."""

    def end(told: TrainingStep) -> None:
        if told.step == 5:
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


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (cut_file, "is damaged or incomplete"),
        pytest.param(change_byte, "is damaged or incomplete", marks=pytest.mark.slow),
        pytest.param(remove_manifest, "is damaged or incomplete", marks=pytest.mark.slow),
        pytest.param(cut_manifest, "is damaged or incomplete", marks=pytest.mark.slow),
        pytest.param(remove_file, "is damaged or incomplete", marks=pytest.mark.slow),
        (name_another_training, "is of another training"),
    ],
)
def test_a_torn_or_foreign_checkpoint_is_ignored_with_a_warning(
    train: Any, store: CheckpointStore, tmp_path: Path, interrupted: Path, spoil: Any, why: str
) -> None:
    spoil(interrupted)
    told: list[str] = []
    outcome = train("cell", recipe(2, checkpoint_steps=3), store, notify=told.append)
    assert told == [f"checkpoint {interrupted}: {why}; ignored"]
    assert outcome.first_step == 0
    train("alone", recipe(2))
    assert weights(tmp_path / "cell") == weights(tmp_path / "alone")


def test_a_whole_checkpoint_is_used_without_a_word(train: Any, store: CheckpointStore, interrupted: Path) -> None:
    told: list[str] = []
    assert train("cell", recipe(2, checkpoint_steps=3), store, notify=told.append).first_step == 3
    assert told == []
    assert interrupted.parent.is_dir()


def test_what_lies_on_the_disk_is_bounded(train: Any, store: CheckpointStore) -> None:
    most = 0

    def count(_: TrainingStep) -> None:
        nonlocal most
        most = max(most, len(list(store.root.glob("*/checkpoint-*"))))

    for epochs in (1, 2, 3):
        train("cell", recipe(epochs, "warmup-stable-decay", checkpoint_steps=1), store, on_step=count)
    assert most <= 3
    assert len(list(store.root.glob("*/checkpoint-*"))) == 1


def test_a_large_file_is_hashed_in_blocks_and_each_of_them_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "BLOCK_BYTES", 10)
    content = bytes(range(35))
    hashes = set()
    for changed in (None, 0, 9, 10, 24, 30, 34):
        copied = bytearray(content)
        if changed is not None:
            copied[changed] ^= 1
        (tmp_path / "optimizer.pt").write_bytes(copied)
        hashes.add(checkpoints._hash_files(tmp_path)["optimizer.pt"])
    (tmp_path / "optimizer.pt").write_bytes(content[10:20] + content[:10] + content[20:])
    hashes.add(checkpoints._hash_files(tmp_path)["optimizer.pt"])
    assert len(hashes) == 8


@pytest.mark.parametrize(
    ("written", "read"), [("adamw_torch_fused", "paged_adamw_32bit"), ("paged_adamw_8bit", "adamw_torch")]
)
def test_the_state_of_another_kind_of_optimizer_is_told_and_ignored(
    store: CheckpointStore, written: str, read: str
) -> None:
    folder = store.folder_of(None) / "checkpoint-4"
    folder.mkdir(parents=True)
    (folder / "optimizer.pt").write_bytes(b"state")
    store.seal(folder, 4, None, written, diverged=False)
    told: list[str] = []
    assert store.find(1, 4, read, told.append) is None
    assert told == [f"checkpoint {folder}: holds the state of another optimizer than {read}; ignored"]
    found = store.find(1, 4, written, told.append)
    assert found is not None
    assert (found.step, len(told)) == (4, 1)
