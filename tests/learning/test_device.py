"""What is recorded of the machine is true of it."""

import platform
from importlib.metadata import version

import pytest
import torch

from learning.device import Device, choose_device, describe_environment, peak_memory_bytes


def test_without_a_gpu_everything_is_float32_on_the_cpu() -> None:
    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA device")
    device = choose_device()
    assert (device.name, device.dtype, device.optimizer) == ("cpu", torch.float32, "adamw_torch")


@pytest.mark.gpu
def test_with_a_gpu_arithmetic_is_short_and_the_optimizer_paged() -> None:
    device = choose_device()
    assert device.name == "cuda"
    assert device.dtype in {torch.bfloat16, torch.float16}
    assert device.optimizer == "paged_adamw_32bit"


def test_the_environment_names_device_arithmetic_and_versions() -> None:
    device = choose_device()
    environment = describe_environment(device)
    assert (environment["device"], environment["optimizer"]) == (device.name, device.optimizer)
    assert getattr(torch, environment["dtype"]) is device.dtype
    assert environment["python"] == platform.python_version()
    assert environment["torch"] == version("torch")
    assert all(isinstance(value, str) and value for value in environment.values())


def test_the_peak_is_not_below_what_was_held() -> None:
    device = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1)
    held = torch.ones(16, 1_024, 1_024)
    assert peak_memory_bytes(device) > held.nbytes
    before = peak_memory_bytes(device)
    del held
    assert peak_memory_bytes(device) >= before
