"""Probes that find out how a loaded base can be trained: each runs once per base, on a few examples."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import torch

from learning.models.device import is_out_of_memory
from learning.models.last_layer import LastLayer
from learning.models.loaded_base import LoadedBase
from learning.models.output_head import add_losses
from learning.prompt.encoding import EncodedExample
from learning.training.arguments import encode_rows
from learning.training.recipe import Recipe
from learning.training.shared_pass import try_pass
from learning.training.trainer import PrefixCollator, forward_pack

PROBED = 3
"""Number of examples for both probes."""
SAME_LOGITS = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Largest allowed difference, relative to the largest logit; a model that ignores masks is off by about 1."""


def takes_packs(
    base: LoadedBase,
    model: Any,
    examples: Sequence[EncodedExample],
    prefix_length: int,
    notify: Callable[[str], None],
) -> bool:
    """Whether a pack gives the same logits as whole prompts; attention that ignores our mask gives others.

    Args:
        base: The base model, which remembers the result.
        model: The base itself, or with an adapter that is trained on it.
        examples: Examples that begin with the same tokens.
        prefix_length: How many tokens they have in common.
        notify: Called with a message if it takes no packs.
    """
    if base.takes_packs is not None:
        return base.takes_packs
    device, was_training = base.device, model.training
    rows, pack = encode_rows(examples[:PROBED], whole_text=False), _pack(base, examples, prefix_length)
    takes = False
    model.eval()
    with suppress(TypeError, ValueError, IndexError, AttributeError, NotImplementedError), torch.no_grad():
        packed = forward_pack(model, pack, LastLayer(model))[pack["target_rows"]].float()
        alone = [
            model(input_ids=torch.tensor([row["input_ids"]], device=device.name)).logits[0, start - 1 : -1].float()
            for row, start in zip(rows, (example.answer_start for example in examples[:PROBED]), strict=True)
        ]
        whole = torch.cat(alone)
        takes = bool((packed - whole).abs().max() <= SAME_LOGITS[device.dtype] * whole.abs().max())
    model.train(was_training)
    base.takes_packs = takes
    if not takes:
        kind = type(base.model).__name__
        notify(f"{kind} takes no batches packed after one prefix: they are padded, several times slower")
    return takes


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
    if base.takes_stacks is not None:
        return base.takes_stacks
    pack = _pack(base, examples, prefix_length)
    with torch.no_grad():
        logits = forward_pack(base.model, pack, None)
    expected = float(add_losses(logits, *(pack[name] for name in ("target_rows", "targets", "weights"))))
    expected /= float(pack["weights"].sum())
    try:
        loss = try_pass(base, base.copy_new(recipe.lora, recipe.training.seed), pack)
        takes = abs(loss - expected) <= SAME_LOGITS[base.device.dtype] * max(expected, 1.0)
    except (TypeError, ValueError, IndexError, AttributeError, NotImplementedError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        takes = False
    base.takes_stacks = takes
    if not takes:
        notify(f"{type(base.model).__name__} takes one adapter at a time: trainings share no passes, and are slower")
    return takes


def _pack(base: LoadedBase, examples: Sequence[EncodedExample], prefix_length: int) -> dict[str, torch.Tensor]:
    collator = PrefixCollator(prefix_length, base.device.dtype)
    pack = collator(encode_rows(examples[:PROBED], whole_text=False))
    return {name: tensor.to(base.device.name) for name, tensor in pack.items()}
