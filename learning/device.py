"""What the machine at hand computes best with. Knows hardware; knows no model and no study."""

import gc
import platform
import resource
from dataclasses import dataclass
from importlib.metadata import version

import psutil
import torch

LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "scikit-learn")


@dataclass(frozen=True)
class Device:
    """A device with the arithmetic and the optimiser that suit it."""

    name: str
    """`cpu` or `cuda`."""
    dtype: torch.dtype
    """Of activations and of weights that are not quantised; adapters are always float32."""
    optimizer: str
    """The name that transformers gives it. Paged AdamW is AdamW whose state may leave a GPU's memory."""
    scoring_tokens: int
    """Tokens of one forward pass beyond which scoring gets no faster."""


def choose_device() -> Device:
    """CUDA with bfloat16 where there is one (float16 on cards older than Ampere), else the CPU in float32."""
    if not torch.cuda.is_available():
        return Device("cpu", torch.float32, "adamw_torch", scoring_tokens=4_096)
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return Device("cuda", dtype, "paged_adamw_32bit", scoring_tokens=16_384)


def start_peak_memory(device: Device) -> None:
    """Let go of what an earlier model left on the GPU, and measure its peak from here on.

    Libraries bind a model's methods to itself, so that only a collection frees it.
    """
    if device.name == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_memory_bytes(device: Device) -> int:
    """Largest memory: on a GPU allocated since `start_peak_memory`, on a CPU resident in this process ever."""
    if device.name == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


def free_memory_bytes(device: Device) -> int:
    """Memory that can be had on the device now, in bytes."""
    if device.name == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def describe_environment(device: Device) -> dict[str, str]:
    """Device, arithmetic and library versions, to be recorded with what was computed."""
    hardware = torch.cuda.get_device_name() if device.name == "cuda" else platform.processor() or platform.machine()
    return {
        "device": device.name,
        "hardware": hardware,
        "dtype": str(device.dtype).removeprefix("torch."),
        "optimizer": device.optimizer,
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
    }
