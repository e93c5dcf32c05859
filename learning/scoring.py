"""Scoring: a model and headlines in, the probability of each label at every temperature out.

One forward pass a headline serves all temperatures. The prompts' common prefix is computed once and its keys and values
are reused for every batch; logits are computed at the last token alone. Knows no adapter file, study or warehouse.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learning.decoding import AnswerSpace, Decoding
from learning.encoding import answer_tokens, check_lengths, common_prefix_length, encode_prompts, longest_allowed
from schemas.config import PromptSettings


@dataclass(frozen=True)
class PrefixCache:
    """The keys and values of the tokens that all prompts begin with, for a batch of one."""

    length: int
    keys_and_values: Any


@torch.inference_mode()
def score_headlines(
    model: Any,
    tokenizer: Any,
    headlines: Sequence[str],
    prompt: PromptSettings,
    decodings: Sequence[Decoding],
    *,
    batch_tokens: int,
    on_batch: Callable[[int], None],
) -> torch.Tensor:
    """Probability of each label for each headline and way of sampling.

    Args:
        model: A causal language model in evaluation mode, with or without adapter.
        tokenizer: The model's own.
        headlines: N texts.
        prompt: What stands around a headline.
        decodings: D ways of sampling.
        batch_tokens: Tokens of one forward pass at most, the prefix counted for each row.
        on_batch: Is told how many headlines are done after each batch.

    Returns:
        [N, D, 4] float64 in the order of the headlines: negative, neutral, positive, unparsed.

    Raises:
        InputError: A prompt is longer than the model takes.
    """
    answers = answer_tokens(tokenizer, prompt)
    space = AnswerSpace(tokenizer, prompt.label_words, answers)
    prompts = encode_prompts(headlines, tokenizer, prompt)
    longest_path = max((len(path) for path in space.paths.values()), default=1)
    check_lengths([ids + (0,) * (longest_path - 1) for ids in prompts], longest_allowed(model.config))
    prefix = compute_prefix(model, prompts)
    result = torch.empty(len(headlines), len(decodings), 4, dtype=torch.float64)
    done = 0
    for rows in batches_by_length([len(ids) for ids in prompts], batch_tokens):
        suffixes = [prompts[row][prefix.length :] for row in rows]
        first = last_logits(model, prefix, suffixes, count=1)[:, 0]
        continued = {
            label: last_logits(model, prefix, [suffix + path[:-1] for suffix in suffixes], count=len(path))[:, 1:]
            for label, path in space.paths.items()
        }
        result[rows] = space.label_probabilities(first, continued, decodings)
        done += len(rows)
        on_batch(done)
    return result


def compute_prefix(model: Any, prompts: Sequence[tuple[int, ...]]) -> PrefixCache:
    """Run the model over the tokens that all prompts begin with."""
    length = common_prefix_length(prompts)
    if length == 0:
        return PrefixCache(0, None)
    ids = torch.tensor([prompts[0][:length]], device=model.device)
    return PrefixCache(length, model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values)


def batches_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Group row numbers, longest rows first, so that no batch exceeds `batch_tokens` once padded.

    A row longer than the budget is a batch by itself.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    start = 0
    while start < len(order):
        size = max(1, batch_tokens // lengths[order[start]])
        yield order[start : start + size]
        start += size


def last_logits(model: Any, prefix: PrefixCache, suffixes: Sequence[Sequence[int]], count: int) -> torch.Tensor:
    """Logits at the last `count` tokens of each suffix, behind the prefix: [B, count, V].

    Suffixes are padded on the right, where a causal model's earlier tokens cannot see; a row's logits are picked at its
    own last tokens.
    """
    lengths = torch.tensor([len(suffix) for suffix in suffixes])
    padded = torch.zeros(len(suffixes), int(lengths.max()), dtype=torch.long)
    for row, suffix in enumerate(suffixes):
        padded[row, : len(suffix)] = torch.tensor(suffix)
    wanted = lengths[:, None] - count + torch.arange(count)
    kept, columns = torch.unique(wanted, return_inverse=True)
    positions = torch.arange(prefix.length, prefix.length + padded.shape[1])
    cache = copy.deepcopy(prefix.keys_and_values)
    if cache is not None:
        cache.batch_repeat_interleave(len(suffixes))
    logits = model(
        input_ids=padded.to(model.device),
        position_ids=positions.expand(len(suffixes), -1).to(model.device),
        past_key_values=cache,
        use_cache=cache is not None,
        logits_to_keep=kept.to(model.device),
    ).logits
    picked: torch.Tensor = logits[torch.arange(len(suffixes))[:, None], columns]
    return picked
