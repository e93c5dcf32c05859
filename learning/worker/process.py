"""A separate process that trains and scores: it holds the base model in memory for one cell after another.

If it dies, because the system kills it for its memory or a library crashes, only the current cell is lost, not the
study: `Worker.run` raises, and the next job starts a new process. Jobs and their results are sent as pickles over a
socket that only the two processes have. Only the child loads torch.
"""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from learning.training.stopping import TrainingStoppedError, is_stop_requested, request_stop
from learning.worker.environment import torch_environment
from learning.worker.jobs import BaseSpec, Job, Result, TrainingJob
from schemas.cell import TrainingSettings
from schemas.errors import FailureError, InputError

if TYPE_CHECKING:
    from learning.kinds.kind import LoadedModel


SCORING = ("learning.models.loaded_base", "learning.scoring.model_evaluation", "learning.scoring.probe")
TRAINING = "learning.training.cell"
"""Modules that load the libraries; those of training take a sixth of the time."""
FOR_TRAINING = "training"
"""The argument of a process that loads the libraries of training too."""

STOP = "stop"
"""The message that the parent sends instead of a job when it is interrupted."""
SAVED = 3
"""Exit code of a process that was stopped during a training and saved a checkpoint."""
SECONDS_TO_SAVE = 6.0
"""Time for a training to save a checkpoint when the parent is interrupted."""


class WorkerDiedError(FailureError):
    """The process ended in the middle of a job: killed, or crashed."""


class JobFailedError(FailureError):
    """The job raised an error that is not the user's; the worker continues."""


