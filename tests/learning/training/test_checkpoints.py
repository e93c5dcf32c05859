"""Checkpoints that cells share: a longer cell continues from a shorter one, and nothing is trained twice."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from learning.models.loaded_base import LoadedBase
from learning.training import checkpoints
from learning.training.callbacks import Saving, SavingClock
from learning.training.cell import train_adapters
from learning.training.cell_training import Training
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep
from schemas.cell import PromptSettings, TrainingSettings
from schemas.label import Label
from tests.adapters import train_adapter
from tests.learning.training.short_trainings import DROPOUT, KilledError, recipe, weights

Labelled = tuple[list[str], list[Label]]


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["constant", pytest.param("warmup-stable-decay", marks=pytest.mark.soak)])
def test_a_cell_that_continues_a_shorter_one_has_the_weights_of_one_trained_alone(
    train: Any, store: CheckpointStore, tmp_path: Path, schedule: str
) -> None:
    shared = {"constant": (0, 5, 15), "warmup-stable-decay": (0, 3, 9)}[schedule]
    for epochs, first_step in zip((1, 3, 4), shared, strict=True):
        how = recipe(epochs, schedule, decay_ratio=0.4)
        outcome = train(f"shared-{epochs}", how, store)
        alone = train(f"alone-{epochs}", how)
        assert outcome.first_step == first_step
        assert weights(tmp_path / f"shared-{epochs}") == weights(tmp_path / f"alone-{epochs}")
        steps = [(step.step, step.loss, step.learning_rate, step.grad_norm) for step in outcome.log]
        assert steps == [(step.step, step.loss, step.learning_rate, step.grad_norm) for step in alone.log]


def test_with_a_cosine_nothing_is_shared(train: Any, store: CheckpointStore, tmp_path: Path) -> None:
    train("one", recipe(1, "cosine"), store)
    assert train("two", recipe(2, "cosine"), store).first_step == 0
    train("alone", recipe(2, "cosine"))
    assert weights(tmp_path / "two") == weights(tmp_path / "alone")


@pytest.mark.soak
def test_a_shorter_cell_after_a_longer_one_is_trained_from_the_start_and_keeps_the_checkpoint(
    train: Any, store: CheckpointStore, tmp_path: Path
) -> None:
    train("three", recipe(3), store)
    assert train("one", recipe(1), store).first_step == 0
    train("alone", recipe(1))
    assert weights(tmp_path / "one") == weights(tmp_path / "alone")
    assert train("four", recipe(4), store).first_step == 15


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", pytest.param("constant", marks=pytest.mark.soak)])
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


def test_a_checkpoint_beyond_the_pause_is_not_used(
    base: LoadedBase, labelled: Labelled, store: CheckpointStore, tmp_path: Path
) -> None:
    """A study without a race leaves such a checkpoint if it is interrupted."""

    def end(step: TrainingStep) -> None:
        if step.step == 8:
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
    assert "batches" in first.environment
    assert "batches" not in again.environment


def test_a_longer_cell_of_a_diverged_training_has_the_weights_where_it_ended(
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


@pytest.mark.slow
def test_the_number_of_checkpoints_on_the_disk_is_bounded(train: Any, store: CheckpointStore) -> None:
    most = 0

    def count(_: TrainingStep) -> None:
        nonlocal most
        most = max(most, len(list(store.root.glob("*/checkpoint-*"))))

    for epochs in (1, 2, 3):
        train("cell", recipe(epochs, "warmup-stable-decay", checkpoint_steps=1), store, on_step=count)
    assert most <= 3
    assert len(list(store.root.glob("*/checkpoint-*"))) == 1


@pytest.mark.parametrize(
    ("every_steps", "shared_steps", "saved"), [(3, 0, [3, 6]), (None, 4, [4]), (3, 4, [3, 4, 6]), (None, 0, [])]
)
def test_a_checkpoint_is_requested_every_few_steps_and_where_longer_cells_begin_to_differ(
    store: CheckpointStore, every_steps: int | None, shared_steps: int, saved: list[int]
) -> None:
    clock = SavingClock(Saving(store, 1, shared_steps, every_steps, every_minutes=60))
    assert [step for step in range(1, 8) if requests_checkpoint(clock, step)] == saved


def test_a_checkpoint_is_requested_when_its_minutes_have_passed(store: CheckpointStore) -> None:
    clock = SavingClock(Saving(store, 1, 0, None, every_minutes=1.5))
    requested = []
    for step, seconds in enumerate((80, 5, 10, 0), start=1):
        clock.saved_at -= seconds
        requested.append(requests_checkpoint(clock, step))
    assert requested == [False, False, True, False]


def requests_checkpoint(clock: SavingClock, step: int) -> bool:
    control = TrainerControl()
    clock.on_step_end(TrainingArguments(), TrainerState(global_step=step), control)
    return bool(control.should_save)


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
def test_the_state_of_another_kind_of_optimizer_is_reported_and_ignored(
    store: CheckpointStore, written: str, read: str
) -> None:
    folder = store.folder_of(None) / "checkpoint-4"
    folder.mkdir(parents=True)
    (folder / "optimizer.pt").write_bytes(b"state")
    store.seal(folder, 4, None, written, diverged=False)
    lines: list[str] = []
    assert store.find(1, 4, read, lines.append) is None
    assert lines == [f"checkpoint {folder}: holds the state of another optimizer than {read}; ignored"]
    found = store.find(1, 4, written, lines.append)
    assert found is not None
    assert (found.step, len(lines)) == (4, 1)
