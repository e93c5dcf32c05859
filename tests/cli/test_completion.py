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
while IFS=$'\\t' read -r -a COMP_WORDS; do
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMP_WORDS[COMP_CWORD]=${COMP_WORDS[COMP_CWORD]#?}
    _fintone_completion fintone
    echo "${COMPREPLY[@]}"
done
"""
"""For each line of tab-separated words, what bash offers for the last one, which has an extra character before it."""


def complete(home: Path, *lines: tuple[str, ...]) -> list[list[str]]:
    """What bash offers for the last word of each command line."""
    assert BASH
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "FINTONE_HOME": str(home), "PATH": path}
    typed = "".join("\t".join(["fintone", *words[:-1], f"_{words[-1]}"]) + "\n" for words in lines)
    command = [BASH, "--norc", "-c", SCRIPT]
    done = subprocess.run(command, input=typed, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_bash_offers_what_fits(trained: tuple[Path, str, StudyPlan]) -> None:
    home, cell, study = trained
    offered = complete(
        home,
        ("do",),
        ("sql", "--for"),
        ("run", "--profile", ""),
        ("report", "--study", ""),
        ("export", ""),
        ("promote", cell[:4]),
        ("score", "news.csv", "--model", ""),
        ("market", "--model", "cha"),
        ("compare", cell, ""),
    )
    assert offered[:4] == [["doctor"], ["--format"], list(PROFILES), [study.study_id]]
    assert offered[4:7] == [[cell], [cell], ["champion", cell]]
    assert offered[7] == ["champion", "champions"]
    assert set(offered[8]) >= {cell}


def test_ids_are_offered_with_a_description(
    trained: tuple[Path, str, StudyPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, cell, study = trained
    monkeypatch.setenv("FINTONE_HOME", str(home))
    descriptions = dict(complete_id(""))
    assert descriptions["champion"]
    assert re.fullmatch(rf"lr=.*, tiny.*, of study {study.study_id}", descriptions[cell])
    assert re.fullmatch(r"demo on .*headlines.csv, tiny.*, running, \d\d \w+ \d{4}", descriptions[study.study_id])
    assert descriptions[study.snapshot_id].startswith("snapshot of ")


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_without_a_warehouse_bash_offers_nothing_and_prints_no_error(tmp_path: Path) -> None:
    assert complete(tmp_path, ("export", "")) == [[]]
