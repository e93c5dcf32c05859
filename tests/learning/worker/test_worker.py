"""The process that trains: it returns errors, halves a pass if memory runs out, and ends with its parent."""

import re
import resource
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import learning.worker.process
from learning.study.evaluation import LabelledPart
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training
from learning.worker.environment import torch_environment
from learning.worker.jobs import BaseSpec, CheckingJob, Job, ScoringJob, TrainingJob
from learning.worker.process import Worker, WorkerDiedError, _answer, _Bases
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.errors import FailureError, InputError
from schemas.evaluation import DecodingSettings
from schemas.label import Label

if TYPE_CHECKING:
    from learning.kinds.kind import LoadedModel

Labelled = tuple[list[str], list[Label]]
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def worker() -> Any:
    running = Worker()
    running.start()
    yield running
    running.close()


def job(folder: Path, labelled: Labelled, adapter: Path, copies: int = 1, **settings: Any) -> TrainingJob:
    training = TrainingSettings(schedule="constant", learning_rate=1e-3, epochs=1, seed=7, **settings)
    recipe = Recipe(PromptSettings(), LoraSettings(r=4, dropout=0.0), training)
    base = BaseSpec(folder, "nf4", training, "")
    planned = Training(recipe, adapter)
    return TrainingJob(base, tuple(labelled[0]) * copies, tuple(labelled[1]) * copies, (planned,))


@pytest.mark.slow
def test_a_process_loads_the_libraries_of_training_for_the_first_training(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path
) -> None:
    training = job(tiny_folder, labelled, tmp_path / "adapter", loss="completion")
    texts, labels = map(tuple, labelled)
    part = LabelledPart("test", texts, texts, labels)
    scoring = ScoringJob(training.base, None, [part], PromptSettings(), DecodingSettings(temperatures=(1.0,)))
    assert worker.run(scoring, lambda _: None)
    assert not has_loaded(worker, "pyarrow")  # of `datasets`, which trl needs
    worker.run(training, lambda _: None)
    assert has_loaded(worker, "pyarrow")


def test_a_process_has_no_compiler_unless_the_user_wants_one(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker._process is not None
    assert psutil.Process(worker._process.pid).environ()["TORCHDYNAMO_DISABLE"] == "1"
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "0")
    assert torch_environment()["TORCHDYNAMO_DISABLE"] == "0"


def has_loaded(worker: Worker, library: str) -> bool:
    assert worker._process is not None
    maps = psutil.Process(worker._process.pid).memory_maps()
    return any(f"/{library}/" in file.path for file in maps)


PARENT = """
import sys, threading
from learning.worker.process import Worker, WorkerDiedError
worker = Worker()
worker.start()
print(worker._process.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.slow
def test_the_process_ends_with_its_parent_even_if_that_is_killed() -> None:
    root = Path(learning.worker.process.__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    process.wait(timeout=10)


def test_an_error_in_the_input_leaves_the_process_alive(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path
) -> None:
    unfit = job(tiny_folder, labelled, tmp_path / "long", loss="completion")
    [planned] = unfit.trainings
    long = replace(planned.recipe, prompt=PromptSettings(instruction="profit " * 3_000))
    with pytest.raises(InputError, match=r"prompt.instruction: \d+ tokens with an empty headline, and the base model"):
        worker.run(replace(unfit, trainings=(replace(planned, recipe=long),)), lambda _: None)
    assert worker._process is not None
    before = worker._process.pid
    events: list[Any] = []
    [outcome] = worker.run(job(tiny_folder, labelled, tmp_path / "adapter", loss="completion"), events.append)
    assert worker._process.pid == before
    assert events == [(0, step) for step in outcome.log]


@dataclass(frozen=True)
class FailingJob(Job[int]):
    """A job whose error was caused by another one; its frames hold the base."""

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> int:
        """Fail after an event with a weak reference to the base."""
        notify(weakref.ref(base))
        try:
            int("no number")
        except ValueError as error:
            raise FailureError("it failed") from error


def test_a_failed_job_does_not_keep_its_base_beside_the_next_one(tiny_folder: Path) -> None:
    bases, events = _Bases(), list[Any]()
    training = TrainingSettings(loss="completion", schedule="constant")
    answer = _answer(FailingJob(BaseSpec(tiny_folder, "none", training, "")), bases, events.append)
    assert (answer[0], str(answer[1])) == ("error", "it failed")
    [base] = events
    assert base() is not None
    bases.get(BaseSpec(tiny_folder, "nf4", training, ""))
    assert base() is None


class Unreadable:
    """A job of another version: the process cannot read it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("not a number",)


