"""The command line as a whole: everything has help, and a command that needs no model loads no heavy library."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEAVY = ("torch", "transformers", "peft", "trl", "bitsandbytes", "sklearn", "scipy", "pandas", "datasets", "prefect")
COMMANDS = {
    "compare",
    "delete",
    "doctor",
    "export",
    "gc",
    "ingest",
    "list",
    "promote",
    "report",
    "run",
    "score",
    "show",
    "sql",
}

PROBE = f"""
import json, sys
from cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code or 0
else:
    code = 0
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"code": code, "heavy": heavy}}), file=sys.stderr)
"""


def iterate_commands() -> Iterator[tuple[str, Any]]:
    """Yield each command and group with its full name, subcommands too."""
    from typer.main import get_command

    from cli.main import app

    waiting = [("fintone", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        waiting += [(f"{name} {child}", it) for child, it in getattr(command, "commands", {}).items()]


def test_the_main_commands_exist() -> None:
    assert {f"fintone {name}" for name in COMMANDS} <= {name for name, _ in iterate_commands()}


def test_every_command_has_help() -> None:
    assert [name for name, command in iterate_commands() if not command.help] == []


def test_the_help_of_every_command_has_an_example_whose_options_it_knows() -> None:
    for name, command in iterate_commands():
        if name == "fintone":
            continue
        [example] = re.findall(rf"Example: ({name} .+)", command.help)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in shlex.split(example) if word.startswith("--")} <= known


def test_every_argument_and_option_has_help() -> None:
    without_help = [
        f"{name} {parameter.name}"
        for name, command in iterate_commands()
        for parameter in command.params
        if not parameter.help
    ]
    assert without_help == []


def test_every_option_that_the_code_names_exists(root: Path, packages: list[str]) -> None:
    known = {option for _, command in iterate_commands() for parameter in command.params for option in parameter.opts}
    of_ray_and_modules = {"--head", "--folder", "--steps", "--help", "--coefficient"}
    others = {*of_ray_and_modules, "--context", "--instrument"}  # the last two are of the script of an export
    named = {
        (str(path.relative_to(root)), option)
        for package in set(packages) - {"benchmarks", "reporting"}
        for path in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", node.value)
    }
    assert len(named) > len(known) / 2
    assert {(path, option) for path, option in named if option not in known | others} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["ingest", "--help"],
        ["sql", "--help"],
        ["sql", "SELECT 1"],
        ["compare", "--help"],
        ["compare", "3f9a", "c204"],
        ["score", "--help"],
        ["report", "--help"],
        ["doctor", "--help"],
        ["promote", "--help"],
        ["promote", "3f9a", "--reason", "none"],
        ["list", "cells"],
        ["show", "3f9a"],
        ["delete", "3f9a", "--yes"],
        ["gc", "--dry-run"],
    ],
)
def test_a_light_command_loads_no_heavy_library(root: Path, tmp_path: Path, arguments: list[str]) -> None:
    environment = {**os.environ, "FINTONE_HOME": str(tmp_path), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", PROBE, *arguments]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(result.stderr.splitlines()[-1])
    assert report["heavy"] == []
    assert "Traceback" not in result.stderr
    if "--help" in arguments:
        assert report["code"] == 0
