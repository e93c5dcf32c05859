"""What is recorded about the machine is true."""

import platform
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from learning.models.device import Device, choose_device, describe_environment, is_out_of_memory, peak_memory_bytes


def test_without_a_gpu_everything_is_float32_on_the_cpu() -> None:
    if torch.cuda.is_available():
        pytest.skip("needs a machine without a CUDA device")
    device = choose_device()
    assert (device.name, device.dtype, device.optimizer) == ("cpu", torch.float32, "adamw_torch_fused")


def test_the_environment_names_device_arithmetic_and_versions() -> None:
    device = choose_device()
    environment = describe_environment(device)
    assert (environment["device"], environment["optimizer"]) == (device.name, device.optimizer)
    assert getattr(torch, environment["dtype"]) is device.dtype
    assert environment["python"] == platform.python_version()
    assert environment["torch"] == version("torch")
    assert all(isinstance(value, str) and value for value in environment.values())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's own account of the peak")
def test_the_peak_is_the_one_that_the_system_counts_in_bytes() -> None:
    measured = peak_memory_bytes(Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1))
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    assert measured == pytest.approx(int(line.split()[1]) * 1_024, rel=0.05)


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
    ],
)
def test_an_error_about_a_lack_of_memory_is_recognised(error: BaseException, *, is_memory: bool) -> None:
    assert is_out_of_memory(error) is is_memory
