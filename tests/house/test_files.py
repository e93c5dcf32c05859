"""Rules for every file of the project: it is packaged and described, and names no place outside the project."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

FOREIGN = re.compile(
    rb"find[-_]links|(extra[-_]|--)index[-_]url|https?://(pypi\.org|[\w.]*pythonhosted\.org|download\.pytorch\.org)"
    rb"|\.\./shared|/(work|root|opt|tmp)/|this workplace"
)
"""Package index addresses and places on someone's machine."""


def test_every_folder_with_code_is_a_listed_package(root: Path, packages: list[str], project_files: list[Path]) -> None:
    folders = {path.parent for path in project_files if path.suffix == ".py" and path.parts[0] != "tests"}
    assert {folder.parts[0] for folder in folders} == set(packages)
    assert [folder for folder in folders if not (root / folder / "__init__.py").exists()] == []
    assert [package for package in packages if not (root / package / "__init__.py").exists()] == []


def test_every_data_file_of_a_package_is_packaged(
    project: dict[str, Any], packages: list[str], project_files: list[Path]
) -> None:
    patterns = project["tool"]["setuptools"]["package-data"]
    data = [path for path in project_files if path.parts[0] in {*packages} - {"benchmarks"} and path.suffix != ".py"]
    unpackaged = [
        path
        for path in data
        if not any(fnmatch("/".join(path.parts[1:]), pattern) for pattern in patterns.get(path.parts[0], []))
    ]
    assert unpackaged == []


def test_every_module_has_a_docstring_in_plain_words(root: Path, project_files: list[Path]) -> None:
    modules = [path for path in project_files if path.suffix == ".py"]
    sources = {path: (root / path).read_text(encoding="utf-8") for path in modules}
    undescribed = [path for path, source in sources.items() if source and not ast.get_docstring(ast.parse(source))]
    assert undescribed == []
    stilted = [path for path, source in sources.items() if "Knows " in (ast.get_docstring(ast.parse(source)) or "")]
    assert stilted == []


def test_only_init_files_are_empty(root: Path, project_files: list[Path]) -> None:
    empty = [path for path in project_files if not (root / path).stat().st_size]
    assert [path for path in empty if path.name != "__init__.py"] == []


def test_no_file_names_a_package_index_or_a_place_outside_the_project(root: Path, project_files: list[Path]) -> None:
    this_file = Path(__file__).relative_to(root)
    found = {
        str(path): match[0]
        for path in project_files
        if path != this_file and (match := FOREIGN.search((root / path).read_bytes()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", [b"pip install --index-url x", b"--find-links=/x", b"https://download.pytorch.org/whl", b"../shared/data"]
)
def test_the_search_for_foreign_places_finds_them(text: bytes) -> None:
    assert FOREIGN.search(text)
