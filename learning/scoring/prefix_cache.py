"""Keys and values of the tokens that all prompts begin with: computed once, and read by every batch."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from learning.prompt.encoding import common_prefix_length


@dataclass(frozen=True)
class PrefixCache:
    """The keys and values of a prefix, for a batch of one."""

    length: int
    """Tokens of the prefix."""
    keys_and_values: Any
    """A cache of transformers; None for an empty prefix."""

    def repeat(self, rows: int) -> Any:
        """A cache for one forward pass of this many rows, each of which continues the prefix."""
        if self.keys_and_values is None:
            return None
        cache = copy.copy(self.keys_and_values)
        cache.layers = [_repeat_layer(layer, rows) for layer in cache.layers]
        return cache


class _PrefixLayer(DynamicLayer):  # type: ignore[misc]
    """Joins the prefix with the tokens of a pass, and keeps nothing of them: their layers take no memory at once."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values, self.is_initialized = keys, values, True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the prefix and of the pass, [B, heads, P + T, width]."""
        return _join(self.keys, key_states), _join(self.values, value_states)


def _join(prefix: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """[1, heads, P, width] before each row of [B, heads, T, width]; a GPU takes half the time of `torch.cat`."""
    length = prefix.shape[2]
    joined = own.new_empty(*own.shape[:2], length + own.shape[2], own.shape[3])
    joined[:, :, :length] = prefix
    joined[:, :, length:] = own
    return joined


def _repeat_layer(layer: Any, rows: int) -> Any:
    """The layer for a batch of `rows`; attention of another kind, such as in a sliding window, keeps its own."""
    if type(layer) is DynamicLayer:
        return _PrefixLayer(layer.keys, layer.values)
    repeated = copy.deepcopy(layer)
    repeated.keys, repeated.values = (each.expand(rows, -1, -1, -1) for each in (layer.keys, layer.values))
    return repeated


def compute_prefix(model: Any, prompts: Sequence[tuple[int, ...]], *, is_kept_whole: bool = False) -> PrefixCache:
    """Run the model over the tokens that all prompts begin with.

    Args:
        model: The model.
        prompts: Tokens of each prompt.
        is_kept_whole: Whether layers with a sliding window keep all tokens of the prefix, as masks of ours need it; by
            themselves they keep those of one window.
    """
    length = common_prefix_length(prompts)
    if length == 0:
        return PrefixCache(0, None)
    ids = torch.tensor([prompts[0][:length]], device=model.device)
    cache = DynamicCache() if is_kept_whole else None
    computed = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=1)
    return PrefixCache(length, computed.cache)
