"""Runs a command with its standard output on a real terminal."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence


def run_in_terminal(command: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """What a terminal of 200 columns receives from a command that must succeed, and what standard error does.

    Args:
        command: The command and its arguments.
        environment: Added to the environment of this process, without its settings of colours.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    settings = {**inherited, "TERM": "xterm-256color", "COLUMNS": "200", **environment}
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command, env=settings, stdout=theirs, stderr=subprocess.PIPE, check=False)
        os.close(theirs)
        received = os.read(ours, 65536).decode().replace("\r\n", "\n")
    finally:
        os.close(ours)
    assert done.returncode == 0, done.stderr.decode()
    return received, done.stderr.decode()
