"""A temporary Prefect server, for a process whose user set none; it ends with the process.

Prefect would start one too. But a flow that is killed leaves that server running, and a flow whose server is killed
waits minutes for it. This server ends when the pipe from its parent closes, however the parent ended, and it is
restarted if it dies. The parent owns the socket that it listens on, so requests wait during a restart.
"""

import atexit
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

from schemas.errors import FailureError

STARTS = 4
"""Starts in all; a server that dies more often would die again."""
SECONDS_TO_START = 120.0
"""Limit of a start; a first start on a slow machine creates Prefect's database."""
SECONDS_TO_END = 5.0
"""Time for the server to write what it received."""
SHOWS_WHY = "; `prefect server start` shows why, and is used where PREFECT_API_URL names it"
LEAST_FREE_BYTES = 5_000_000
"""On a disk with less free, the server's database cannot grow: its write-ahead log alone takes over 4 MB."""
BACKLOG = 100
"""Most requests that can wait for the server."""


class ServerFailedError(FailureError):
    """The temporary server does not start."""


class TemporaryServer:
    """The parent's side. The server starts with `start` and ends with this process."""

    def __init__(self) -> None:
        """Reserve an address; start nothing yet."""
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closing = False

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/api"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ServerFailedError: It ended repeatedly, or does not answer.
        """
        host, port = self._socket.getsockname()
        self._process = self._spawn()
        atexit.register(self._close)
        threading.Thread(target=self._watch, daemon=True).start()
        for _ in range(STARTS):
            connection = http.client.HTTPConnection(host, port, timeout=SECONDS_TO_START)
            try:
                connection.request("GET", "/api/health")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return
            except (OSError, http.client.HTTPException):
                pass  # it died during the request, and is restarted
            finally:
                connection.close()
        raise ServerFailedError(f"the temporary Prefect server does not start{describe_full_disk() or SHOWS_WHY}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        listening = self._socket.fileno()
        return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-P", "-m", "cli.session.temporary_server", str(listening)],
            env={name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
            pass_fds=[listening],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # on a fresh home it reports a locked database and continues
            start_new_session=True,  # Ctrl-C in a terminal is for the flow, which reports it to the server
        )

    def _watch(self) -> None:
        """Restart the server when it dies; after the last start, let requests fail at once."""
        for starts_left in reversed(range(STARTS)):
            assert self._process
            assert self._process.stdin
            self._process.wait()
            if self._is_closing:
                return
            self._process.stdin.close()
            if starts_left:
                self._process = self._spawn()
        self._socket.close()

    def _close(self) -> None:
        """Let the server write what it received, and end it."""
        assert self._process
        assert self._process.stdin
        self._is_closing = True
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()


def describe_full_disk() -> str:
    """That the disk of Prefect's home is full, and what to do; empty if it is not."""
    from prefect.settings import PREFECT_HOME

    home = PREFECT_HOME.value()
    if not home.exists() or shutil.disk_usage(home).free >= LEAST_FREE_BYTES:
        return ""
    return f": the disk of PREFECT_HOME ({home}) is full; free disk space, try again"


def serve(listening: int) -> None:
    """Run the server on a listening socket until the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True, final=True)
    config = uvicorn.Config(app, log_level="error", lifespan="on")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listening)])


def _end_with_parent() -> None:
    """Wait until the parent's pipe closes, then end: as the server does after SIGTERM, or else by force."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(SECONDS_TO_END)
    os._exit(1)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
