"""The temporary Prefect server ends when its flow is killed, and is started again when it is killed itself."""

import http.client
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import cli.session.temporary_server
from cli.session.temporary_server import ServerFailedError, TemporaryServer

PARENT = """
import threading
from cli.session.temporary_server import TemporaryServer
server = TemporaryServer()
server.start()
print(server.url, server._process.pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process that has a temporary server."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def request_health(url: str) -> int:
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=120)
    connection.request("GET", "/api/health")
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.soak
def test_it_is_started_again_if_it_dies_and_ends_with_its_parent(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout
    url, pid = parent.stdout.readline().split()
    first = psutil.Process(int(pid))
    first.kill()
    first.wait()
    assert request_health(url) == 200  # the request waits for the next server
    [second] = psutil.Process(parent.pid).children()
    assert second.pid != first.pid
    parent.kill()
    second.wait(timeout=20)


def test_a_server_that_does_not_start_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.session.temporary_server.sys, "executable", "/bin/false")
    with pytest.raises(ServerFailedError, match="the temporary Prefect server does not start; `prefect server start`"):
        TemporaryServer().start()
    monkeypatch.setattr(cli.session.temporary_server, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(ServerFailedError, match=r"does not start: the disk of PREFECT_HOME \(/.*\) is full; free disk"):
        TemporaryServer().start()
