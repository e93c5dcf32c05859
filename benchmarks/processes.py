"""Commands that benchmarks kill, each with all processes that it started, including detached ones."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import psutil

from benchmarks.machine import FINTONE

MARK = "FINTONE_KILLED_RUN"
"""An environment variable that every process of a run inherits, including those that outlive their parent."""
ROLES = {"learning.worker": "worker", "temporary_server": "server", "create_app": "server"}
"""The role of a process that a run starts, by a text that its command line contains."""

SECONDS_TO_END = 10.0
"""The time in which the processes of a dead run must end by themselves."""
SECONDS_OF_A_RUN = 300.0
SECONDS_OF_A_START = 120.0


class Run:
    """One `fintone` command: its lines on standard error as they arrive, and its processes."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        """Start it."""
        self.mark = uuid4().hex
        self.lines: list[tuple[float, str]] = []
        """The lines that it printed to standard error, with the seconds since its start."""
        self._heard = threading.Condition()
        self._is_silent = False
        self._start = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own command)
            [str(FINTONE), *arguments],
            env={**environment, MARK: self.mark},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_for_line(self, number: int) -> bool:
        """Wait until it has printed `number` lines; False if it ends before."""
        with self._heard:
            self._heard.wait_for(lambda: len(self.lines) >= number or self._is_silent, timeout=SECONDS_OF_A_RUN)
            return len(self.lines) >= number

    def is_over_in(self, seconds: float) -> bool:
        """Wait for its end for at most `seconds`; whether it ended."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def find_processes(self) -> dict[str, psutil.Process]:
        """Its processes that are alive, by role: `flow`, `worker` and `server`."""
        found = {}
        for process in psutil.process_iter(["environ", "cmdline", "status"]):
            if (process.info["environ"] or {}).get(MARK) != self.mark:
                continue
            command = " ".join(process.info["cmdline"] or ())
            role = next((role for words, role in ROLES.items() if words in command), "flow")
            if process.info["status"] != psutil.STATUS_ZOMBIE:
                found[role] = process
        return found

    def end(self) -> int:
        """Wait for its end and return its exit code; a run that hangs is killed."""
        if not self.is_over_in(SECONDS_OF_A_RUN):
            self.lines.append((SECONDS_OF_A_RUN, f"no end in {SECONDS_OF_A_RUN:g} s"))
            self.process.kill()
        return self.process.wait()

    def bury(self) -> list[str]:
        """Kill its processes that outlive it by more than `SECONDS_TO_END`, and return their roles."""
        left = self.find_processes()
        _, alive = psutil.wait_procs(left.values(), timeout=SECONDS_TO_END)
        for process in alive:
            process.kill()
        self._listener.join(SECONDS_TO_END)
        return [role for role, process in left.items() if process in alive]

    def _listen(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            for line in stream:
                with self._heard:
                    self.lines.append((time.monotonic() - self._start, line.rstrip()))
                    self._heard.notify_all()
        with self._heard:
            self._is_silent = True
            self._heard.notify_all()


class PrefectServer:
    """A process of `prefect server start` that several runs share, with its own `PREFECT_HOME`."""

    def __init__(self, home: Path) -> None:
        """Start it, and wait until it answers."""
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.start()
        self.wait()

    def start(self) -> None:
        """Start it, at the same address as before."""
        prefect = Path(sys.executable).with_name("prefect")
        self.process = subprocess.Popen(  # noqa: S603 (a command of the environment)
            [str(prefect), "server", "start", "--port", str(self.port), "--no-ui"],
            env={**os.environ, "PREFECT_HOME": str(self.home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + SECONDS_OF_A_START
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310 (our own address)
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise TimeoutError(f"Prefect server {self.url}: no answer in {SECONDS_OF_A_START:g} s")

    def kill(self) -> None:
        """Kill it and every process that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
