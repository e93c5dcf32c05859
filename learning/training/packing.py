"""Packing: a batch of prompts after one copy of their common prefix.

A pack is one sequence, `[prefix, suffix 1, ..., suffix B]`. Positions start again after the prefix for each suffix, and
a mask lets a suffix attend only to the prefix and itself. Every token's hidden state is therefore the same as in a
batch of whole prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from learning.models.windows import Window

FEW = 4
"""Positions that need logits count as few if they are at most one in this many, as with a loss over labels only."""


@dataclass(frozen=True)
class Pack:
    """Tokens of one forward pass, with the targets of the loss.

    T is the number of tokens, K of positions whose logits are needed, M of targets.
    """

    input_ids: torch.Tensor
    """[1, T] int64."""
    position_ids: torch.Tensor
    """[1, T] int64."""
    attention_mask: torch.Tensor | None
    """[1, 1, T, T] of the compute dtype: 0 where row may attend to column, the dtype's minimum elsewhere."""
    window_mask: torch.Tensor | None
    """The same for layers with a sliding window; None where no example is beyond the window."""
    logits_to_keep: torch.Tensor
    """[K] int64: positions whose next token is a target, ascending."""
    target_rows: torch.Tensor
    """[M] int64: for each target, which of the K positions predicts it."""
    targets: torch.Tensor
    """[M] int64 token ids."""
    suffix_lengths: torch.Tensor
    """[B] int64: number of tokens of each suffix; the others are in the prefix."""
    owners: torch.Tensor
    """[T] int64: for each token, the number of its suffix; -1 in the prefix."""
    weights: torch.Tensor
    """[M] float32: how often the target occurs in the batch; B for a token of the prefix, 1 for any other."""


def pack_examples(
    sequences: Sequence[Sequence[int]],
    loss_starts: Sequence[int],
    prefix_length: int,
    dtype: torch.dtype | None,
    window: Window | None = None,
) -> Pack:
    """Pack whole sequences that share their first `prefix_length` tokens.

    Args:
        sequences: Token ids of each of B examples.
        loss_starts: For each example, index of its first token under the loss: `prefix_length` or later, or 1 for
            every example to put the whole text under the loss.
        prefix_length: Number of tokens that all sequences have in common, at least 1.
        dtype: Dtype of the attention mask, which is left out when None.
        window: The sliding window that an example is beyond; None where there is none.

    Returns:
        The pack. The sum of `weights` is the number of tokens under the loss in a padded batch of the same examples.
    """
    ids = list(sequences[0][:prefix_length])
    positions = list(range(prefix_length))
    sources: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    if min(loss_starts) < prefix_length:
        sources += range(prefix_length - 1)
        targets += ids[1:]
        weights += [float(len(sequences))] * (prefix_length - 1)
    for sequence, loss_start in zip(sequences, loss_starts, strict=True):
        offset = len(ids) - prefix_length
        for index in range(max(loss_start, prefix_length), len(sequence)):
            sources.append(index - 1 if index == prefix_length else offset + index - 1)
            targets.append(sequence[index])
            weights.append(1.0)
        ids += sequence[prefix_length:]
        positions += range(prefix_length, len(sequence))
    kept, rows = torch.unique(torch.tensor(sources), return_inverse=True)
    suffixes = [len(sequence) - prefix_length for sequence in sequences]
    owners = torch.tensor([-1] * prefix_length + [number for number, size in enumerate(suffixes) for _ in range(size)])
    position_ids = torch.tensor([positions])
    mask = None if dtype is None else block_mask(owners[None], dtype)
    return Pack(
        input_ids=torch.tensor([ids]),
        position_ids=position_ids,
        attention_mask=mask,
        window_mask=None if mask is None or window is None else window.limit(mask, position_ids, position_ids),
        logits_to_keep=kept,
        target_rows=rows,
        suffix_lengths=torch.tensor(suffixes),
        owners=owners,
        targets=torch.tensor(targets),
        weights=torch.tensor(weights),
    )


def block_mask(owners: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Causal masks in which a token attends to the prefix and to tokens with the same owner.

    Args:
        owners: [S, T] for S packs; see `Pack`.
        dtype: The dtype of the masks.

    Returns:
        [S, 1, T, T] with 0 where row may attend to column, and the dtype's minimum elsewhere.
    """
    size = owners.shape[-1]
    causal = torch.ones(size, size, dtype=torch.bool, device=owners.device).tril()
    allowed = causal & ((owners[:, None, :] == -1) | (owners[:, None, :] == owners[:, :, None]))
    mask = torch.zeros(allowed.shape, dtype=dtype, device=owners.device)
    return mask.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]
