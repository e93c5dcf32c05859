"""Scoring: a model and headlines in, the probability of each label at every temperature out.

One forward pass a headline serves all temperatures. The prompts' common prefix is computed once and its keys and
values are reused for every batch; logits are computed only at the last token.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch

from learning.models.device import Device, after, free_memory_bytes, is_out_of_memory, mark
from learning.models.fused_rotary import fused_rotary
from learning.prompt.decoding import AnswerSpace, Decoding, LabelProbabilities
from learning.prompt.encoding import check_lengths, encode_prompts, longest_allowed
from learning.scoring.passes import Passes
from learning.study.unparsed import UNPARSED
from schemas.cell import PromptSettings

IN_FLIGHT = {"cpu": 1, "cuda": 2}
"""Batches that are begun before the first of them is answered: a GPU computes one while the next is prepared."""
MOST_OF_MEMORY = 0.5
"""Share of the free memory that a forward pass may take."""


def find_token_budget(model: Any, device: Device) -> int:
    """Tokens of one forward pass: as many as speed up scoring on the device, and fit into half of its free memory.

    A token takes its keys and values in every layer, and the activations of one layer, in the compute dtype.
    """
    config = model.config
    hidden, layers = config.hidden_size, config.num_hidden_layers
    intermediate = getattr(config, "intermediate_size", None) or 4 * hidden
    heads = config.num_attention_heads
    key_values = hidden * getattr(config, "num_key_value_heads", heads) // heads
    width = torch.finfo(device.dtype).bits // 8
    bytes_a_token = width * (2 * layers * key_values + 6 * hidden + 3 * intermediate)
    in_memory = MOST_OF_MEMORY * free_memory_bytes(device) / bytes_a_token
    return int(min(device.scoring_tokens, in_memory, device.scoring_flops / (2 * model.num_parameters())))


@torch.inference_mode()
def score_headlines(
    model: Any,
    tokenizer: Any,
    answers: AnswerSpace,
    headlines: Sequence[str],
    prompt: PromptSettings,
    decodings: Sequence[Decoding],
    *,
    batch_tokens: int,
    on_batch: Callable[[int], None],
) -> LabelProbabilities:
    """The answer to each headline: the probability of each label under each way of sampling, and the arg-max.

    Args:
        model: A causal language model in evaluation mode, with or without adapter.
        tokenizer: The model's tokenizer.
        answers: The result of `find_answers` for the model, its tokenizer and the prompt.
        headlines: N texts, at least one.
        prompt: The prompt around a headline.
        decodings: D ways of sampling, all with the same top-k.
        batch_tokens: Most tokens of one forward pass, the prefix counted for each row; halved for the rest whenever a
            GPU runs out of memory.
        on_batch: Called with the number of headlines done after each batch.

    Returns:
        N rows in the order of the headlines.

    Raises:
        InputError: A prompt is longer than the model takes.
    """
    prompts = encode_prompts(headlines, tokenizer, prompt)
    check_lengths([ids + (0,) * max(answers.depths, default=0) for ids in prompts], longest_allowed(model.config))
    sampled = torch.empty(len(headlines), len(decodings), UNPARSED + 1, dtype=torch.float64)
    argmax = torch.empty(len(headlines), dtype=torch.int64)
    order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
    begun, answered = 0, 0
    batches: deque[tuple[list[int], torch.Tensor, Any]] = deque()

    def answer() -> int:
        rows, logits, computed = batches.popleft()
        with after(computed):
            own = _answer(answers, logits, decodings)
        sampled[rows], argmax[rows] = own.sampled, own.argmax
        on_batch(answered + len(rows))
        return answered + len(rows)

    with fused_rotary(model) if model.device.type == "cuda" else nullcontext():
        passes = Passes.prepare(model, prompts, answers)
        while begun < len(order):
            rows = order[begun : begun + batch_size(len(prompts[order[begun]]) + len(answers.nodes), batch_tokens)]
            logits = None
            try:
                logits = passes.compute_first([prompts[row] for row in rows])
            except RuntimeError as error:
                if not is_out_of_memory(error) or (len(rows) == 1 and not batches):
                    raise
            if logits is None:  # memory ran out; after the block, the error no longer keeps what the pass took
                batch_tokens = batch_tokens if batches else batch_tokens // 2
                while batches:  # whose logits take memory too
                    answered = answer()
                torch.cuda.empty_cache()
                continue
            batches.append((rows[: len(logits)], logits, mark(model.device)))
            begun += len(logits)
            if len(batches) == IN_FLIGHT[model.device.type]:
                answered = answer()
    while batches:
        answered = answer()
    return LabelProbabilities(sampled, argmax)


def _answer(answers: AnswerSpace, logits: torch.Tensor, decodings: Sequence[Decoding]) -> LabelProbabilities:
    """The answers of logits [B, K, V], for half of the rows at a time wherever a GPU runs out of memory."""
    try:
        return answers.label_probabilities(logits, decodings)
    except RuntimeError as error:
        if not is_out_of_memory(error) or len(logits) == 1:
            raise
    torch.cuda.empty_cache()
    first, second = (_answer(answers, half, decodings) for half in logits.chunk(2))
    return LabelProbabilities(torch.cat([first.sampled, second.sampled]), torch.cat([first.argmax, second.argmax]))


def batch_size(longest: int, batch_tokens: int) -> int:
    """How many rows, none longer than `longest`, fit into `batch_tokens` once padded; at least one."""
    return max(1, batch_tokens // longest)
