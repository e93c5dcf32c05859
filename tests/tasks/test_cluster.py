"""A cluster that lacks something is refused in one line before anything starts, and a node names what it lacks."""

import re
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_ray import RayTaskRunner
from ray.exceptions import RayError, RayTaskError, WorkerCrashedError

import tasks.cluster
from embedded.paths import MODEL_FOLDER
from learning.kinds.resolution import resolve_base_model
from learning.training.shared_storage import SharedStorage
from learning.worker.jobs import BaseSpec
from learning.worker.process import WorkerDiedError
from operations.models import load_model
from schemas.cell import TrainingSettings
from schemas.plan import StudyPlan
from schemas.runner import RunnerSettings
from storage.cells import load_cell
from storage.home import Home
from tasks.cluster import Cluster, RunnerError, _record_crash, check_runner, find_storage
from tasks.node import NodeError, _find_base

HERE = socket.gethostname()
TRAINING = TrainingSettings(loss="completion", schedule="constant")


def test_a_local_runner_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.cluster, "find_spec", lambda _: None)
    check_runner(RunnerSettings())


@pytest.mark.slow
def test_a_flow_that_runs_here_loads_no_ray() -> None:
    script = "import sys, flows.retrain, tasks.cluster, tasks.node; print({'ray', 'prefect_ray'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown == "set()\n"


def test_ray_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.cluster, "find_spec", lambda _: None)
    with pytest.raises(RunnerError, match=re.escape("Ray is not installed; pip install 'fintone[ray]'")):
        check_runner(RunnerSettings(kind="ray"))


def test_ray_needs_a_prefect_server() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(RunnerError, match=r"start one with `prefect server start` and set PREFECT_API_URL$"),
    ):
        check_runner(RunnerSettings(kind="ray"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nowhere"])
def test_an_address_where_nothing_answers_is_reported_at_once(address: str) -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}),
        pytest.raises(RunnerError, match=rf"^runner\.address = {address}: no Ray cluster answers .*`ray start --head`"),
    ):
        check_runner(RunnerSettings(kind="ray", address=address))


def test_several_machines_need_a_storage_setting_and_this_one_by_itself_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path))
    assert find_storage(RunnerSettings(), {HERE}).address == str(tmp_path / "shared")
    with pytest.raises(RunnerError, match=r"^runner\.storage is not set, .* other machines \(a, b\): name a folder"):
        find_storage(RunnerSettings(), {HERE, "b", "a"})
    assert find_storage(RunnerSettings(storage="s3://bucket/x"), {HERE, "b"}).address == "s3://bucket/x"


def test_a_node_uses_its_own_embedded_model_and_names_another_that_is_missing(tmp_path: Path) -> None:
    revision = resolve_base_model("embedded", None, tmp_path).revision
    absent = BaseSpec(tmp_path / "absent", "nf4", TRAINING, revision)
    assert _find_base(absent, is_embedded=True).folder == MODEL_FOLDER
    with pytest.raises(NodeError, match=rf"embedded: on the node {re.escape(HERE)} it differs from the study's \(9\);"):
        _find_base(replace(absent, revision="9"), is_embedded=True)
    with pytest.raises(NodeError, match=rf"^base model .*absent: is not on the node {re.escape(HERE)}; put it on"):
        _find_base(absent, is_embedded=False)


def test_a_node_accepts_the_base_of_a_cell_of_an_earlier_study(trained: tuple[Path, str, StudyPlan]) -> None:
    home, cell_id, _ = trained
    base = load_model(Home(home), load_cell(Home(home).warehouse, cell_id)).base
    assert _find_base(base, is_embedded=False) == base


@pytest.mark.parametrize("address", ["auto", "head:", "head:six"])
def test_an_address_without_a_port_is_reported(address: str) -> None:
    assert tasks.cluster._knock(address) == "it has no port"


def test_a_node_reports_a_base_that_differs(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "base"))
    revision = resolve_base_model(str(folder), None, tmp_path).revision
    spec = BaseSpec(folder, "nf4", TrainingSettings(loss="completion", schedule="constant"), revision)
    assert _find_base(spec, is_embedded=False) == spec
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-2] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(NodeError, match=rf"on the node {re.escape(HERE)} it differs from .* \({revision}\)"):
        _find_base(spec, is_embedded=False)


@pytest.mark.parametrize(
    ("ray_error", "kind", "message"),
    [
        (
            RayTaskError(
                "f", "\x1b[36mray::f()\x1b[39m (pid=1)\n  in f\nModuleNotFoundError: No module named 'tasks'\n", None
            ),
            NodeError,
            "a node of the Ray cluster cannot load fintone (ModuleNotFoundError: No module named 'tasks'); install ",
        ),
        (
            RayTaskError("f", "\x1b[36mray::f()\x1b[39m (pid=1)\n  in f\n\x1b[31mOSError: no space\x1b[0m\n", None),
            WorkerDiedError,
            "its Ray worker was lost: OSError: no space",
        ),
        (
            WorkerCrashedError(),
            WorkerDiedError,
            "its Ray worker was lost: The worker died unexpectedly while executing",
        ),
    ],
)
def test_the_end_of_a_job_on_a_node_is_explained(
    ray_error: RayError, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with socket.create_server(("localhost", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
        cluster = Cluster(cast("RayTaskRunner[Any]", None), SharedStorage(str(tmp_path)), {}, address)
        error = cluster._explain(ray_error)
        assert type(error) is kind
        assert str(error).startswith(message)
    gone = cluster._explain(ray_error)
    assert type(gone) is RunnerError
    assert str(gone).startswith(f"runner.address = {address}: the Ray cluster does not answer any more (")


def test_a_lost_run_that_the_server_does_not_know_hides_no_reason(server: str) -> None:
    _record_crash(uuid4(), "its node was lost")


def test_another_error_of_the_server_is_not_hidden() -> None:
    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.UNAUTHORIZED)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/api"
    with temporary_settings({PREFECT_API_URL: address}), pytest.raises(PrefectHTTPStatusError, match="401"):
        _record_crash(uuid4(), "its node was lost")
    server.shutdown()
    server.server_close()
    thread.join()
