"""The README and docs are true: targets, queries, profiles and pictures exist, and figures are those of benchmarks."""

import json
import re
import shlex
from pathlib import Path

import pytest

from benchmarks.coverage import SURELY_WRONG, build_table
from benchmarks.machine import RESULTS
from benchmarks.readme import build_blocks, fill_blocks, load_records, share_blocks
from schemas.profiles import PROFILES
from schemas.reference import PAGE, render_reference
from storage.query import query
from storage.warehouse import prepare_warehouse

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
COMMANDS = [shlex.split(line) for page in PAGES for line in re.findall(r"^ {4}(fintone .+)$", page, flags=re.MULTILINE)]


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", README)) | set(
        re.findall(r"^ {4}make ([a-z-]+)", README, flags=re.MULTILINE)
    )
    assert named
    assert named <= targets


def test_the_readme_has_at_most_200_lines() -> None:
    assert README.count("\n") <= 200


@pytest.mark.parametrize("command", [command for command in COMMANDS if command[1] == "sql"], ids=" ".join)
def test_every_query_runs_on_a_warehouse(command: list[str], prepared: Path) -> None:
    assert query(prepared, command[2]).columns


def test_every_option_of_a_run_is_known() -> None:
    from typer.main import get_command

    from cli.main import app

    run = get_command(app).commands["run"]  # type: ignore[attr-defined]
    known = {option for parameter in run.params for option in parameter.opts}
    used = {word for command in COMMANDS if command[1] == "run" for word in command if word.startswith("--")}
    assert used
    assert used <= known


def test_every_picture_and_page_that_is_named_exists() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    named += [f"docs/{name}" for page in PAGES[1:] for name in re.findall(r"\]\(([^)#:]+)\)", page)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_profile_is_described() -> None:
    assert all(f"| `{profile}` |" in README for profile in PROFILES)


def test_the_figures_are_those_that_the_benchmarks_wrote() -> None:
    for document, blocks in share_blocks(build_blocks(load_records())).items():
        text = document.read_text(encoding="utf-8")
        assert fill_blocks(text, blocks) == text


TOO_WIDE = {
    "macro-F1, balanced labels, n = 30, accuracy 0.9",
    *(
        f"difference of {figure}, {models}, n = 30, accuracy 0.97"
        for figure in ("accuracy", "macro-F1")
        for models in ("equal models", "one .05 better")
    ),
}
"""Intervals that are too wide: they hold the truth in 97 to 98 % of the samples."""


def test_every_interval_that_is_shown_has_its_level() -> None:
    record = json.loads((RESULTS / "coverage.json").read_text(encoding="utf-8"))
    figures = {
        name: figure
        for name, figure in record["figures"].items()
        if not name.startswith(("bootstrap", SURELY_WRONG)) and not name.endswith("shown")
    }
    assert len(figures) > 100
    assert {name: figure for name, figure in figures.items() if figure < 0.93} == {}
    assert {name for name, figure in figures.items() if figure > 0.97} == TOO_WIDE
    assert max(figures.values()) < 0.98


def test_the_table_of_coverage_is_what_was_simulated() -> None:
    figures = json.loads((RESULTS / "coverage.json").read_text(encoding="utf-8"))["figures"]
    text = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert fill_blocks(text, {"coverage": build_table(figures)}) == text


def test_the_page_of_settings_is_made_from_the_settings() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_reference()


def test_the_python_example_of_the_docs_runs(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "work").mkdir()
    prepare_warehouse(tmp_path / "work" / ".fintone" / "warehouse.duckdb")
    exec(compile(example.replace(".fintone", str(tmp_path / "work" / ".fintone")), "python.md", "exec"), {})
