"""The input of a sequence classifier: headlines as tokens, cut to its maximum length and padded into tensors."""

from collections.abc import Sequence
from typing import Any

import torch

NO_PAD_TOKEN = 0
"""Used if a tokenizer has no token for padding; any token would do, since the mask hides it."""
INPUTS = ("input_ids", "token_type_ids")
"""The inputs of classifiers besides the mask."""

Row = dict[str, list[int]]
"""A headline's `input_ids` and, where the tokenizer gives them, `token_type_ids`."""


def encode_headlines(headlines: Sequence[str], tokenizer: Any, bound: int | None) -> list[Row]:
    """The tokens of N headlines; headlines that are too long are cut at the end.

    Args:
        headlines: N texts.
        tokenizer: The model's tokenizer.
        bound: Most tokens of a row, special ones included; None for no bound.
    """
    if not headlines:
        return []
    encoded = tokenizer(list(headlines), truncation=bound is not None, max_length=bound)
    names = [name for name in INPUTS if name in encoded]
    return [{name: encoded[name][number] for name in names} for number in range(len(headlines))]


def pad_rows(rows: Sequence[Row], pad_token: int | None) -> dict[str, torch.Tensor]:
    """A classifier's inputs from B rows: int64 tensors [B, T], padded on the right to the longest row, with a mask."""
    longest = max(len(row["input_ids"]) for row in rows)
    filler = {"input_ids": NO_PAD_TOKEN if pad_token is None else pad_token, "token_type_ids": 0}
    names = [name for name in INPUTS if name in rows[0]]
    tensors = {name: torch.full((len(rows), longest), filler[name]) for name in names}
    mask = torch.zeros(len(rows), longest, dtype=torch.int64)
    for number, row in enumerate(rows):
        size = len(row["input_ids"])
        mask[number, :size] = 1
        for name in names:
            tensors[name][number, :size] = torch.tensor(row[name])
    return {**tensors, "attention_mask": mask}
