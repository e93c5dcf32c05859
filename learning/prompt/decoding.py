"""Sampling in closed form: from logits to the probability of each label at any temperature, top-k and top-p.

The order of the cuts is that of Hugging Face `generate`: temperature, then top-k, then top-p.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learning.prompt.encoding import answer_paths
from learning.prompt.not_finite import not_finite
from learning.prompt.template import spellings
from learning.study.unparsed import UNPARSED
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label


@dataclass(frozen=True)
class Decoding:
    """How one token is sampled."""

    temperature: float
    top_k: int | None
    top_p: float | None


@dataclass(frozen=True)
class Candidates:
    """The tokens that a top-k cut leaves. Temperature and top-p do not change them, so all decodings share the cut.

    C is the largest number of tokens that a row keeps: all ties at the k-th place stay, as in `generate`.
    """

    tokens: torch.Tensor
    """[N, C] int64."""
    logits: torch.Tensor
    """[N, C] float64; minus infinity where a row keeps fewer than C tokens."""


def keep_candidates(logits: torch.Tensor, top_k: int | None) -> Candidates:
    """Cut [N, V] logits of any float type to the k likeliest tokens of each row, in the order of the vocabulary."""
    size = logits.shape[-1]
    if top_k is None or top_k >= size:
        return Candidates(torch.arange(size, device=logits.device).expand_as(logits), logits.double())
    kth = logits.topk(top_k).values[:, -1:]
    kept = int((logits >= kth).sum(dim=-1).max())
    tokens = logits.topk(kept).indices.sort(dim=-1).values
    values = logits.gather(-1, tokens)
    return Candidates(tokens, values.double().masked_fill(values < kth, -torch.inf))


def sampling_log_probabilities(logits: torch.Tensor, temperature: float, top_p: float | None) -> torch.Tensor:
    """Log-probability with which each candidate would be sampled.

    Args:
        logits: [N, C] float64 of candidates.
        temperature: Divides the logits.
        top_p: Keeps the fewest candidates that together have this probability; all when None.

    Returns:
        [N, C] float64; minus infinity for a candidate that was cut.
    """
    scores = logits / temperature
    if top_p is not None:
        ascending, order = scores.sort(dim=-1)
        cut = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - top_p
        cut[..., -1] = False
        scores = scores.masked_fill(torch.zeros_like(cut).scatter(-1, order, cut), -torch.inf)
    return scores.log_softmax(dim=-1)


@dataclass(frozen=True)
class LabelProbabilities:
    """The answers to N prompts."""

    sampled: torch.Tensor
    """[N, D, 4] float64: probability of negative, neutral, positive and unparsed under each of D decodings."""
    argmax: torch.Tensor
    """[N] int64: the outcome as the temperature goes to 0, a label's number or `UNPARSED`."""


@dataclass(frozen=True)
class Leaf:
    """The last token of a spelling with several tokens: the node before it, and the label that it completes."""

    outcome: int
    node: int
    token: int


