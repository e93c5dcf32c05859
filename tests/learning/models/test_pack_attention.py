"""Attention by suffix has the outputs and gradients of attention over the whole pack."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models import pack_attention
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.models.pack_attention import PACKED_SDPA, attend, mark_pack
from learning.training.packing import Pack, pack_examples
from learning.training.trainer import forward_pack
from schemas.cell import LoraSettings

LENGTHS = (3, 9, 1, 6, 4)
PREFIX = 5


def pack() -> Pack:
    sequences = [tuple(range(1, PREFIX + 1)) + tuple(range(10, 10 + length)) for length in LENGTHS]
    return pack_examples(sequences, [PREFIX] * len(LENGTHS), PREFIX, torch.float32)


def run(mask: torch.Tensor, key_heads: int, **named: Any) -> list[torch.Tensor]:
    """Outputs, and gradients of query, key and value."""
    random, tokens = torch.Generator().manual_seed(1), mask.shape[-1]
    heads = [torch.randn(1, number, tokens, 8, generator=random) for number in (4, key_heads, key_heads)]
    module: Any = SimpleNamespace(num_key_value_groups=4 // key_heads, is_causal=True)
    heads = [each.requires_grad_(True) for each in heads]
    result, weights = attend(module, *heads, mask, **named)
    assert weights is None
    (result * torch.randn(result.shape, generator=random)).sum().backward()
    return [result.detach(), *(each.grad for each in heads if each.grad is not None)]


@pytest.mark.parametrize("key_heads", [4, 2, 1])
def test_suffixes_attend_as_in_the_whole_pack(key_heads: int) -> None:
    whole = run(pack().attention_mask, key_heads, scaling=0.3)
    measured = run(mark_pack(pack().attention_mask, LENGTHS), key_heads, scaling=0.3)
    assert len(whole) == 4
    for one, other in zip(measured, whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_model_attends_by_suffixes_while_it_trains_and_never_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    base, calls = LoadedBase(MODEL_FOLDER, "nf4", choose_device()), []
    plain = pack_attention.scaled_dot_product_attention

    def count(*arguments: Any, **named: Any) -> torch.Tensor:
        calls.append(arguments)
        result: torch.Tensor = plain(*arguments, **named)
        return result

    monkeypatch.setattr(pack_attention, "scaled_dot_product_attention", count)
    tensors = dict(vars(pack()))
    model = base.train_new(LoraSettings(r=4, dropout=0.0), 1).eval()
    packed = forward_pack(model, tensors, None)
    assert base.model.config._attn_implementation == PACKED_SDPA
    assert len(calls) == base.model.config.num_hidden_layers * len(LENGTHS)
    calls.clear()
    whole = model(
        input_ids=tensors["input_ids"], position_ids=tensors["position_ids"], attention_mask=pack().attention_mask
    ).logits[0, tensors["logits_to_keep"]]
    assert not calls
    torch.testing.assert_close(packed, whole, rtol=1e-4, atol=1e-4)
    base.release()
    assert base.model.config._attn_implementation == "sdpa"
