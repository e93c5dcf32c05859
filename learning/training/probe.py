"""Probes that find out how a loaded base can be trained; the base remembers the results."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import torch

from learning.models.alike import UNFIT, is_alike
from learning.models.device import is_out_of_memory
from learning.models.last_layer import LastLayer
from learning.models.loaded_base import LoadedBase
from learning.models.output_head import add_losses
from learning.models.windows import attention_span, find_window
from learning.prompt.encoding import EncodedExample
from learning.training.arguments import encode_rows
from learning.training.recipe import Recipe
from learning.training.shared_pass import try_pass
from learning.training.trainer import PrefixCollator, forward_pack

PROBED = 3
"""Number of different examples in each probe."""
SAME_LOGITS = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Largest allowed difference, relative to the largest logit; a model that ignores masks is off by about 1."""


def takes_packs(
    base: LoadedBase,
    model: Any,
    examples: Sequence[EncodedExample],
    prefix_length: int,
    size: int,
    notify: Callable[[str], None],
) -> bool:
    """Whether a pack gives the same logits as whole prompts; attention that ignores our mask gives others.

    The pack has as many examples as a training's, the longest among them: some families limit attention to the last
    tokens of a row, whatever their positions.

    Args:
        base: The base model, which remembers the result.
        model: The base itself, or with an adapter that is trained on it.
        examples: Examples that begin with the same tokens.
        prefix_length: How many tokens they have in common.
        size: Examples of a pack.
        notify: Called with a message if it takes no packs.
    """
    longest = _find_longest(examples)
    tokens = len(longest[0].input_ids)
    shape = (prefix_length + size * (tokens - prefix_length), tokens)
    if shape not in base.takes_packs:
        packed = [example for example, _ in zip(cycle(longest), range(max(size, PROBED)), strict=False)]
        config = base.model.config
        is_masked = tokens <= attention_span(config) or find_window(config, tokens) is not None
        base.takes_packs[shape] = is_masked and _is_alike_in_a_pack(base, model, packed, prefix_length)
        if not base.takes_packs[shape]:
            kind = type(base.model).__name__
            notify(f"{kind} takes no batches packed after one prefix: they are padded, several times slower")
    return base.takes_packs[shape]


def _find_longest(examples: Sequence[EncodedExample]) -> list[EncodedExample]:
    return sorted(examples, key=lambda example: -len(example.input_ids))[:PROBED]


def _is_alike_in_a_pack(base: LoadedBase, model: Any, examples: Sequence[EncodedExample], prefix_length: int) -> bool:
    """Whether the logits of a pack's answers are those of each of its examples alone; one may be in it repeatedly."""
    device, was_training = base.device, model.training
    pack = _pack(base, examples, prefix_length)
    model.eval()
    try:
        with torch.no_grad():
            packed = forward_pack(model, pack, LastLayer(model))[pack["target_rows"]].float()
            alone = {id(example): _logits_of_answer(model, example) for example in examples}
        whole = torch.cat([alone[id(example)] for example in examples])
        return is_alike(packed, whole, SAME_LOGITS[device.dtype])
    except UNFIT as error:
        if is_out_of_memory(error):
            raise
        return False
    finally:
        model.train(was_training)


def _logits_of_answer(model: Any, example: EncodedExample) -> torch.Tensor:
    """[A, V] float32 logits that predict the A tokens of an example's answer."""
    [row] = encode_rows([example], whole_text=False)
    logits: torch.Tensor = model(input_ids=torch.tensor([row["input_ids"]], device=model.device)).logits[0].float()
    return logits[example.answer_start - 1 : -1]


def takes_stacks(
    base: LoadedBase,
    recipe: Recipe,
    examples: Sequence[EncodedExample],
    prefix_length: int,
    notify: Callable[[str], None],
) -> bool:
    """Whether a shared pass gives the same loss as the base's own; it implements only the usual computations.

    Args:
        base: A whole base model that takes packs; it remembers the result.
        recipe: A training's recipe.
        examples: As for `takes_packs`.
        prefix_length: As for `takes_packs`.
        notify: As for `takes_packs`.
    """
    longest = _find_longest(examples)
    window = find_window(base.model.config, len(longest[0].input_ids))
    if window in base.takes_stacks:
        return base.takes_stacks[window]
    pack = _pack(base, longest, prefix_length)
    with torch.no_grad():
        logits = forward_pack(base.model, pack, None)
    expected = float(add_losses(logits, *(pack[name] for name in ("target_rows", "targets", "weights"))))
    expected /= float(pack["weights"].sum())
    try:
        loss = try_pass(base, base.copy_new(recipe.lora, recipe.training.seed), pack, window)
        takes = abs(loss - expected) <= SAME_LOGITS[base.device.dtype] * max(expected, 1.0)
    except UNFIT as error:
        if is_out_of_memory(error):
            raise
        takes = False
    base.takes_stacks[window] = takes
    if not takes:
        notify(f"{type(base.model).__name__} takes one adapter at a time: trainings share no passes, and are slower")
    return takes


def _pack(base: LoadedBase, examples: Sequence[EncodedExample], prefix_length: int) -> dict[str, torch.Tensor]:
    window = find_window(base.model.config, max(len(example.input_ids) for example in examples))
    collator = PrefixCollator(prefix_length, base.device.dtype, window)
    pack = collator(encode_rows(examples, whole_text=False))
    return {name: tensor.to(base.device.name) for name, tensor in pack.items()}
