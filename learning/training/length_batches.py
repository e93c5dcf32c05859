"""Batches of examples of like length, in an order that a seed decides: less padding, and the same after a restart."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

BATCHES_A_CHUNK = 50
"""Batches among which examples are sorted, as in transformers' `LengthGroupedSampler`: the rest stays random."""


class LengthBatches(Sampler[int]):
    """The order of the examples of each epoch, which a loader cuts into batches."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        """Order examples.

        Args:
            lengths: Tokens of each.
            batch_size: Examples of an optimiser step.
            seed: Decides the order, with the number of the epoch.
        """
        self.lengths, self.batch_size, self.seed, self.epoch = torch.tensor(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Order the examples of this epoch next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the examples: batches in a random order, and the one that may be short last."""
        generator = torch.Generator().manual_seed((self.seed << 16) + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator)
        chunks = torch.split(order, BATCHES_A_CHUNK * self.batch_size)
        grouped = torch.cat([chunk[self.lengths[chunk].sort(stable=True).indices] for chunk in chunks])
        *batches, last = torch.split(grouped, self.batch_size)
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        for batch in [*(batches[number] for number in shuffled), last]:
            yield from batch.tolist()
