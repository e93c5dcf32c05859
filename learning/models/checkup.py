"""Checks of the machine: device, memory, and whether bitsandbytes' 4-bit products are right here.

Loads torch only if a check needs it.
"""

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.checkup import Finding
from schemas.footprint import desk_footprint

if TYPE_CHECKING:
    import torch

    from learning.models.device import Device

CPUINFO = Path("/proc/cpuinfo")
NATIVE_BFLOAT16 = re.compile(r"^(flags|Features)\b.*\b(avx512_bf16|amx_bf16|bf16)\b", re.MULTILINE)
"""Linux's names of a processor's bfloat16 instructions, on x86 and on Arm."""

SMALLEST_RUN_GIGABYTES = 1.0
"""Memory of a run with the embedded model, rounded up from what `benchmarks.commands` measures."""

FOUR_BIT_SHAPE = (256, 512)
"""Outputs and inputs of the tested layer: many rows with blocks of 64, and still fast."""
FOUR_BIT_TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 5e-3}
"""Largest allowed difference of two products, relative to the largest entry, by the dtype of the arithmetic."""
FOUR_BIT_REMEDY = (
    "reinstall bitsandbytes (`python -m bitsandbytes` says more), or `fintone run --set base_model.quantization=none`"
)
ROUNDING = (0.01, 0.15)
"""Allowed rounding, relative to the norm of normal weights: NF4 changes them by a tenth; unquantised ones stay."""


def check_device() -> Finding:
    """The device on which fintone would train and score: a CUDA GPU, or the CPU and the reason."""
    import torch

    from learning.models.device import choose_device

    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        count = torch.cuda.device_count()
        others = f", the first of {count}" if count > 1 else ""
        text = f"CUDA: {card.name}{others}, {_gigabytes(card.total_memory)} GB, compute capability"
        return Finding("device", "ok", f"{text} {card.major}.{card.minor}; computes in {choose_device().dtype_name}")
    reason, remedy = _explain_no_gpu(torch.version.cuda, has_driver=shutil.which("nvidia-smi") is not None)
    threads = torch.get_num_threads()
    text = f"CPU: {os.cpu_count()} cores, torch uses {threads}{_describe_bfloat16()}; {reason}"
    return Finding("device", "note", text, remedy)


def _explain_no_gpu(cuda_of_torch: str | None, *, has_driver: bool) -> tuple[str, str]:
    """Why there is no GPU, and what to do about it."""
    if not has_driver:
        return "no NVIDIA GPU", "none is needed for small models; a 7B takes days without one"
    if cuda_of_torch is None:
        return "an NVIDIA driver is here, and torch is built without CUDA", "install torch with CUDA"
    return (
        f"an NVIDIA driver is here, and torch, built for CUDA {cuda_of_torch}, finds no GPU",
        "see what `nvidia-smi` says, update the driver, and look at CUDA_VISIBLE_DEVICES",
    )


def _describe_bfloat16() -> str:
    if not CPUINFO.exists():
        return ""
    return f", {'native' if has_native_bfloat16(CPUINFO.read_text(encoding='utf-8')) else 'no native'} bfloat16"


def has_native_bfloat16(cpuinfo: str) -> bool:
    """Whether a processor has bfloat16 instructions, by `/proc/cpuinfo`."""
    return NATIVE_BFLOAT16.search(cpuinfo) is not None


def check_memory() -> Finding:
    """Whether a run fits into memory, and whether the 7B model of the profile `desk` would."""
    from learning.models.device import choose_device, free_memory_bytes, total_memory_bytes

    device = choose_device()
    kind = "GPU memory" if device.name == "cuda" else "memory"
    return judge_memory(free_memory_bytes(device), total_memory_bytes(device), kind)


def judge_memory(free: int, total: int, kind: str) -> Finding:
    """Compare bytes of memory with what runs take.

    Args:
        free: Bytes that are available.
        total: All bytes.
        kind: Name of the memory.
    """
    needed = desk_footprint()
    text = f"{_gigabytes(free)} of {_gigabytes(total)} GB {kind} free"
    large = f"the desk profile's {needed.billions:g}B model takes about {needed.training} GB to train"
    if free < SMALLEST_RUN_GIGABYTES * 1e9:
        return Finding(
            "memory", "fail", f"{text}; the smallest run takes {SMALLEST_RUN_GIGABYTES:g} GB", "close other programs"
        )
    if free < needed.training * 1e9:
        return Finding("memory", "note", f"{text}; {large}", "choose a smaller base model, or close other programs")
    return Finding("memory", "ok", f"{text}; {large}")


def check_four_bit() -> Finding:
    """Whether bitsandbytes quantises to NF4 and multiplies with it correctly, forward and backward."""
    import torch
    from bitsandbytes.functional import dequantize_4bit

    from learning.models.device import choose_device

    device, random = choose_device(), torch.Generator().manual_seed(0)
    weight = torch.randn(FOUR_BIT_SHAPE, generator=random)
    rows = torch.randn(8, FOUR_BIT_SHAPE[1], generator=random).to(device.name, device.dtype)
    layer = _quantise(weight, device)
    training_rows = rows.clone().requires_grad_()  # without a gradient bitsandbytes multiplies by another function
    trained = layer(training_rows)
    [gradient] = torch.autograd.grad(trained.sum(), training_rows)
    with torch.no_grad():
        scored = layer.eval()(rows)
        exact = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
        product = rows.float() @ exact.T
        differences = {
            "product in training": _difference(trained, product),
            "gradient": _difference(gradient, exact.sum(0).expand_as(rows)),
            "product in scoring": _difference(scored, product),
        }
    return _judge_four_bit(device, float((exact.cpu() - weight).norm() / weight.norm()), differences)


def _quantise(weight: "torch.Tensor", device: "Device") -> Any:
    """A linear layer with [outputs, inputs] weights in NF4, as `learning.models.base_model.load_model` makes them."""
    from bitsandbytes.nn import Linear4bit

    from learning.models.base_model import keep_full_precision_products

    outputs, inputs = weight.shape
    layer = Linear4bit(
        inputs, outputs, bias=False, compute_dtype=device.dtype, compress_statistics=False, quant_type="nf4"
    )
    layer.weight.data = weight.to(device.dtype)
    keep_full_precision_products(layer)
    return layer.to(device.name)


def _judge_four_bit(device: "Device", rounding: float, differences: dict[str, float]) -> Finding:
    from importlib.metadata import version

    library = f"bitsandbytes {version('bitsandbytes')} on {device.name} in {device.dtype_name}"
    least, most = ROUNDING
    if not least < rounding < most:
        text = f"{library}: NF4 moves weights by {rounding:.0%} of their norm, where about 10% is right"
        return Finding("4-bit", "fail", text, FOUR_BIT_REMEDY)
    wrong = {name: value for name, value in differences.items() if not value <= FOUR_BIT_TOLERANCE[device.dtype_name]}
    if wrong:
        text = ", ".join(f"{name} by {value:.2g}" for name, value in wrong.items())
        return Finding("4-bit", "fail", f"{library}: NF4 is off, {text} of the largest entry", FOUR_BIT_REMEDY)
    worst = max(differences.values())
    return Finding("4-bit", "ok", f"{library}: NF4 products and gradients are right to {worst:.0e}")


def _difference(found: "torch.Tensor", exact: "torch.Tensor") -> float:
    """The largest difference, relative to the largest entry."""
    return ((found.float() - exact).abs().max() / exact.abs().max()).item()


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}"
