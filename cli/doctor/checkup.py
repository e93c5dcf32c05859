"""What `fintone doctor` does: which checks there are and in which order.

Each is made in a process of its own, `python -m cli.doctor.checkup SUBJECT=MODULE:FUNCTION ...`, which prints what it
found as a line of JSON: a library that crashes, hangs or talks costs its own finding and nothing else.
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

from schemas.checkup import MEND_LIBRARIES, Finding, find_failure
from schemas.redaction import redact

Checks = Mapping[str, str]
"""Subject to `module:function`, imported where it is called: a module that cannot be imported is a finding, too."""

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
"""A group is a process; what needs torch is one, so that it is loaded once."""

TIME_LIMIT = 90.0
"""Seconds for a process: torch from a cold disk takes tens of them."""


def examine(groups: Sequence[Checks] = GROUPS, time_limit: float = TIME_LIMIT) -> list[Finding]:
    """Make all checks at once, and give what each found in the order of `groups`.

    Args:
        groups: The checks, a process each.
        time_limit: Seconds after which a process is ended.
    """
    with ThreadPoolExecutor(len(groups)) as pool:
        return [found for group in pool.map(lambda group: _examine_group(group, time_limit), groups) for found in group]


def _examine_group(checks: Checks, time_limit: float) -> list[Finding]:
    """Make the checks of a group in a process; whatever it does, there is a finding for each."""
    named = [f"{subject}={check}" for subject, check in checks.items()]
    command = [sys.executable, "-P", "-m", "cli.doctor.checkup", *named]
    try:
        ended = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=time_limit, check=False
        )
        answers, reason = ended.stdout, _explain_end(ended)
    except subprocess.TimeoutExpired as error:
        answers, reason = error.stdout or b"", f"the check failed: its process did not end within {time_limit:g} s"
    found = [Finding(**json.loads(line)) for line in answers.decode().splitlines()]
    lost = list(checks)[len(found) :]
    for subject in lost:
        told = reason if subject == lost[0] else f"not looked at: the check of {lost[0]} failed"
        found.append(Finding(subject, "fail", told, MEND_LIBRARIES))
    return found


def _explain_end(ended: subprocess.CompletedProcess[bytes]) -> str:
    """How a process ended before it had made its checks, with the last that it said."""
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    last = f"; it last said: {redact(said[-1])}" if said else ""
    how = f"by {signal.Signals(-ended.returncode).name}" if ended.returncode < 0 else f"with code {ended.returncode}"
    return f"the check failed: its process ended {how}{last}"


def main() -> None:
    """Make the checks that the command line names, and print each finding when it is there."""
    answers = _take_stdout()
    for argument in sys.argv[1:]:
        subject, _, check = argument.partition("=")
        answers.write(json.dumps(asdict(_make(subject, check))) + "\n")
        answers.flush()


def _take_stdout() -> TextIO:
    """Keep standard output for the answers: what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _make(subject: str, check: str) -> Finding:
    try:
        found: Finding = resolve_name(check)()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what this check found)
        return find_failure(subject, error)
    return found


if __name__ == "__main__":
    main()
