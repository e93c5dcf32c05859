"""`prefect.yaml`: Prefect accepts it, each entrypoint is a flow, and its parameters fit the flow's signature."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.profiles import build_config, load_profile

ROOT = Path(__file__).parents[2]
PREFECT_FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = {deployment["name"]: deployment for deployment in PREFECT_FILE["deployments"]}


def load_flow(entrypoint: str) -> Any:
    module, _, name = entrypoint.rpartition(".")
    return getattr(import_module(module), name)


def test_prefect_reads_every_name_in_the_file() -> None:
    from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel

    model = PrefectYamlModel.model_validate(PREFECT_FILE)
    assert model.model_dump(by_alias=True, exclude_unset=True).keys() == PREFECT_FILE.keys()
    for deployment in DEPLOYMENTS.values():
        assert deployment.keys() <= DeploymentConfig.model_fields.keys()


def test_the_file_is_for_the_pinned_prefect(project: dict[str, Any]) -> None:
    assert f"prefect=={PREFECT_FILE['prefect-version']}" in project["project"]["dependencies"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_entrypoint_is_a_module_path_to_a_flow(name: str) -> None:
    from prefect.flows import Flow

    assert isinstance(load_flow(DEPLOYMENTS[name]["entrypoint"]), Flow)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_parameters_fit_the_signature_of_the_flow(name: str) -> None:
    flow = load_flow(DEPLOYMENTS[name]["entrypoint"])
    flow.validate_parameters(DEPLOYMENTS[name]["parameters"])


def test_the_deployed_study_is_the_desk_profile() -> None:
    config = DEPLOYMENTS["retrain"]["parameters"]["config"]
    assert config == load_profile("desk")
    build_config(config)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_runs_of_a_deployment_do_not_overlap(name: str) -> None:
    assert DEPLOYMENTS[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployed_run_works_in_the_folder_of_the_command_line(name: str) -> None:
    assert DEPLOYMENTS[name]["work_pool"] == {"name": "fintone", "job_variables": {"working_dir": "{{ $PWD }}"}}


def read_cron(name: str) -> list[str]:
    from prefect.client.schemas.schedules import CronSchedule

    (schedule,) = DEPLOYMENTS[name]["schedules"]
    return CronSchedule(**schedule).cron.split()


def test_a_study_is_renewed_weekly() -> None:
    minute, hour, day, month, weekday = read_cron("retrain")
    assert (minute + hour + weekday).isdigit()
    assert (day, month) == ("*", "*")


def test_headlines_are_scored_on_weekdays_and_ingested_on_request() -> None:
    minute, hour, day, month, weekdays = read_cron("score")
    assert (minute + hour).isdigit()
    assert (day, month, weekdays) == ("*", "*", "1-5")
    assert [name for name in DEPLOYMENTS if "schedules" not in DEPLOYMENTS[name]] == ["ingest", "market"]
