"""From an empty Prefect to a run of a deployment, by the commands of the README: server, work pool, deploy, worker."""

import asyncio
import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter, FlowRunFilterId

from embedded.grammar import generate_headline
from schemas.profiles import load_profile
from storage.query import query

ROOT = Path(__file__).parents[2]

Prefect = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the project's `prefect.yaml` and labelled headlines, and no home yet."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(ROOT / "prefect.yaml", folder)
    random = Random(5)
    rows = [generate_headline(random) for _ in range(150)]
    with (folder / "headlines.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.sentiment) for row in rows)])
    return folder


@pytest.fixture(scope="module")
def prefect(folder: Path, tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Prefect]:
    """Runs commands of Prefect in the working folder; the server has no other deployment, and none afterwards."""
    home = tmp_path_factory.mktemp("prefect")
    variables = {"PREFECT_HOME": str(home), "PREFECT_API_URL": server, "PWD": str(folder), "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in os.environ.items() if name != "FINTONE_HOME"} | variables

    def run(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("prefect")), "--no-prompt", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run("work-pool", "create", "fintone", "--type", "process")
    run("deploy", "--all")
    yield run
    asyncio.run(delete_deployments())


async def delete_deployments() -> None:
    """Delete all deployments with their planned runs, and the work pool."""
    async with get_client() as client:
        for deployment in await client.read_deployments():
            await client.delete_deployment(deployment.id)
        await client.delete_work_pool("fintone")


def tiny_study() -> dict[str, Any]:
    return {
        **load_profile("demo"),
        "data": {"source": "headlines.csv"},
        "split": {"method": "hashed", "train_per_class": 10, "test_per_class": 10, "validation_per_class": 5},
        "lora": {"r": 4},
        "baselines": {"names": ["majority class"]},
        "decoding": {"temperatures": [1.0]},
        "grid": {"learning_rates": [1e-3], "epochs": [1]},
    }


async def request(flow: str, **parameters: Any) -> Any:
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(f"{flow}/{flow}")
        run = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        return run.id


async def read_run(run_id: Any) -> tuple[Any, set[str]]:
    async with get_client() as client:
        run = await client.read_flow_run(run_id)
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
        return run, {task.name for task in await client.read_task_runs(flow_run_filter=of_run)}


async def read_deployments() -> dict[str, Any]:
    async with get_client() as client:
        return {deployment.name: deployment for deployment in await client.read_deployments()}


async def wait_for_scheduled_runs(deployments: set[str]) -> set[str]:
    """Wait until the server has planned runs for these deployments, and return all that have planned runs."""
    planned: set[str] = set()
    async with get_client() as client:
        names = {deployment.id: deployment.name for deployment in await client.read_deployments()}
        of_these = DeploymentFilter(id=DeploymentFilterId(any_=list(names)))
        with anyio.move_on_after(60):
            while not deployments <= planned:
                runs = await client.read_flow_runs(deployment_filter=of_these)
                planned = {names[run.deployment_id] for run in runs if run.auto_scheduled}
                await anyio.sleep(0.2)  # the server sends no event when it has planned runs
    return planned


def test_deployed_studies_run_in_the_home_of_their_folder_and_say_why_they_fail(prefect: Prefect, folder: Path) -> None:
    run_id = asyncio.run(request("retrain", config=tiny_study()))
    faulty = {"source": "headlines.csv", "evaluate": True, "thresholds": [1, 0]}
    failing = {
        asyncio.run(request("ingest", data={"source": "nowhere.csv"})): "source 'nowhere.csv' does not exist in ",
        asyncio.run(request("score", settings=faulty)): "settings: Value error, thresholds: 1 is above 0: give the low",
    }
    output = prefect("worker", "start", "--pool", "fintone", "--run-once")  # ends when the runs do
    assert "test accuracy" in output
    assert "Traceback" not in output
    for failed, line in failing.items():
        assert line in output
        assert asyncio.run(read_run(failed))[0].state_name == "Failed"
    run, tasks = asyncio.run(read_run(run_id))
    assert run.state_name == "Completed"
    assert run.name.startswith("demo on headlines.csv: lr=1e-03 epochs=1, study ")
    assert {"ingest headlines.csv", "train lr=1e-03 epochs=1", "score lr=1e-03 epochs=1"} <= tasks
    assert {"plan study demo", "compare cells", "judge challenger", "publish leaderboard"} <= tasks
    studies = query(folder / ".fintone" / "warehouse.duckdb", "SELECT status, source FROM studies").rows
    assert studies == [("finished", "headlines.csv")]


def test_runs_of_scheduled_deployments_are_planned(prefect: Prefect) -> None:
    assert asyncio.run(wait_for_scheduled_runs({"retrain", "score"})) == {"retrain", "score"}


def test_the_form_of_a_deployment_describes_each_setting(prefect: Prefect) -> None:
    deployments = asyncio.run(read_deployments())
    assert set(deployments) == {"retrain", "score", "ingest", "market"}
    for deployment in deployments.values():
        schema = deployment.parameter_openapi_schema
        settings = {name: part for name, part in schema["definitions"].items() if "properties" in part}
        assert settings
        assert all(part["description"] for part in schema["properties"].values())
        undescribed = [
            f"{name}.{field}"
            for name, part in settings.items()
            for field, described in part["properties"].items()
            if not described.get("description") and "$ref" not in described
        ]
        assert undescribed == []
