"""Imports point one way, and a library is imported only by the packages it belongs to, as the source shows."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

BRANCHES = {"ingestion", "learning", "storage", "reporting", "market"}
BELOW_OPERATIONS = {"schemas", "embedded", *BRANCHES}
MAY_IMPORT = {
    "profiles": set(),
    "schemas": set(),
    "embedded": {"schemas"},
    **{package: {"schemas", "embedded"} for package in BRANCHES},
    "operations": BELOW_OPERATIONS,
    "tasks": {"operations", *BELOW_OPERATIONS},
    "flows": {"tasks", "operations", *BELOW_OPERATIONS},
    "cli": {"flows", "tasks", "operations", *BELOW_OPERATIONS},
}
"""Package to the packages it may import, besides itself. Benchmarks and tests may import all; none imports them."""

MODELS = {"models", "prompt", "study"}
MAY_IMPORT_IN_LEARNING = {
    "study": set(),
    "prompt": {"study"},
    "models": {"prompt", "study"},
    **dict.fromkeys(("training", "scoring", "baselines"), MODELS),
    "kinds": {"training", "scoring", *MODELS},
    "worker": {"kinds", "training", "scoring", "baselines", *MODELS},
}
"""The same inside `learning`."""

HOME_OF = {
    ("prefect", "prefect_ray", "ray"): {"cli", "flows", "tasks"},
    ("duckdb",): {"storage"},
    ("torch", "transformers", "sentence_transformers", "peft", "trl", "bitsandbytes", "sklearn"): {"learning"},
    ("datasets",): {"ingestion", "learning"},
    ("statsmodels",): {"learning", "market"},
    ("exchange_calendars",): {"market"},
    ("typer", "rich"): {"cli"},
    ("matplotlib", "plotly", "altair", "seaborn", "bokeh"): {"reporting"},
}
"""Libraries to the packages that may import them."""


def imported_modules(path: Path) -> Iterator[str]:
    """The module that each import of a file names, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the package"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_names(path: Path) -> set[str]:
    """The top-level name of every import of a file."""
    return {module.partition(".")[0] for module in imported_modules(path)}


def find_cycle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a cycle; empty if there is none."""
    done: set[str] = set()

    def visit(module: str, above: list[str]) -> list[str]:
        if module in above:
            return [*above[above.index(module) :], module]
        if module in done:
            return []
        found = next(filter(None, (visit(each, [*above, module]) for each in sorted(imports[module]))), [])
        done.add(module)
        return found

    return next(filter(None, (visit(module, []) for module in sorted(imports))), [])


def imports_of(root: Path, package: str) -> set[tuple[str, str]]:
    """Every (file, imported name) of a package."""
    return {
        (str(path.relative_to(root)), name) for path in (root / package).rglob("*.py") for name in imported_names(path)
    }


def test_the_script_of_an_export_imports_nothing_of_the_project(root: Path) -> None:
    libraries = imported_names(root / "learning" / "models" / "classify.py") - sys.stdlib_module_names
    assert libraries == {"torch", "transformers", "peft", "sklearn"}


def test_an_import_inside_a_function_is_found(tmp_path: Path) -> None:
    source = "import os.path\ndef f():\n    from torch.nn import Linear\n    import duckdb as db\n"
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    assert imported_names(tmp_path / "module.py") == {"os", "torch", "duckdb"}
    assert "torch.nn.Linear" in imported_modules(tmp_path / "module.py")


def test_every_package_is_listed(packages: list[str]) -> None:
    assert set(packages) == {*MAY_IMPORT, "benchmarks"}


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_import_only_those_they_may(root: Path, package: str) -> None:
    forbidden = {*MAY_IMPORT, "benchmarks", "tests"} - MAY_IMPORT[package] - {package}
    assert {(file, name) for file, name in imports_of(root, package) if name in forbidden} == set()


def test_every_package_of_learning_is_listed(root: Path) -> None:
    found = {path.name for path in (root / "learning").iterdir() if (path / "__init__.py").exists()}
    assert found == {*MAY_IMPORT_IN_LEARNING}


@pytest.mark.parametrize("name", sorted(MAY_IMPORT_IN_LEARNING))
def test_packages_of_learning_import_only_those_they_may(root: Path, name: str) -> None:
    allowed = {name, *MAY_IMPORT_IN_LEARNING[name]}
    imported = {
        (str(path.relative_to(root)), module)
        for path in (root / "learning" / name).rglob("*.py")
        for module in imported_modules(path)
        if module.startswith("learning.") and module.split(".")[1] not in allowed
    }
    assert imported == set()


def test_a_cycle_is_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_modules_import_each_other_in_a_cycle(root: Path) -> None:
    files = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in MAY_IMPORT
        for path in (root / package).rglob("*.py")
    }
    imports = {
        name: {
            module
            for imported in imported_modules(path)
            for module in (imported, imported.rpartition(".")[0])
            if module in files and module != name and files[module].name != "__init__.py"
        }
        for name, path in files.items()
    }
    assert find_cycle(imports) == []


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_library_is_imported_only_by_its_packages(root: Path, package: str) -> None:
    foreign = {library for libraries, homes in HOME_OF.items() if package not in homes for library in libraries}
    assert {(file, name) for file, name in imports_of(root, package) if name in foreign} == set()


@pytest.mark.parametrize("package", ["flows", "tasks"])
def test_no_file_has_the_name_of_a_library(root: Path, package: str) -> None:
    # Prefect may put the folder of a flow on the import path, where `datasets.py` would then hide the library.
    libraries = {*sys.stdlib_module_names, *packages_distributions(), "evaluate"} - {*MAY_IMPORT, "benchmarks"}
    names = {path.stem for path in (root / package).rglob("*.py")} - {"__init__"}
    assert names & libraries == set()


def test_every_imported_library_is_a_declared_dependency(
    root: Path, project: dict[str, Any], packages: list[str]
) -> None:
    extras = project["project"]["optional-dependencies"]
    optional = [line for name in ("ray", "embeddings", "market") for line in extras[name]]
    declared = {requirement_name(line) for line in project["project"]["dependencies"] + optional}
    providers = packages_distributions()
    imported = {name for package in packages for _, name in imports_of(root, package)} - {
        *packages,
        *sys.stdlib_module_names,
    }
    missing = {name for name in imported if not declared & {normalise(it) for it in providers.get(name, [name])}}
    assert missing == set()


def requirement_name(line: str) -> str:
    """`pandera[pandas]>=0.35` to `pandera`."""
    return normalise(line.translate(str.maketrans("[<>=!~; ", "        ")).split()[0])


def normalise(name: str) -> str:
    return name.lower().replace("_", "-")
