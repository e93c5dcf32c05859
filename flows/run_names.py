"""The name of a study's run in Prefect: its name or profile, its source, what varies, and then its id."""

from uuid import UUID

from learning.study.naming import name_grid
from schemas.config import StudyConfig


def name_run() -> str:
    """A name for the flow run that begins, as in `desk on headlines.csv: lr=2e-04,1e-03 epochs=1,3`."""
    from prefect.runtime import flow_run

    config = StudyConfig.model_validate(flow_run.parameters["config"])
    return f"{config.study_name or config.name} on {config.data.source}: {name_grid(config)}"


def add_study_id(study_id: str) -> None:
    """Add the id of the study, which is known once it is planned, to the name of this flow run."""
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run

    with get_client(sync_client=True) as client:
        client.set_flow_run_name(UUID(flow_run.id), f"{name_run()}, study {study_id}")
