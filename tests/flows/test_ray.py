"""Cells on a Ray cluster of two nodes equal those of a single machine, even if a node dies."""

import csv
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from embedded.grammar import generate_headline
from flows.retrain import retrain
from operations.worker import close_worker
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.profiles import build_config, load_profile
from storage.champions import Decision, save_decision
from tests.asking import ask
from tests.server_record import ServerRecord

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of temporary files of the node that dies."""
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def cluster(scratch: Path) -> Iterator[Cluster]:
    """Two nodes with one core each; the first is the head of the cluster."""
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1, env_vars={"TMPDIR": str(scratch)})
    yield nodes
    nodes.shutdown()


def configure(folder: Path, base: Path, epochs: list[int], headlines: int = 150, **runner: Any) -> StudyConfig:
    """Two learning rates on 30 headlines of these, four steps an epoch."""
    random = Random(5)
    rows = [generate_headline(random) for _ in range(headlines)]
    with (folder / "headlines.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.sentiment) for row in rows)])
    values = load_profile("demo")
    values["data"] = {"source": str(folder / "headlines.csv")}
    values["split"] = {"method": "hashed", "train_per_class": 10, "test_per_class": 10, "validation_per_class": 5}
    values["base_model"] = {"name": str(base)}
    values["baselines"] = {"names": ["majority class"]}
    values["lora"] = {"r": 4}
    values["training"] |= {"checkpoint_steps": 20}
    values["grid"] = {"learning_rates": [1e-3, 1e-2], "epochs": epochs}
    return build_config({**values, "runner": runner})


@pytest.fixture
def run(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, Path]]:
    """Runs the study in a home of its own; returns its id and the home.

    It runs with one thread, as Ray does on a node of one core: the last bits of a product depend on the threads.
    """
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    close_worker()  # one that other tests have started may use more threads

    def run_study(epochs: list[int], **how: Any) -> tuple[str, Path]:
        home = tmp_path / how.get("kind", "local")
        monkeypatch.setenv("FINTONE_HOME", str(home))
        return retrain(configure(tmp_path, tiny_folder, epochs, **how)), home

    return run_study


def trained_cells(home: Path) -> list[str]:
    return [cell for (cell,) in ask(home, "SELECT cell_id FROM cells WHERE kind = 'fine-tuned' ORDER BY ALL")]


def read_results(home: Path) -> Any:
    """Every prediction, the log of every training, and every adapter."""
    return (
        ask(home, "FROM predictions ORDER BY ALL"),
        ask(home, "SELECT cell_id, step, loss, grad_norm FROM training_log ORDER BY ALL"),
        [(home / "adapters" / cell / "adapter_model.safetensors").read_bytes() for cell in trained_cells(home)],
    )


@pytest.mark.soak
def test_two_nodes_fill_the_warehouse_and_leave_no_file_in_their_storage(
    run: Callable[..., tuple[str, Path]], cluster: Cluster, tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    where = {"kind": "ray", "address": cluster.address, "storage": f"file://{storage}"}
    first, home = run([1], **where)

    board = ask(home, "SELECT kind, count(*) FROM leaderboard WHERE part = 'test' GROUP BY kind ORDER BY kind")
    assert board == [("base", 3), ("baseline", 1), ("fine-tuned", 6)]
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    assert {folder.name for folder in (home / "adapters").iterdir()} == set(trained_cells(home))
    assert [file for file in storage.rglob("*") if file.is_file()] == []

    champion = trained_cells(home)[0]
    save_decision(home / "warehouse.duckdb", Decision("promoted", "person", "the first", first, champion, 0.1), None)
    run([1], headlines=200, **where)
    judged = f"SELECT count(DISTINCT split_id) FROM evaluations WHERE part = 'test' AND cell_id = '{champion}'"
    assert ask(home, judged) == [(2,)]
    assert [file for file in storage.rglob("*") if file.is_file()] == []


@pytest.mark.soak
def test_input_that_no_cell_could_use_ends_the_trainings_on_all_nodes(
    run: Callable[..., tuple[str, Path]], cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "storage"

    def refuse_once_cells_train(*_: Any) -> None:
        for _ in range(6_000):
            if any(storage.rglob("manifest.json")):
                break
            threading.Event().wait(0.02)
        raise InputError("no other cell could use it either")

    monkeypatch.setattr("flows.cells._score_base", refuse_once_cells_train)
    with pytest.raises(InputError, match="no other cell could use it either"):
        run([2_000], kind="ray", address=cluster.address, storage=str(storage))
    ends = ask(tmp_path / "ray", "SELECT DISTINCT status, reason FROM cells WHERE kind = 'fine-tuned'")
    assert ends == [("interrupted", "the run ended before it was done")]


@pytest.mark.soak
def test_a_study_whose_node_dies_has_the_same_cells_as_on_one_machine(
    run: Callable[..., tuple[str, Path]], cluster: Cluster, tmp_path: Path, recorded: ServerRecord
) -> None:
    node, storage = next(iter(cluster.worker_nodes)), tmp_path / "storage"

    def kill_working_node(ended: threading.Event) -> None:
        while len({saved.parents[2] for saved in storage.glob("checkpoints/*/shared/checkpoint-*0/manifest.json")}) < 2:
            if ended.wait(0.01):
                return
        cluster.remove_node(node, allow_graceful=False)

    ended = threading.Event()
    killer = threading.Thread(target=kill_working_node, args=[ended])
    killer.start()
    study, home = run([1, 60], kind="ray", address=cluster.address, storage=str(storage))
    ended.set()
    killer.join()
    assert cluster.worker_nodes == set()
    assert ask(home, "FROM missing_cells") == []
    continued = ask(home, "SELECT first_step FROM cells WHERE epochs = 60 ORDER BY ALL")
    assert continued[0] == (4,)
    assert continued[1][0] >= 20
    runs = [(run.name, run.state_name or "", run.run_count) for run in recorded.task_runs()]
    [died] = [name for name, state, _ in runs if state == "Crashed"]
    assert died.endswith(" epochs=60, on a node")
    assert (died.partition("train ")[2].removesuffix(", on a node"), "Completed", 2) in [
        (name.removeprefix("train "), state, attempts) for name, state, attempts in runs
    ]

    same_study, local_home = run([1, 60])
    assert same_study == study
    assert read_results(home) == read_results(local_home)
