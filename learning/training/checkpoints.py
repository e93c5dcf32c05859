"""Checkpoints of a training: sealed when complete, ignored when damaged or of another training, and pruned.

transformers writes the files: the fine-tune in safetensors, and the state of optimiser, schedule and random numbers. A
checkpoint is complete as soon as it has a manifest, with the id of its training and the hash of each file. A training
has at most three on disk, besides one that is being written: the newest and the furthest of those that trainings of
several lengths share, and the newest of those of one length. Each takes about three times the space of the fine-tune.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.files import appearing_folder

MANIFEST = "manifest.json"
STATE = "trainer_state.json"
"""File in which transformers keeps the log."""
SHARED = "shared"
BLOCK_BYTES = 64 * 2**20
"""Size of the blocks in which a large file is hashed: a checkpoint of a 7B model's adapter has 2 GB."""


class Mirror(Protocol):
    """A copy of the checkpoints elsewhere, from which another machine can continue."""

    def match(self, root: Path) -> None:
        """Make the copy equal to the checkpoints under `root`."""


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint."""

    folder: Path
    step: int
    epochs: int | None
    """The length of its training; None if all longer trainings pass through it."""
    diverged: bool
    """Whether training ended here because its loss was NaN or infinite or exploded."""

    def read_log(self) -> list[dict[str, Any]]:
        """The log entry of each step up to this one, in transformers' form."""
        history = json.loads((self.folder / STATE).read_text(encoding="utf-8"))["log_history"]
        return [entry for entry in history if "loss" in entry]

    def copy_files(self, names: Sequence[str], folder: Path) -> None:
        """Copy the files of the fine-tune to `folder`, which appears complete or not at all."""
        with appearing_folder(folder, replace=True) as unfinished:
            for name in names:
                shutil.copyfile(self.folder / name, unfinished / name)


@dataclass(frozen=True)
class CheckpointStore:
    """The checkpoints of trainings that differ only in their length."""

    root: Path
    """A folder that only these trainings use."""
    training_id: str
    """The id that these trainings share."""
    mirror: "Mirror | None" = None
    """The copy for other machines; None if no other machine trains."""

    def folder_of(self, epochs: int | None) -> Path:
        """The folder of the checkpoints of one length, or of those that all lengths share."""
        return self.root / (SHARED if epochs is None else f"{epochs}-epochs")

    def seal(self, folder: Path, step: int, epochs: int | None, optimizer: str, *, diverged: bool) -> None:
        """Mark a checkpoint as complete, atomically; delete older ones, and update the mirror."""
        manifest = {
            "training": self.training_id,
            "step": step,
            "epochs": epochs,
            "optimizer": optimizer,
            "diverged": diverged,
            "files": _hash_files(folder),
        }
        unfinished = folder / f".{MANIFEST}"
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(manifest, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / MANIFEST)
        self._prune(folder, epochs)
        if self.mirror:
            self.mirror.match(self.root)

    def find(
        self,
        epochs: int,
        shared_steps: int,
        optimizer: str,
        warn: Callable[[str], None],
        most_steps: int | None = None,
    ) -> Checkpoint | None:
        """The furthest checkpoint from which a training of this length can continue.

        Args:
            epochs: The length of the training.
            shared_steps: Number of first steps that a longer training has too.
            optimizer: The name of its optimiser; paged ones and others cannot continue from each other's state.
            warn: Called about an ignored checkpoint: one that is damaged or of another training.
            most_steps: The step at which the training pauses: a checkpoint beyond it is ignored.
        """
        found = [
            checkpoint
            for length in (None, epochs)
            for folder in sorted(self.folder_of(length).glob("checkpoint-*"))
            if (checkpoint := self._open(folder, optimizer, warn)) is not None
            and checkpoint.epochs == length
            and (length is not None or checkpoint.step <= shared_steps)
            and (most_steps is None or checkpoint.step <= most_steps)
        ]
        return max(found, key=lambda checkpoint: checkpoint.step, default=None)

    def drop_own(self, epochs: int) -> None:
        """Delete the checkpoints of one length after its training."""
        shutil.rmtree(self.folder_of(epochs), ignore_errors=True)
        if self.mirror:
            self.mirror.match(self.root)

    def _open(self, folder: Path, optimizer: str, warn: Callable[[str], None]) -> Checkpoint | None:
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if manifest["training"] != self.training_id:
                warn(f"checkpoint {folder}: is of another training; ignored")
                return None
            if _is_paged(manifest.get("optimizer", optimizer)) != _is_paged(optimizer):
                warn(f"checkpoint {folder}: holds the state of another optimizer than {optimizer}; ignored")
                return None
            if manifest["files"] == _hash_files(folder):
                return Checkpoint(folder, int(manifest["step"]), manifest["epochs"], bool(manifest["diverged"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        warn(f"checkpoint {folder}: is damaged or incomplete; ignored")
        return None

    def _prune(self, newest: Path, epochs: int | None) -> None:
        """Keep the newest checkpoint and, of shared ones, also the furthest complete one."""
        others = [folder for folder in self.folder_of(epochs).glob("checkpoint-*") if folder != newest]
        if epochs is None:
            whole = [folder for folder in (*others, newest) if (folder / MANIFEST).exists()]
            furthest = max(whole, key=_step_of)
            others = [folder for folder in others if folder != furthest]
        for folder in others:
            shutil.rmtree(folder, ignore_errors=True)


def _is_paged(optimizer: str) -> bool:
    return optimizer.startswith("paged")


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("checkpoint-"))


def _hash_files(folder: Path) -> dict[str, str]:
    names = [path.name for path in sorted(folder.iterdir()) if path.name not in {MANIFEST, f".{MANIFEST}"}]
    with ThreadPoolExecutor() as pool:
        return {name: _hash_file(folder / name, pool) for name in names}


def _hash_file(path: Path, pool: ThreadPoolExecutor) -> str:
    """SHA-256 of a file; for a large file, that of its blocks' hashes, which several threads compute."""
    size = path.stat().st_size
    if size <= BLOCK_BYTES:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    blocks = pool.map(lambda start: _hash_block(path, start), range(0, size, BLOCK_BYTES))
    return hashlib.sha256(b"".join(blocks)).hexdigest()


def _hash_block(path: Path, start: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(start)
        return hashlib.sha256(stream.read(BLOCK_BYTES)).digest()
