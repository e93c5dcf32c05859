"""Sampling in closed form: from logits to the probability of each label at any temperature, top-k and top-p.

The order of the cuts is that of Hugging Face `generate`: temperature, then top-k, then top-p. Knows tensors; knows no
model and no headline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from schemas.label import LABELS, Label


@dataclass(frozen=True)
class Decoding:
    """How one token is sampled."""

    temperature: float
    top_k: int | None
    top_p: float | None


def sampling_log_probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """Log-probability with which each token would be sampled.

    Args:
        logits: [..., V], of any float type.
        decoding: Temperature and cuts.

    Returns:
        [..., V] float64; minus infinity for a token that was cut. Ties at the k-th place all stay, as in `generate`.
    """
    scores = logits.double() / decoding.temperature
    if decoding.top_k is not None:
        kth = scores.topk(min(decoding.top_k, scores.shape[-1])).values[..., -1:]
        scores = scores.masked_fill(scores < kth, -torch.inf)
    if decoding.top_p is not None:
        ascending, order = scores.sort(dim=-1)
        cut = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - decoding.top_p
        cut[..., -1] = False
        scores = scores.masked_fill(torch.zeros_like(cut).scatter(-1, order, cut), -torch.inf)
    return scores.log_softmax(dim=-1)


class AnswerSpace:
    """Which outputs count as which label.

    A first token that contains a label's word is that label (the study's rule). Where a label's own tokens are several,
    the run of them is that label too. Anything else is unparsed.
    """

    def __init__(self, tokenizer: Any, label_words: dict[Label, str], answers: dict[Label, tuple[int, ...]]) -> None:
        """Read the vocabulary.

        Args:
            tokenizer: To see the text of each token.
            label_words: The word of each label.
            answers: The tokens of each label as they stand after a prompt.
        """
        texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
        self.first_tokens = {
            label: torch.tensor(
                [token for token, text in enumerate(texts) if label_words[label] in text], dtype=torch.long
            )
            for label in LABELS
        }
        self.paths = {
            label: answers[label] for label in LABELS if answers[label][0] not in self.first_tokens[label].tolist()
        }

    def label_probabilities(
        self, first: torch.Tensor, continued: dict[Label, torch.Tensor], decodings: Sequence[Decoding]
    ) -> torch.Tensor:
        """Probability of each label, and of none, for N prompts.

        Args:
            first: [N, V] logits after the prompt.
            continued: For each label in `paths`, [N, L - 1, V] logits after its first, second... token.
            decodings: D ways of sampling.

        Returns:
            [N, D, 4] float64 on the CPU: negative, neutral, positive, unparsed. Logits that are not numbers count as
            unparsed.
        """
        broken = ~first.isfinite().all(dim=-1)
        for logits in continued.values():
            broken |= ~logits.isfinite().all(dim=-1).all(dim=-1)
        result = first.new_zeros((len(first), len(decodings), len(LABELS) + 1), dtype=torch.float64)
        for column, decoding in enumerate(decodings):
            log_probabilities = sampling_log_probabilities(first, decoding)
            for row, label in enumerate(LABELS):
                tokens = self.first_tokens[label].to(first.device)
                result[:, column, row] = log_probabilities[:, tokens].exp().sum(dim=-1)
                if label in self.paths:
                    result[:, column, row] += self._path_probability(
                        label, log_probabilities, continued[label], decoding
                    )
        result[broken] = 0.0
        result[..., -1] = (1.0 - result[..., :-1].sum(dim=-1)).clamp(min=0.0)
        return result.cpu()

    def _path_probability(
        self, label: Label, first: torch.Tensor, continued: torch.Tensor, decoding: Decoding
    ) -> torch.Tensor:
        """Product along the label's tokens, [N], with the cut applied at each of them."""
        path = self.paths[label]
        total = first[:, path[0]].clone()
        for position, token in enumerate(path[1:]):
            total += sampling_log_probabilities(continued[:, position], decoding)[:, token]
        return total.exp()
