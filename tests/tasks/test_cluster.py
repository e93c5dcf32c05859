"""A cluster that lacks something is refused in one line before anything starts, and a node names what it lacks."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import tasks.cluster
from embedded.paths import MODEL_FOLDER
from learning.kinds.resolution import resolve_base_model
from learning.worker.jobs import BaseSpec
from schemas.cell import TrainingSettings
from schemas.runner import RunnerSettings
from tasks.cluster import RunnerError, check_runner, find_storage
from tasks.node import NodeError, _find_base

HERE = socket.gethostname()
TRAINING = TrainingSettings(loss="completion", schedule="constant")


def test_a_local_runner_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.cluster, "find_spec", lambda _: None)
    check_runner(RunnerSettings())


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
    absent = BaseSpec(tmp_path / "absent", "nf4", TRAINING)
    assert _find_base(absent, is_embedded=True).folder == MODEL_FOLDER
    with pytest.raises(NodeError, match=rf"^base model .*absent: is not on the node {re.escape(HERE)}; put it on"):
        _find_base(absent, is_embedded=False)


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
