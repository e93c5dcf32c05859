"""Imports point one way, and a library is named only in the rooms it belongs to: read from the source."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

BRANCHES = {"ingestion", "learning", "storage", "reporting"}
MAY_IMPORT = {
    "profiles": set(),
    "schemas": set(),
    "embedded": {"schemas"},
    **{room: {"schemas", "embedded"} for room in BRANCHES},
    "tasks": {"schemas", "embedded", *BRANCHES},
    "flows": {"schemas", "embedded", "tasks", *BRANCHES},
}
"""Room to the rooms it may import, besides itself. Benchmarks and tests are free, and no room imports them."""

HOME_OF = {
    ("prefect", "prefect_ray", "ray"): {"flows", "tasks"},
    ("duckdb",): {"storage"},
    ("torch", "transformers", "sentence_transformers", "peft", "trl", "bitsandbytes", "sklearn"): {"learning"},
    ("datasets",): {"ingestion", "learning"},
    ("typer", "rich"): {"flows"},
    ("matplotlib", "plotly", "altair", "seaborn", "bokeh"): {"reporting"},
}
"""Libraries to the rooms that may name them."""


def imported_names(path: Path) -> Iterator[str]:
    """The top-level name of every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the room"
            yield (node.module or "").partition(".")[0]


def imports_of(root: Path, room: str) -> set[tuple[str, str]]:
    """Every (file, imported name) of a room."""
    return {
        (str(path.relative_to(root)), name) for path in (root / room).rglob("*.py") for name in imported_names(path)
    }


def test_an_import_inside_a_function_is_seen(tmp_path: Path) -> None:
    source = "import os.path\ndef f():\n    from torch.nn import Linear\n    import duckdb as db\n"
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    assert set(imported_names(tmp_path / "module.py")) == {"os", "torch", "duckdb"}


def test_every_room_has_its_place(rooms: list[str]) -> None:
    assert set(rooms) == {*MAY_IMPORT, "benchmarks"}


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_rooms_import_only_to_their_left(root: Path, room: str) -> None:
    forbidden = {*MAY_IMPORT, "benchmarks", "tests"} - MAY_IMPORT[room] - {room}
    assert {(file, name) for file, name in imports_of(root, room) if name in forbidden} == set()


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_libraries_stay_in_their_rooms(root: Path, room: str) -> None:
    foreign = {library for libraries, homes in HOME_OF.items() if room not in homes for library in libraries}
    assert {(file, name) for file, name in imports_of(root, room) if name in foreign} == set()


@pytest.mark.parametrize("room", ["flows", "tasks"])
def test_no_file_bears_the_name_of_a_library(root: Path, room: str) -> None:
    # Prefect may put the folder of a flow on the import path, where `datasets.py` would then hide the library.
    libraries = {*sys.stdlib_module_names, *packages_distributions(), "evaluate"} - {*MAY_IMPORT, "benchmarks"}
    names = {path.stem for path in (root / room).rglob("*.py")} - {"__init__"}
    assert names & libraries == set()


def test_every_imported_library_is_a_declared_dependency(root: Path, project: dict[str, Any], rooms: list[str]) -> None:
    extras = project["project"]["optional-dependencies"]
    declared = {
        requirement_name(line) for line in project["project"]["dependencies"] + extras["ray"] + extras["embeddings"]
    }
    providers = packages_distributions()
    imported = {name for room in rooms for _, name in imports_of(root, room)} - {*rooms, *sys.stdlib_module_names}
    missing = {name for name in imported if not declared & {normalise(it) for it in providers.get(name, [name])}}
    assert missing == set()


def requirement_name(line: str) -> str:
    """`pandera[pandas]>=0.35` to `pandera`."""
    return normalise(line.translate(str.maketrans("[<>=!~; ", "        ")).split()[0])


def normalise(name: str) -> str:
    return name.lower().replace("_", "-")
