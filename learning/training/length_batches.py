"""Batches of examples of similar length, in a seeded order: less padding, and the same order after a restart."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

BATCHES_A_CHUNK = 50
"""Examples are sorted within this many batches, as in transformers' `LengthGroupedSampler`; the rest stays random."""


class LengthBatches(Sampler[int]):
    """The order of the examples of each epoch, which a loader cuts into batches."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        """Order examples.

        Args:
            lengths: Tokens of each example.
            batch_size: Examples of an optimiser step.
            seed: Determines the order, together with the number of the epoch.
        """
        self.lengths, self.batch_size, self.seed, self.epoch = torch.tensor(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the examples: batches in a random order; the last one may be short."""
        generator = torch.Generator().manual_seed((self.seed << 16) + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator)
        chunks = torch.split(order, BATCHES_A_CHUNK * self.batch_size)
        grouped = torch.cat([chunk[self.lengths[chunk].sort(stable=True).indices] for chunk in chunks])
        *batches, last = torch.split(grouped, self.batch_size)
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        for batch in [*(batches[number] for number in shuffled), last]:
            yield from batch.tolist()
