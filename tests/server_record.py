"""What a Prefect server recorded of a test's flow runs; other tests use the same server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterStartTime
from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL, temporary_settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import Artifact, FlowRun, TaskRun


@contextmanager
def using_server(url: str) -> Iterator[None]:
    """Run the flows of the block, and of processes that it starts, on this server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", url)
        refresh_global_settings_context()
        with temporary_settings({PREFECT_API_URL: url}):
            yield
    refresh_global_settings_context()


class ServerRecord:
    """The server's record of flow runs that started after this object was created."""

    def __init__(self) -> None:
        """Begin now."""
        self._filter = FlowRunFilter(start_time=FlowRunFilterStartTime(after_=datetime.now(UTC)))

    def flow_runs(self) -> "list[FlowRun]":
        """The flow runs."""
        with get_client(sync_client=True) as client:
            return client.read_flow_runs(flow_run_filter=self._filter)

    def task_runs(self) -> "list[TaskRun]":
        """The last 200 of their task runs."""
        with get_client(sync_client=True) as client:
            return client.read_task_runs(flow_run_filter=self._filter)

    def artifacts(self, key: str | None = None) -> "list[Artifact]":
        """Their artifacts, or those with this key."""
        with get_client(sync_client=True) as client:
            found = client.read_artifacts(flow_run_filter=self._filter)
        return [artifact for artifact in found if key is None or artifact.key == key]