class Worker:
    """The parent's side. The process starts with `start`, or with the first job, and ends with `close`."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def start(self, *, for_training: bool = False) -> None:
        """Start the process if it does not run: it loads its libraries while the caller continues.

        Args:
            for_training: Whether to load those of training too; else the first training does.
        """
        if self._process is not None:
            return
        self._connection, theirs = Pipe()
        arguments = [str(theirs.fileno()), *([FOR_TRAINING] if for_training else [])]
        command = [sys.executable, "-P", "-m", "learning.worker", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=torch_environment(),
        )
        theirs.close()

    def run(self, job: Job[Result], on_event: Callable[[Any], None]) -> Result:
        """Let the process do a job, and return its result.

        Args:
            job: The job.
            on_event: Called with the job's events.

        Raises:
            InputError: The job's input does not fit.
            FailureError: The job failed with a message for the user, for example because memory ran out.
            JobFailedError: The job raised another error.
            WorkerDiedError: The process ended.
        """
        self.start(for_training=isinstance(job, TrainingJob))
        assert self._connection is not None
        try:
            self._connection.send(job)
            while True:
                kind, value = self._connection.recv()
                if kind == "result":
                    return cast("Result", value)
                if kind == "error":
                    break
                on_event(value)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise WorkerDiedError(self._bury()) from None
        except Exception:
            self.close()
            raise
        except BaseException:  # Ctrl-C, or a signal to end
            if self._let_save():
                on_event("interrupted; a checkpoint is saved")
            raise
        raise value

    def _let_save(self) -> bool:
        """Let a running training save a checkpoint, then end the process; returns whether it was saved.

        A second Ctrl-C ends the process at once.
        """
        assert self._process is not None
        assert self._connection is not None
        try:
            self._connection.send(STOP)
            return self._process.wait(SECONDS_TO_SAVE) == SAVED
        except (OSError, subprocess.TimeoutExpired):
            return False
        finally:
            self.close()

    def close(self) -> None:
        """End the process at once; sealed checkpoints are not lost."""
        if self._process is not None:
            self._process.kill()
            self._bury()

    def _bury(self) -> str:
        """Wait for the end of the process, and return a text on how it ended."""
        assert self._process is not None
        assert self._connection is not None
        code = self._process.wait()
        self._connection.close()
        self._process = self._connection = None
        if code >= 0:
            return f"the training process ended with exit code {code}"
        why = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        return f"the training process was killed by signal {-code} ({signal.Signals(-code).name}){why}"


def serve(connection: "Connection[Any, Any]", *, for_training: bool) -> None:
    """Do jobs until the parent is gone; then end at once, even during a job.

    Args:
        connection: To the parent.
        for_training: Whether to load the libraries of training before the first job.
    """
    jobs: SimpleQueue[Job[Any]] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, jobs), daemon=True).start()
    _load(*SCORING, *([TRAINING] if for_training else []))  # while the parent is busy with other work
    gc.collect()
    gc.freeze()  # the libraries' objects stay; each collection between cells would visit all of them
    bases = _Bases()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while not is_stop_requested():
            try:
                answer = _answer(jobs.get(), bases, lambda event: connection.send(("event", event)))
            except TrainingStoppedError:
                sys.exit(SAVED)
            connection.send(answer)


def _load(*modules: str) -> None:
    if all(module in sys.modules for module in modules):
        return
    gc.disable()  # imports create little garbage, and looking for it takes an eighth of their time
    try:
        from learning.models.quiet import quiet_libraries

        with quiet_libraries():
            for module in modules:
                import_module(module)
    finally:
        gc.enable()


def _receive(connection: "Connection[Any, Any]", jobs: "SimpleQueue[Job[Any]]") -> None:
    """Receive jobs; end the process if the parent is gone, or if it requests a stop and there is nothing to save.

    A job by itself would only notice at its next event: loading a model takes minutes, and occupies the memory that the
    next run of the same command needs. A job that cannot be read ends the process too, since nothing would answer it.
    """
    try:
        with contextlib.suppress(EOFError, OSError):
            while (job := connection.recv()) != STOP or request_stop():
                if job != STOP:
                    jobs.put(job)
    except Exception:  # noqa: BLE001 (unpickling raises any kind of error)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


class _Bases:
    """The base model in memory; the next one replaces it."""

    def __init__(self) -> None:
        self._spec: BaseSpec | None = None
        self._base: LoadedModel | None = None

    def get(self, spec: BaseSpec) -> "LoadedModel":
        from learning.kinds.registry import find_kind

        relevant = {"precision", "optimizer", "attention"}
        neutral = TrainingSettings(loss="completion", schedule="constant")
        spec = replace(spec, training=neutral.model_copy(update=spec.training.model_dump(include=relevant)))
        if self._base is None or spec != self._spec:
            self._base = None
            gc.collect()  # a model references itself; free its memory for the next one
            self._base = find_kind(spec.folder).load(spec.folder, spec.quantization, spec.training)
            self._spec = spec
        return self._base

    def forget(self) -> None:
        """Let the next job load its base again: peft may have left half an adapter on this one."""
        self._base = None


def _answer(job: Job[Any], bases: _Bases, notify: Callable[[Any], None]) -> tuple[str, Any]:
    """Do a job; returns what the parent gets: `result` or `error`, with its value."""
    try:
        return "result", _do(job, bases, notify)
    except (BrokenPipeError, ConnectionResetError, TrainingStoppedError):
        raise
    except (InputError, FailureError) as error:
        # Its frames hold the base, which would stay in memory beside the next one.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return "error", error
    except Exception as error:  # noqa: BLE001 (any error ends only the job, and is sent to the parent)
        failed = JobFailedError(f"{type(error).__name__}: {' '.join(str(error).split())}")
        failed.add_note(traceback.format_exc())
        return "error", failed


def _do(job: Job[Result], bases: _Bases, notify: Callable[[Any], None]) -> Result:
    from learning.models.adapter_files import AdapterError
    from learning.prompt.not_finite import NotFiniteError, not_finite

    if isinstance(job, TrainingJob):
        _load(TRAINING)
    base = bases.get(job.base)
    try:
        return job.do(base, notify)
    except NotFiniteError:
        raise not_finite(job.subject) from None
    except AdapterError:
        bases.forget()
        raise
    finally:
        if not job.keeps_model:
            base.release()
