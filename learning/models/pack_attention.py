"""Attention that uses the layout of a pack: one suffix after the other attends to the prefix and to itself.

The result is the same as attention over the whole pack with its mask, whose cost grows with the square of the pack. It
is for CPUs; a GPU would spend its time starting many small products. It is registered in transformers under its own
name, and input that is not a pack goes through `sdpa` as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

PACKED_SDPA = "packed_sdpa"
"""The name of this attention in a model's configuration."""
REPLACED = "sdpa"
_LAYOUT = "pack_layout"
_ELSEWHERE = ("position_bias", "softcap", "cache")
"""Arguments that only other kinds of attention receive."""


@dataclass(frozen=True)
class PackLayout:
    """The layout of a pack of T tokens: the prefix of P tokens, then suffixes of L tokens each."""

    prefix: int
    """P."""
    suffixes: tuple[int, ...]
    """L of each suffix, in order."""
    masks: tuple[torch.Tensor, ...]
    """Mask of each suffix [1, 1, L, P + L]; the first one begins with the rows of the prefix."""


def mark_pack(mask: torch.Tensor, suffixes: Sequence[int]) -> torch.Tensor:
    """The mask of a pack, with the pack's layout as an attribute; models pass it on to their attention unchanged.

    Args:
        mask: [1, 1, T, T], as in `learning.training.packing.Pack`.
        suffixes: Number of tokens of each suffix; all others are the prefix.
    """
    prefix = mask.shape[-1] - sum(suffixes)
    masks, start = [], prefix
    for number, size in enumerate(suffixes):
        rows = mask[:, :, start if number else 0 : start + size]
        masks.append(torch.cat([rows[..., :prefix], rows[..., start : start + size]], dim=-1))
        start += size
    setattr(mask, _LAYOUT, PackLayout(prefix, tuple(suffixes), tuple(masks)))
    return mask


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **named: Any,
) -> tuple[torch.Tensor, None]:
    """Attention with the signature that transformers requires.

    Args:
        module: The model's attention.
        query: [1, heads, T, width].
        key: [1, heads, T, width]; here and in `value` the heads may be fewer.
        value: [1, heads, T, width].
        attention_mask: A result of `mark_pack`; any other goes to `sdpa`.
        dropout: Dropout of the attention weights.
        scaling: Scale of the products; one over the root of the width when None.
        named: Further arguments of `sdpa`.

    Returns:
        [1, T, heads, width], and no weights.
    """
    layout: PackLayout | None = getattr(attention_mask, _LAYOUT, None)
    if layout is None or any(named.get(name) is not None for name in _ELSEWHERE):
        result: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **named
        )
        return result
    heads = getattr(module, "num_key_value_groups", 1)
    prefix, (first, *others) = layout.prefix, layout.suffixes
    queries = torch.split(query, [prefix + first, *others], dim=2)
    shared_key, *keys = torch.split(repeat_kv(key, heads), [prefix, first, *others], dim=2)
    shared_value, *values = torch.split(repeat_kv(value, heads), [prefix, first, *others], dim=2)
    attended = [
        scaled_dot_product_attention(
            suffix_query,
            torch.cat([shared_key, suffix_key], dim=2),
            torch.cat([shared_value, suffix_value], dim=2),
            attn_mask=mask,
            dropout_p=dropout,
            scale=scaling,
        )
        for suffix_query, suffix_key, suffix_value, mask in zip(queries, keys, values, layout.masks, strict=True)
    ]
    return torch.cat(attended, dim=2).transpose(1, 2).contiguous(), None


AttentionInterface.register(PACKED_SDPA, attend)
AttentionMaskInterface.register(PACKED_SDPA, sdpa_mask)
