"""The checks of `fintone doctor` and their order.

Each group of checks runs in its own process, `python -m cli.doctor.checkup SUBJECT=MODULE:FUNCTION ...`, which prints
each finding as a line of JSON. A library that crashes, hangs or prints spoils only the findings of its own group.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pkgutil import resolve_name
from typing import TextIO

from learning.worker.environment import torch_environment
from schemas.checkup import MEND_LIBRARIES, Finding, find_failure
from schemas.redaction import redact

Checks = Mapping[str, str]
"""Subjects and their `module:function`, imported when called: a failed import is a finding, too."""

GROUPS: tuple[Checks, ...] = (
    {"versions": "cli.doctor.installation:check_versions", "extras": "cli.doctor.installation:check_extras"},
    {
        "device": "learning.models.checkup:check_device",
        "memory": "learning.models.checkup:check_memory",
        "4-bit": "learning.models.checkup:check_four_bit",
    },
    {
        "home": "storage.checkup:check_home",
        "disk": "storage.checkup:check_disk",
        "warehouse": "storage.checkup:check_warehouse",
    },
    {"Prefect": "cli.doctor.server:check_server"},
    {"hub": "learning.models.hub_access:check_hub"},
)
"""Each group has its own process; checks that need torch are one group, so that it is loaded once."""

TIME_LIMIT = 90.0
"""Seconds that a process may take; loading torch from a cold disk takes tens of seconds."""


def examine(groups: Sequence[Checks] = GROUPS, time_limit: float = TIME_LIMIT) -> list[Finding]:
    """Run all groups at once, and return their findings in the order of `groups`.

    Args:
        groups: The checks, with one process for each group.
        time_limit: Seconds after which a process is ended.
    """
    with ThreadPoolExecutor(len(groups)) as pool:
        return [found for group in pool.map(lambda group: _examine_group(group, time_limit), groups) for found in group]


def _examine_group(checks: Checks, time_limit: float) -> list[Finding]:
    """Run the checks of a group in a process; each has a finding, however the process ends."""
    arguments = [f"{subject}={check}" for subject, check in checks.items()]
    command = [sys.executable, "-P", "-m", "cli.doctor.checkup", *arguments]
    try:
        ended = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_limit,
            check=False,
            env=torch_environment(),
        )
        answers, reason = ended.stdout, _explain_end(ended)
    except subprocess.TimeoutExpired as error:
        answers, reason = error.stdout or b"", f"the check failed: its process did not end within {time_limit:g} s"
    found = [Finding(**json.loads(line)) for line in answers.decode().splitlines()]
    lost = list(checks)[len(found) :]
    for subject in lost:
        message = reason if subject == lost[0] else f"not checked: the check of {lost[0]} failed"
        found.append(Finding(subject, "fail", message, MEND_LIBRARIES))
    return found


def _explain_end(ended: subprocess.CompletedProcess[bytes]) -> str:
    """Describe how a process ended before it finished its checks, with its last line of output."""
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    last = f"; its last line: {redact(lines[-1])}" if lines else ""
    how = f"by {signal.Signals(-ended.returncode).name}" if ended.returncode < 0 else f"with code {ended.returncode}"
    return f"the check failed: its process ended {how}{last}"


def main() -> None:
    """Run the checks that the command line names, and print each finding as soon as it is there."""
    answers = _take_stdout()
    for argument in sys.argv[1:]:
        subject, _, check = argument.partition("=")
        answers.write(json.dumps(asdict(_run_check(subject, check))) + "\n")
        answers.flush()


def _take_stdout() -> TextIO:
    """Keep standard output for the answers: what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _run_check(subject: str, check: str) -> Finding:
    try:
        found: Finding = resolve_name(check)()
    except Exception as error:  # noqa: BLE001 (any error is the finding of this check)
        return find_failure(subject, error)
    return found


if __name__ == "__main__":
    main()
