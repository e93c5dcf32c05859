"""Fixtures of several modules about training: a small base, a store of checkpoints, and a training on them."""

from pathlib import Path
from typing import Any

import pytest

from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome
from schemas.label import Label
from tests.adapters import train_adapter

Labelled = tuple[list[str], list[Label]]


@pytest.fixture(scope="module")
def base(tiny_folder: Path) -> LoadedBase:
    return LoadedBase(tiny_folder, "nf4", choose_device())


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", "ours")


@pytest.fixture
def train(base: LoadedBase, labelled: Labelled, tmp_path: Path) -> Any:
    def run(name: str, how: Recipe, store: CheckpointStore | None = None, **more: Any) -> TrainingOutcome:
        return train_adapter(base, *labelled, how, tmp_path / name, store=store, **more)

    return run
