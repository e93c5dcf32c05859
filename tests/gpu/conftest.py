"""Fixtures of the tests on a CUDA device: the guard, the device in each arithmetic, and the project on the path."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from learning.models.device import Device, choose_device

ROOT = Path(__file__).parents[2]

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
def project(cuda: None) -> Iterator[None]:
    """Let processes find the project wherever they start, even if it is not installed."""
    folders = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, folders)))
        yield


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def device(request: pytest.FixtureRequest) -> Device:
    if request.param == torch.bfloat16 and not torch.cuda.is_available():
        pytest.skip("a CPU without instructions for bfloat16 takes 30 times as long")
    return replace(choose_device(), dtype=request.param)
