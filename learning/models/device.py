"""Device, precision, optimiser and attention for this machine."""

import gc
import math
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

from learning.models.commit import find_commit
from schemas.cell import TrainingSettings
from schemas.version import find_version

LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "scikit-learn")
STATUS = Path("/proc/self/status")
CLEAR_PEAK = Path("/proc/self/clear_refs")
"""Linux's memory figures of a process; writing 5 here resets its peak."""


@dataclass(frozen=True)
class Device:
    """A device with its precision and optimiser."""

    name: str
    """`cpu` or `cuda`."""
    dtype: torch.dtype
    """Dtype of activations and of weights that are not quantised; adapters are always float32."""
    optimizer: str
    """Name of the optimiser in transformers."""
    scoring_tokens: int
    """Tokens of one forward pass above which scoring gets no faster, whatever the model."""
    attention: str | None = None
    """Attention implementation that transformers should use; its own choice when None."""
    short_optimizer: str | None = None
    """Optimiser where memory is short: AdamW whose state may leave a GPU's memory."""
    scoring_flops: float = math.inf
    """Operations of one forward pass above which scoring gets no faster; larger batches only have more padding."""

    @property
    def dtype_name(self) -> str:
        """Its dtype, as torch names it: `bfloat16`."""
        return str(self.dtype).removeprefix("torch.")


def choose_device(training: TrainingSettings | None = None) -> Device:
    """CUDA with bfloat16 if there is a GPU (float16 on cards older than Ampere), else the CPU in float32.

    Args:
        training: Its precision, optimizer and attention take precedence if they are not `auto`.
    """
    if torch.cuda.is_available():
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        device = Device("cuda", dtype, "adamw_torch_fused", 16_384, None, "paged_adamw_32bit", 8.3e13)
    else:
        device = Device("cpu", torch.float32, "adamw_torch_fused", scoring_tokens=4_096)
    if training is None:
        return device
    return replace(
        device,
        dtype=device.dtype if training.precision == "auto" else getattr(torch, training.precision),
        optimizer=device.optimizer if training.optimizer == "auto" else training.optimizer,
        short_optimizer=device.short_optimizer if training.optimizer == "auto" else None,
        attention=None if training.attention == "auto" else training.attention,
    )


def start_peak_memory(device: Device) -> None:
    """Free the memory of earlier models, and measure the peak from here on.

    Libraries bind a model's methods to itself, so only a garbage collection frees it.
    """
    gc.collect()
    if device.name == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    elif CLEAR_PEAK.exists():
        with suppress(OSError):  # a sandbox may refuse it
            CLEAR_PEAK.write_text("5")


def peak_memory_bytes(device: Device) -> int:
    """Largest memory since `start_peak_memory`: allocated on a GPU, resident in this process on a CPU.

    If the system is not Linux, or refuses the reset, the peak is that since the process began.
    """
    if device.name == "cuda":
        return int(torch.cuda.max_memory_allocated())
    if STATUS.exists():
        [line] = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1_024)


def free_memory_bytes(device: Device) -> int:
    """Memory available on the device now, in bytes; on a GPU at most what this process may take."""
    if device.name == "cuda":
        torch.cuda.empty_cache()  # what torch still holds then is in use, or belongs to a graph
        free, total = torch.cuda.mem_get_info()
        share = int(torch.cuda.get_per_process_memory_fraction() * total) - torch.cuda.memory_reserved()
        return max(min(free, share), 0)
    return int(psutil.virtual_memory().available)


def total_memory_bytes(device: Device) -> int:
    """All memory of the device, in bytes."""
    if device.name == "cuda":
        return int(torch.cuda.mem_get_info()[1])
    return int(psutil.virtual_memory().total)


@cache
def side_stream() -> Any:
    """A GPU's second stream, always the same: cuBLAS keeps 34 MB for each stream that it has ever computed on."""
    return torch.cuda.Stream()  # type: ignore[no-untyped-call]


def mark(device: torch.device) -> Any:
    """The event that a GPU has computed all that it was told to until now; None on a CPU."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()
    return event


@contextmanager
def after(computed: Any) -> Iterator[None]:
    """Compute the block after the event of `mark`, without a wait for what a GPU was told to do since.

    What the block returns is on the CPU: its other tensors belong to another stream.
    """
    if computed is None:
        yield
        return
    stream = side_stream()
    stream.wait_event(computed)
    with torch.cuda.stream(stream):
        yield


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; on a CPU torch has no class for it."""
    texts = (
        "not enough memory",
        "can't allocate memory",
        "Cannot allocate memory",
        "CUDA out of memory",
        "CUDA error: out of memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
    )
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(text in str(error) for text in texts)


def describe_environment(device: Device) -> dict[str, str]:
    """Machine, commit, device, arithmetic and library versions, recorded with each result."""
    hardware = torch.cuda.get_device_name() if device.name == "cuda" else platform.processor() or platform.machine()
    return {
        "machine": platform.node(),
        "fintone": find_version(),
        "commit": find_commit(),
        "device": device.name,
        "hardware": hardware,
        "dtype": device.dtype_name,
        "optimizer": device.optimizer,
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
    }
