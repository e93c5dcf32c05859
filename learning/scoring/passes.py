"""Forward passes of scoring: prompts in, the logits after each node of the answers out.

Prompts are computed behind their common prefix. Where they are longer than the model's sliding window, masks of ours
limit what a token attends to; a model that does not take these masks, or limits attention in another way, computes
such prompts whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learning.models.alike import UNFIT, is_alike
from learning.models.device import is_out_of_memory
from learning.models.last_layer import LastLayer
from learning.models.windows import Window, attention_span, find_window
from learning.prompt.decoding import AnswerSpace
from learning.scoring.prefix_cache import PrefixCache, compute_prefix

ALIKE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.1}
"""Largest allowed difference of logits that are computed in two ways, relative to the largest logit. Rounding makes it
1e-6 in float32, a hundredth in bfloat16 (Gemma 3 270M); families that do not fit are off by a hundredth to about 1."""


@dataclass(frozen=True)
class Passes:
    """How prompts are computed."""

    model: Any
    answers: AnswerSpace
    prefix: PrefixCache
    """Keys and values of the tokens that all prompts begin with."""
    window: Window | None
    """The window that masks of ours have; None where no prompt is beyond one, or the model takes no such masks."""
    most: float
    """Tokens of the longest prompts that are computed behind the prefix; the others are computed whole."""

    @classmethod
    def prepare(cls, model: Any, prompts: Sequence[tuple[int, ...]], answers: AnswerSpace) -> "Passes":
        """Find out how to compute these prompts, and compute their prefix.

        Args:
            model: A causal language model in evaluation mode, with or without adapter.
            prompts: Tokens of each prompt.
            answers: The nodes after each prompt.
        """
        longest = max(prompts, key=len)
        window = find_window(model.config, len(longest) + len(answers.nodes))
        if window:
            prefix = compute_prefix(model, prompts, is_kept_whole=True)
            passes = cls(model, answers, prefix, window, math.inf)
            if passes.give_the_logits_of_whole(longest):
                return passes
        most = attention_span(model.config) - len(answers.nodes)
        return cls(model, answers, compute_prefix(model, prompts), None, most)

    def give_the_logits_of_whole(self, prompt: tuple[int, ...]) -> bool:
        """Whether a prompt has the logits that the model gives it whole; errors of its attention count as no."""
        try:
            logits = self.compute_first([prompt]).float()
        except UNFIT as error:
            if is_out_of_memory(error):
                raise
            return False
        return is_alike(logits, logits_of_whole(self.model, [prompt], self.answers).float(), ALIKE[self.model.dtype])

    def compute_first(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits [R, K, V] of the first R of the prompts, which are sorted: the longest is the first."""
        longest = len(prompts[0])
        if longest > self.most:
            return logits_of_whole(self.model, [prompt for prompt in prompts if len(prompt) == longest], self.answers)
        suffixes = [prompt[self.prefix.length :] for prompt in prompts]
        return node_logits(self.model, self.prefix, suffixes, self.answers, self.window)


def node_logits(
    model: Any,
    prefix: PrefixCache,
    suffixes: Sequence[Sequence[int]],
    answers: AnswerSpace,
    window: Window | None = None,
) -> torch.Tensor:
    """Logits after each node of the answers, [B, K, V]: the end of a suffix is node 0.

    A row is `[padding, suffix, node 1, node 2, ...]` after the prefix, so that the nodes of all rows are in the same
    columns. A node sees the prompt and the nodes that lead to it.
    """
    nodes = [token for _, token in answers.nodes]
    longest = max(len(suffix) for suffix in suffixes)
    padding = torch.tensor([longest - len(suffix) for suffix in suffixes])
    ids = torch.tensor([[0] * (longest - len(suffix)) + list(suffix) + nodes for suffix in suffixes])
    offsets = torch.tensor([*range(longest), *(longest + depth - 1 for depth in answers.depths)])
    positions = prefix.length + (offsets - padding[:, None]).clamp(min=0)
    mask = _send(_tree_mask(padding, prefix.length, longest, answers.ancestors, model.dtype), model.device)
    keys = _send(torch.cat([torch.arange(prefix.length).expand(len(suffixes), -1), positions], dim=1), model.device)
    queries = keys[:, prefix.length :]
    # Indices rather than a slice: a slice leaves a view, whose product with the head is ten times slower.
    kept = torch.arange(longest - 1, longest + len(nodes), device=model.device)
    cache = prefix.repeat(len(suffixes))
    with LastLayer(model).at(kept):
        logits: torch.Tensor = model(
            input_ids=_send(ids, model.device),
            position_ids=queries,
            attention_mask=window.mask(mask, queries, keys) if window else mask,
            cache=cache,
            use_cache=cache is not None,
            logits_to_keep=kept,
        ).logits
    return logits


def logits_of_whole(model: Any, prompts: Sequence[Sequence[int]], answers: AnswerSpace) -> torch.Tensor:
    """As `node_logits`, without a prefix, padding or a mask of ours: the model decides which tokens a token attends to.

    Args:
        model: The model.
        prompts: Tokens of B prompts, all of one length.
        answers: The nodes.
    """
    logits = []
    for path in answers.paths:
        ids = torch.tensor([[*prompt, *path] for prompt in prompts])
        logits.append(model(input_ids=_send(ids, model.device), use_cache=False, logits_to_keep=1).logits)
    return torch.cat(logits, dim=1)


def _send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on a device; a GPU gets it without a wait for the batch that it computes."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def _tree_mask(
    padding: torch.Tensor, prefix_length: int, longest: int, ancestors: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    """[B, 1, T, prefix + T] of 0 where a token may see another, and the dtype's minimum elsewhere."""
    size = longest + len(ancestors)
    own = torch.ones(size, size, dtype=torch.bool).tril()
    own[longest:, longest:] = ancestors
    real = torch.arange(size) >= padding[:, None]
    allowed = torch.cat(
        [torch.ones(len(padding), size, prefix_length, dtype=torch.bool), own & real[:, None, :]], dim=-1
    )
    return torch.zeros(allowed.shape, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)[:, None]
