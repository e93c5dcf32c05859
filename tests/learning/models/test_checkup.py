"""The checks of the machine: 4-bit products, device and memory, with a report of what is wrong."""

import re
from collections.abc import Callable
from typing import Any

import bitsandbytes
import pytest
import torch

from learning.models.checkup import check_device, check_four_bit, check_memory, has_native_bfloat16, judge_memory

GIGABYTE = 10**9


def test_this_machine_multiplies_in_4_bits() -> None:
    found = check_four_bit()
    assert (found.state, found.remedy) == ("ok", "")
    assert "NF4 products and gradients are right to" in found.message


def damage_product(damage: Callable[[torch.Tensor], torch.Tensor], *, training: bool) -> Callable[..., torch.Tensor]:
    """bitsandbytes' own product, damaged where gradients flow or where they do not."""
    real = bitsandbytes.matmul_4bit

    def damaged(rows: torch.Tensor, *arguments: Any, **named: Any) -> torch.Tensor:
        product: torch.Tensor = real(rows, *arguments, **named)
        return damage(product) if rows.requires_grad is training else product

    return damaged


@pytest.mark.parametrize(
    ("damage", "training", "message"),
    [
        (lambda product: product + 1, True, "NF4 is off, product in training by "),
        (lambda product: product * 1.01, False, "NF4 is off, product in scoring by "),
        (lambda product: product * float("nan"), False, "product in scoring by nan"),
        (lambda product: product.detach() - product + product.detach(), True, "gradient by 2"),
    ],
)
def test_a_wrong_product_is_reported(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[torch.Tensor], torch.Tensor], *, training: bool, message: str
) -> None:
    monkeypatch.setattr(bitsandbytes, "matmul_4bit", damage_product(damage, training=training))
    found = check_four_bit()
    assert found.state == "fail"
    assert message in found.message
    assert "--set base_model.quantization=none" in found.remedy


@pytest.mark.parametrize("damage", [torch.zeros_like, lambda weight: weight * 2])
def test_wrongly_quantised_weights_are_reported(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    real = bitsandbytes.functional.quantize_4bit
    wrong = lambda weight, *arguments, **named: real(damage(weight), *arguments, **named)  # noqa: E731
    monkeypatch.setattr(bitsandbytes.functional, "quantize_4bit", wrong)
    found = check_four_bit()
    assert found.state == "fail"
    assert re.search(r"NF4 moves weights by 10\d% of their norm", found.message)


def test_the_device_and_memory_of_runs_are_named() -> None:
    found = check_device()
    assert found.state == ("ok" if torch.cuda.is_available() else "note")
    assert found.message.startswith("CUDA: " if torch.cuda.is_available() else "CPU: ")
    assert re.match(r"\d+\.\d of \d+\.\d GB .*memory free", check_memory().message)


@pytest.mark.parametrize(
    ("free", "state", "message"),
    [
        (0.5, "fail", "0.5 of 24.0 GB memory free; the smallest run takes 1 GB"),
        (5, "note", "the desk profile's 7B model takes about 8 GB to train"),
        (12, "ok", "12.0 of 24.0 GB memory free; the desk profile's 7B model takes about 8 GB to train"),
    ],
)
def test_memory_is_compared_with_the_needs_of_runs(free: float, state: str, message: str) -> None:
    found = judge_memory(int(free * GIGABYTE), 24 * GIGABYTE, "memory")
    assert found.state == state
    assert message in found.message
    assert bool(found.remedy) == (state != "ok")


@pytest.mark.parametrize(
    ("flags", "native"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 gfni", True),
        ("flags\t\t: fpu avx512f amx_bf16", True),
        ("Features\t: fp asimd bf16 dgh", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", False),
        ("model name\t: bf16", False),
    ],
)
def test_native_bfloat16_is_read_from_the_flags_that_linux_lists(flags: str, *, native: bool) -> None:
    assert has_native_bfloat16(f"processor\t: 0\n{flags}\nbugs\t: none\n") is native
