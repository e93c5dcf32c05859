"""README's commands for a Prefect server, in a real terminal on an empty Prefect: none prompts or sends usage data."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")
PATIENCE = 120.0
"""Seconds for a command to do its work; one that prompts would wait forever."""


def read_commands() -> tuple[str, list[str]]:
    """The line that prepares each terminal, and the commands."""
    part = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## On a Prefect server\n")[1].split("\n## ")[0]
    first, *commands = re.findall(r"^ {4}(.+)$", part, flags=re.MULTILINE)
    return first, commands


class Terminal:
    """A command on a terminal at which nobody types."""

    def __init__(self, line: str, folder: Path, environment: dict[str, str]) -> None:
        assert BASH
        ours, theirs = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [BASH, "--norc", "-c", line],
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            process_group=0,
        )
        os.close(theirs)
        threading.Thread(target=self._read, args=(ours,), daemon=True).start()

    def _read(self, end: int) -> None:
        try:
            while text := os.read(end, 65_536):
                self.shown += text.decode(errors="replace")
        except OSError:  # the command is gone
            os.close(end)

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not is_there():
            assert time.monotonic() < limit, self.shown
            time.sleep(0.2)

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Runs a line of the README in a copy of the project's folder, with an empty Prefect."""
    for name in ("prefect.yaml", "prefect.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    preparation = read_commands()[0].replace("4200", port)
    removed = ("PREFECT", "TRACK", "CI", "FINTONE", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not any(part in name for part in removed)}
    environment |= {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_API_PORT": port, "TERM": "xterm"}
    terminals: list[Terminal] = []

    def run(line: str) -> Terminal:
        terminals.append(Terminal(f"{preparation} && exec {line}", tmp_path, environment | {"PYTHONPATH": str(ROOT)}))
        return terminals[-1]

    run.port = port  # type: ignore[attr-defined]
    yield run
    for terminal in reversed(terminals):
        terminal.end()


def answers(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.soak
@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_no_command_prompts_or_sends_usage_data(open_terminal: Callable[[str], Terminal]) -> None:
    _, [start, *once, work] = read_commands()
    assert (start, work) == ("prefect server start", "prefect worker start --pool fintone")
    server = open_terminal(start)
    server.wait_for(lambda: answers(open_terminal.port))  # type: ignore[attr-defined]
    for line in once:
        command = open_terminal(line)
        command.wait_for(lambda command=command: command.process.poll() is not None)  # type: ignore[misc]
        assert command.process.returncode == 0, command.shown
    assert "retrain/retrain" in command.shown
    worker = open_terminal(work)
    worker.wait_for(lambda: "started!" in worker.shown)
    assert not any("?" in terminal.shown for terminal in (server, command, worker))
    assert "usage data" not in server.shown
    with urllib.request.urlopen(f"http://127.0.0.1:{open_terminal.port}/api/admin/settings") as answer:  # type: ignore[attr-defined]
        assert json.load(answer)["server"]["analytics_enabled"] is False