class AnswerSpace:
    """Which outputs count as which label: a tree of tokens that begins after the prompt, at node 0.

    A first token that contains a label's word counts as that label (the study's rule). If a spelling begins with
    another token, the sequence of its tokens counts as that label too. Anything else is unparsed.
    """

    nodes: tuple[tuple[int, int], ...]
    """For each node except the first: the node before it, always an earlier one, and the token that leads to it."""
    leaves: tuple[Leaf, ...]
    """The ends of the spellings with several tokens."""
    owners: torch.Tensor
    """[V] int64: the outcome of each token as the first one; `UNPARSED` also if a spelling continues after it."""

    def __init__(
        self,
        tokenizer: Any,
        vocabulary: int,
        words: Mapping[Label, Sequence[str]],
        paths: Mapping[Label, Sequence[tuple[int, ...]]],
    ) -> None:
        """Read the vocabulary.

        Args:
            tokenizer: Decodes each token.
            vocabulary: Number of the model's logits; it may be padded beyond the tokenizer's tokens.
            words: The spellings of each label.
            paths: The tokens of each spelling after a prompt.
        """
        owners = _read_owners(tokenizer, vocabulary, words)
        self.owners = torch.tensor(owners)
        ends: dict[tuple[int, ...], int] = {}
        for outcome, label in enumerate(LABELS):
            for path in sorted(paths[label], key=len):
                taken = any(path[:depth] in ends for depth in range(1, len(path) + 1))
                if owners[path[0]] == UNPARSED and not taken:
                    ends[path] = outcome
        inner = _breadth_first({path[:depth] for path in ends for depth in range(1, len(path))})
        number = {path: place for place, path in enumerate(inner)}
        self.nodes = tuple((number[path[:-1]], path[-1]) for path in inner[1:])
        self.leaves = tuple(Leaf(outcome, number[path[:-1]], path[-1]) for path, outcome in ends.items())

    @property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """The tokens from the prompt to each node: none to the first."""
        paths: list[tuple[int, ...]] = [()]
        for parent, token in self.nodes:
            paths.append((*paths[parent], token))
        return tuple(paths)

    @property
    def sequences(self) -> dict[Label, list[tuple[int, ...]]]:
        """The sequences of tokens that count as each label; none begins with another."""
        paths = self.paths
        first: list[int] = self.owners.tolist()
        ends: list[tuple[int, tuple[int, ...]]] = [(outcome, (token,)) for token, outcome in enumerate(first)]
        ends += [(leaf.outcome, (*paths[leaf.node], leaf.token)) for leaf in self.leaves]
        return {label: [end for outcome, end in ends if outcome == number] for number, label in enumerate(LABELS)}

    @property
    def depths(self) -> tuple[int, ...]:
        """The distance of each node except the first from the prompt, in tokens."""
        return tuple(len(path) for path in self.paths[1:])

    @property
    def ancestors(self) -> torch.Tensor:
        """[K - 1, K - 1] bool: whether the row's node is the column's or comes after it; without node 0."""
        result = torch.eye(len(self.nodes), dtype=torch.bool)
        for row, (parent, _) in enumerate(self.nodes):
            if parent:
                result[row] |= result[parent - 1]
        return result

    def label_probabilities(self, logits: torch.Tensor, decodings: Sequence[Decoding]) -> LabelProbabilities:
        """The answers to N prompts.

        Args:
            logits: [N, K, V] after each node; the first node is the end of the prompt.
            decodings: D ways of sampling, all with the same top-k.

        Returns:
            The answers, on the CPU.

        Raises:
            NotFiniteError: A logit is NaN or infinite.
        """
        if not logits.isfinite().all():
            raise not_finite("model")
        [top_k] = {decoding.top_k for decoding in decodings}
        kept = [keep_candidates(logits[:, node], top_k) for node in range(1 + len(self.nodes))]
        owners = self.owners.to(logits.device)
        sampled = torch.stack([self._sampled(kept, owners, decoding) for decoding in decodings], dim=1)
        sampled[..., UNPARSED] = (1.0 - sampled[..., :UNPARSED].sum(dim=-1)).clamp(min=0.0)
        return LabelProbabilities(sampled.cpu(), self._argmax(logits, owners).cpu())

    def _sampled(self, kept: Sequence[Candidates], owners: torch.Tensor, decoding: Decoding) -> torch.Tensor:
        """[N, 4] probabilities; the last column stays 0."""
        first = kept[0]
        result = first.logits.new_zeros(len(first.logits), UNPARSED + 1)
        reached = [first.logits.new_zeros(len(first.logits))]
        for node, candidates in enumerate(kept):
            log_probabilities = sampling_log_probabilities(candidates.logits, decoding.temperature, decoding.top_p)
            if node == 0:
                result.scatter_add_(1, owners[first.tokens], log_probabilities.exp())
            for parent, token in self.nodes:
                if parent == node:
                    reached.append(reached[node] + _log_probability_of(token, candidates.tokens, log_probabilities))
            for leaf in self.leaves:
                if leaf.node == node:
                    last = _log_probability_of(leaf.token, candidates.tokens, log_probabilities)
                    result[:, leaf.outcome] += (reached[node] + last).exp()
        return result

    def _argmax(self, logits: torch.Tensor, owners: torch.Tensor) -> torch.Tensor:
        """[N] outcomes of taking the likeliest token each time (the first in a tie), as greedy generation does."""
        likeliest = logits.argmax(dim=-1)
        result = owners[likeliest[:, 0]]
        reached = [torch.ones_like(result, dtype=torch.bool)]
        for parent, token in self.nodes:
            reached.append(reached[parent] & (likeliest[:, parent] == token))
        for leaf in self.leaves:
            result[reached[leaf.node] & (likeliest[:, leaf.node] == leaf.token)] = leaf.outcome
        return result


def _log_probability_of(token: int, tokens: torch.Tensor, log_probabilities: torch.Tensor) -> torch.Tensor:
    """[N] log-probability of one token, minus infinity if it is not a candidate."""
    return log_probabilities.masked_fill(tokens != token, -torch.inf).amax(dim=-1)


def _breadth_first(paths: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The empty path and then all others, each after its parent, with the children of a node next to each other."""
    ordered: list[tuple[int, ...]] = [()]
    for parent in ordered:  # it grows during the loop
        ordered += sorted(path for path in paths if path[:-1] == parent)
    return ordered


def _read_owners(tokenizer: Any, size: int, words: Mapping[Label, Sequence[str]]) -> list[int]:
    """The outcome of each token as the first one.

    A token's text is never longer than its piece in the vocabulary. Therefore only pieces at least as long as the
    shortest word are decoded, which takes a fraction of the time. Numbers without a piece are unparsed.
    """
    shortest = min(len(word) for spellings in words.values() for word in spellings)
    tokens = [token for piece, token in tokenizer.get_vocab().items() if token < size and len(piece) >= shortest]
    owners = [UNPARSED] * size
    for token, text in zip(tokens, tokenizer.batch_decode([[token] for token in tokens]), strict=True):
        owners[token] = _outcome_of(text, words)
    return owners


def _outcome_of(text: str, words: Mapping[Label, Sequence[str]]) -> int:
    """The label whose word is in the text; the study tries positive first, then negative, then neutral."""
    order = (Label.POSITIVE, Label.NEGATIVE, Label.NEUTRAL)
    found = (LABELS.index(label) for label in order if any(word in text for word in words[label]))
    return next(found, UNPARSED)


def find_answers(model: Any, tokenizer: Any, prompt: PromptSettings) -> AnswerSpace:
    """The model's outputs that count as each label."""
    return AnswerSpace(tokenizer, model.config.vocab_size, spellings(prompt), answer_paths(tokenizer, prompt))
