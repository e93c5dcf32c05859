"""Shell completion in a real bash: commands, options, and the profiles, studies and cells that there are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.completion import complete_id
from schemas.plan import StudyPlan
from schemas.profiles import PROFILES

BASH = shutil.which("bash")
SCRIPT = """
eval "$(fintone --show-completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_fintone_completion fintone
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(home: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    assert BASH
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "FINTONE_HOME": str(home), "PATH": path}
    command = [BASH, "--norc", "-c", SCRIPT, "bash", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_bash_offers_what_fits(trained: tuple[Path, str, StudyPlan]) -> None:
    home, cell, study = trained
    assert complete(home, "fintone", "do") == ["doctor"]
    assert complete(home, "fintone", "sql", "--for") == ["--format"]
    assert complete(home, "fintone", "run", "--profile", "") == list(PROFILES)
    assert complete(home, "fintone", "report", "--study", "") == [study.study_id]
    assert complete(home, "fintone", "export", "") == [cell]
    assert complete(home, "fintone", "promote", cell[:4]) == [cell]
    assert complete(home, "fintone", "score", "news.csv", "--model", "") == ["champion", cell]
    assert set(complete(home, "fintone", "compare", cell, "")) >= {cell}


def test_a_shell_that_shows_what_an_id_is_gets_it(
    trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, cell, study = trained
    monkeypatch.setenv("FINTONE_HOME", str(home))
    told = dict(complete_id(""))
    assert told["champion"]
    assert re.fullmatch(rf"lr=.*, tiny.*, of study {study.study_id}", told[cell])
    assert re.fullmatch(r"demo on .*headlines.csv, tiny.*, running, \d\d \w+ \d{4}", told[study.study_id])
    assert told[study.snapshot_id].startswith("snapshot of ")


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_without_a_warehouse_bash_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    assert complete(tmp_path, "fintone", "export", "") == []