def test_a_job_that_cannot_be_read_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    worker = Worker()
    with pytest.raises(WorkerDiedError, match=r"^the training process ended with exit code 1$"):
        worker.run(Unreadable(), lambda _: None)  # type: ignore[arg-type] (it is no job)
    assert "ValueError: invalid literal for int() with base 10: 'not a number'" in capfd.readouterr().err


def test_trainings_of_one_job_have_separate_steps_and_come_back_in_order(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path
) -> None:
    single = job(tiny_folder, labelled, tmp_path / "0", loss="completion", side_by_side=2)
    [first] = single.trainings
    training = first.recipe.training.model_copy(update={"epochs": 2})
    longer = replace(first, recipe=replace(first.recipe, training=training), adapter_folder=tmp_path / "1")
    events: list[Any] = []
    outcomes = worker.run(replace(single, trainings=(first, longer)), events.append)
    assert [len(outcome.log) for outcome in outcomes] == [5, 10]
    for index, outcome in enumerate(outcomes):
        assert [step for of, step in events if of == index] == list(outcome.log)
        assert (tmp_path / str(index)).is_dir()


@pytest.mark.parametrize(("setting", "number"), [("auto", 1), (3, 3)])
def test_a_check_returns_how_many_trainings_run_side_by_side_on_a_cpu(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path, setting: Any, number: int
) -> None:
    wanted = job(tiny_folder, labelled, tmp_path, loss="completion", precision="float32", side_by_side=setting)
    check = CheckingJob(wanted.base, wanted.headlines, wanted.labels, wanted.trainings[0].recipe)
    assert worker.run(check, lambda _: None) == number


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's limits of another process")
def test_memory_that_runs_out_halves_the_pass_and_keeps_the_batch(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path
) -> None:
    """A real limit: a pass of 320 headlines needs a mask of 0.4 GB, one of 40 of 7 MB."""
    worker.run(job(tiny_folder, labelled, tmp_path / "warm", loss="completion"), lambda _: None)
    assert worker._process is not None
    status = Path(f"/proc/{worker._process.pid}/status").read_text()
    [used] = re.findall(r"VmData:\s+(\d+) kB", status)
    limit = int(used) * 1_024 + 250 * MEGABYTE
    free = resource.prlimit(worker._process.pid, resource.RLIMIT_DATA)
    resource.prlimit(worker._process.pid, resource.RLIMIT_DATA, (limit, free[1]))
    events: list[Any] = []
    settings = {"loss": "whole-text", "batch_size": 320, "micro_batch_size": 320}
    try:
        [outcome] = worker.run(job(tiny_folder, labelled, tmp_path / "adapter", copies=8, **settings), events.append)
    finally:
        resource.prlimit(worker._process.pid, resource.RLIMIT_DATA, free)
    assert outcome.memory_errors >= 1
    assert outcome.micro_batch_size == 320 / 2**outcome.memory_errors
    assert [step.step for step in outcome.log] == [1]
    lines = [line for line in events if isinstance(line, str)]
    assert len(lines) == outcome.memory_errors
    assert lines[0] == "out of memory with 320 headlines a pass: 160 from here on, batches stay 320"

    [whole] = worker.run(job(tiny_folder, labelled, tmp_path / "whole", copies=8, **settings), lambda _: None)
    assert (whole.memory_errors, whole.micro_batch_size) == (0, 320)
    assert outcome.log[0].loss == pytest.approx(whole.log[0].loss, rel=1e-4)
    assert outcome.log[0].grad_norm == pytest.approx(whole.log[0].grad_norm, rel=1e-3)


def test_an_interruption_lets_the_training_save_and_ends_the_process(
    worker: Worker, tiny_folder: Path, labelled: Labelled, tmp_path: Path
) -> None:
    wanted = job(tiny_folder, labelled, tmp_path / "adapter", loss="completion")
    [planned] = wanted.trainings
    store = CheckpointStore(tmp_path / "checkpoints", "ours")
    events: list[Any] = []

    def interrupt(event: Any) -> None:
        events.append(event)
        if not isinstance(event, str):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.run(replace(wanted, trainings=(replace(planned, store=store),)), interrupt)
    assert events[1:] == ["interrupted; a checkpoint is saved"]
    assert worker._process is None
    assert store.find(1, 5, "adamw_torch", pytest.fail) is not None
    assert not (tmp_path / "adapter").exists()
