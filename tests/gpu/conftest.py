"""Fixtures of the tests on a CUDA device: the guard, the device in each arithmetic, and the project on the path."""

import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import torch

from learning.models.device import Device, choose_device

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


ANYWHERE = "FINTONE_GPU_TESTS_ANYWHERE"
"""Set to run these tests without a GPU too, as far as possible: tests that never run fall behind the code."""


@pytest.fixture(scope="session", autouse=True)
def cuda() -> None:
    if not torch.cuda.is_available() and not os.environ.get(ANYWHERE):
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def card() -> None:
    """For a test of a GPU's own memory or arithmetic, which no other device can replace."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session", autouse=True)
def project(cuda: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let processes find the project and its version wherever they start, even if it is not installed."""
    folders = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with pytest.MonkeyPatch.context() as patch:
        try:
            version("fintone")
        except PackageNotFoundError:
            folders.append(str(declare_project(tmp_path_factory.mktemp("declared"))))
            patch.setattr(sys, "path", [*sys.path, folders[-1]])
        patch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, folders)))
        yield


def declare_project(folder: Path) -> Path:
    """Write the metadata that an installation would have, with the project's name and version."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{declared['name']}-{declared['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA.format(**declared), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def device(request: pytest.FixtureRequest) -> Device:
    if request.param == torch.bfloat16 and not torch.cuda.is_available():
        pytest.skip("a CPU without instructions for bfloat16 takes 30 times as long")
    return replace(choose_device(), dtype=request.param)
