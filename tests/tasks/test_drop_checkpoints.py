"""A finished study deletes its checkpoints and what machines share, except what an unfinished study needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from learning.models.fine_tune import FineTune
from learning.study.grid import plan_study
from learning.training.checkpoints import CheckpointStore
from learning.training.shared_storage import SharedStorage, drop_folder, is_there, put_folder
from learning.worker.jobs import BaseSpec, ScoringJob
from operations.planning import cell_records
from operations.worker import working_at
from schemas.evaluation import DecodingSettings
from schemas.plan import StudyPlan
from storage.cells import add_cells
from storage.home import Home
from storage.locks import holding
from storage.studies import StudyRecord, finish_study, save_study
from tasks.cluster import Cluster
from tasks.training import checkpoint_store, drop_checkpoints
from tests.learning.study.demo_plans import demo, find_base

EPOCHS = 10


@pytest.fixture
def home(new_home: Path) -> Home:
    return Home(new_home)


def plan(epochs: int) -> StudyPlan:
    """A study of one cell, whose training is the same for any number of epochs."""
    settings = ("training.schedule=constant", "grid.learning_rates=1e-3", "curve_epochs=", f"grid.epochs={epochs}")
    return plan_study(demo(*settings), "snapshot", "split", find_base, [], None)


@pytest.fixture
def finished(home: Home) -> StudyPlan:
    """A finished study of one epoch, whose cell an unfinished one does not have."""
    return save(home, plan(1), "finished")


def save(home: Home, study: StudyPlan, status: str) -> StudyPlan:
    record = StudyRecord(
        study.study_id, "demo", "snapshot", "split", "ingest", "source", "0", False, {}, (1.0,), "decoding"
    )
    save_study(home.warehouse, record)
    add_cells(home.warehouse, study.study_id, cell_records(study, study.cells))
    finish_study(home.warehouse, study.study_id, status)  # type: ignore[arg-type] (one of its words)
    return study


@pytest.fixture
def store(home: Home) -> CheckpointStore:
    """The checkpoints of the training, with one at step 800."""
    [cell] = plan(EPOCHS).cells
    store = checkpoint_store(cell)
    folder = store.folder_of(None) / "checkpoint-800"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text('{"log_history": []}')
    store.seal(folder, 800, None, "adamw", diverged=False)
    return store


@pytest.fixture
def cluster(home: Home, store: CheckpointStore) -> Iterator[Cluster]:
    """A cluster of no machine, on whose storage are the checkpoints and the adapters of both cells."""
    storage = SharedStorage(str(home.root / "shared"))
    storage.checkpoints(store.training_id).match(store.root)
    for epochs in (1, EPOCHS):
        put_folder(adapter_of(home, epochs), storage.adapter(plan(epochs).cells[0].cell_id))
    cluster = Cluster(None, storage, {}, None)  # type: ignore[arg-type] (nothing runs there)
    with working_at(cluster):
        yield cluster


def adapter_of(home: Home, epochs: int) -> Path:
    folder = home.adapter(plan(epochs).cells[0].cell_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text("{}")
    return folder


def list_shared(cluster: Cluster, store: CheckpointStore) -> list[bool]:
    """Whether the checkpoints, the adapter of one epoch and that of ten are there."""
    adapters = [cluster.storage.adapter(plan(epochs).cells[0].cell_id) for epochs in (1, EPOCHS)]
    return [is_there(address) for address in (cluster.storage.checkpoints(store.training_id).address, *adapters)]


@pytest.mark.parametrize("status", ["interrupted", "failed", "incomplete"])
def test_what_an_unfinished_study_continues_from_stays(
    home: Home, finished: StudyPlan, store: CheckpointStore, cluster: Cluster, status: str
) -> None:
    longer = save(home, plan(EPOCHS), status)
    drop_checkpoints(finished)
    assert store.find(EPOCHS, 1_000, "adamw", pytest.fail) is not None
    assert list_shared(cluster, store) == [True, False, True]
    finish_study(home.warehouse, longer.study_id, "finished")
    drop_checkpoints(longer)
    assert not store.root.exists()
    assert list_shared(cluster, store) == [False, False, False]


def test_what_no_study_needs_is_deleted_unless_a_process_trains_it(
    home: Home, finished: StudyPlan, store: CheckpointStore, cluster: Cluster
) -> None:
    with holding(home.warehouse, "training", store.training_id):
        drop_checkpoints(finished)
    assert store.root.exists()
    assert list_shared(cluster, store) == [True, False, True]
    drop_checkpoints(finished)
    assert not store.root.exists()
    assert list_shared(cluster, store) == [False, False, True]


def test_an_adapter_that_another_process_deleted_is_sent_again(home: Home, cluster: Cluster, tmp_path: Path) -> None:
    cell = plan(1).cells[0]
    base = BaseSpec(Path("base"), "nf4", cell.settings.training, "")
    job = ScoringJob(
        base, FineTune(adapter_of(home, 1)), [], cell.settings.prompt, DecodingSettings(temperatures=(1.0,))
    )
    stored = {cell.cell_id}
    drop_folder(cluster.storage.adapter(cell.cell_id))
    job.send(cluster.storage, stored)
    arrived = job.arrive(cluster.storage, tmp_path / "scratch")
    assert arrived.fine_tune is not None
    assert (arrived.fine_tune.folder / "adapter_config.json").read_text() == "{}"
