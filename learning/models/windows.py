"""Sliding windows of attention: in some layers a token attends only to the last few, itself among them.

transformers builds the masks of such layers itself, for rows without a shared prefix. For rows behind one, the masks
are built here and given to the model ready-made, one for each kind of layer as in transformers' `generate`.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch

_WHOLE, _LIMITED = "full_attention", "sliding_attention"
"""Kinds of layers as transformers names them in a configuration's `layer_types`."""

Masks = torch.Tensor | dict[str, torch.Tensor]
"""The masks of a pass: one for all layers, or one for each kind of layer."""


@dataclass(frozen=True)
class Window:
    """The sliding window of a model's layers."""

    size: int
    """How many tokens a token attends to at most, itself among them."""
    in_all_layers: bool

    def limit(self, mask: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """The mask of the layers with the window.

        Args:
            mask: [B, 1, T, K] of 0 where a token may attend to another, and the dtype's minimum elsewhere.
            queries: [B, T] positions of the tokens that attend.
            keys: [B, K] positions of the tokens that they attend to.
        """
        is_beyond = queries[:, :, None] - keys[:, None, :] >= self.size
        return mask.masked_fill(is_beyond[:, None], torch.finfo(mask.dtype).min)

    def mask(self, whole: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor) -> Masks:
        """The masks of a pass, from that of layers without the window; arguments are those of `limit`."""
        return self.as_the_model_takes(whole, self.limit(whole, queries, keys))

    def as_the_model_takes(self, whole: torch.Tensor, limited: torch.Tensor) -> Masks:
        """The masks of a pass, of layers without and with the window."""
        return limited if self.in_all_layers else {_WHOLE: whole, _LIMITED: limited}


def find_window(model_config: Any, longest: int) -> Window | None:
    """The sliding window of a model that rows are beyond; None if none are, or the model has layers of other kinds.

    Whether the model takes masks for it shows only when it is run: see `learning.scoring.passes` and
    `learning.training.probe`.

    Args:
        model_config: The model's configuration.
        longest: Tokens of the longest row.
    """
    config = model_config.get_text_config()
    size = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or (_LIMITED,))
    if not isinstance(size, int) or longest <= size or _LIMITED not in kinds or not kinds <= {_WHOLE, _LIMITED}:
        return None
    return Window(size, in_all_layers=kinds == {_LIMITED})


def attention_span(model_config: Any) -> float:
    """The most tokens of a row in which every token attends to all before it; infinite if the layers set no limit.

    Some families let a token in some layers attend only to the last few: Mistral and Gemma by their positions, GPT-Neo
    by their places in the row.
    """
    config = model_config.get_text_config()
    if set(getattr(config, "layer_types", None) or ()) == {_WHOLE}:
        return math.inf
    spans = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size", "window_size")]
    return min((span for span in spans if isinstance(span, int)), default=math.inf)
