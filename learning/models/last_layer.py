"""Computes a model's last layer only at the positions that are needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

POSITION_WISE = {"q_proj", "o_proj", "mlp"}
"""Names, in the models of transformers, of modules that map each position by itself."""


class LastLayer:
    """The last layer of a model; create it again after an adapter is added or removed."""

    def __init__(self, model: Any) -> None:
        """Find it in a causal language model of transformers, with or without adapter."""
        layers = next(
            module
            for module in model.modules()
            if isinstance(module, torch.nn.ModuleList) and len(module) == model.config.num_hidden_layers
        )
        named = layers[-1].named_modules()
        self._position_wise = [module for name, module in named if name.rpartition(".")[2] in POSITION_WISE]

    @contextmanager
    def at(self, kept: torch.Tensor) -> Iterator[None]:
        """Compute the last layer at positions `kept` only, except for its keys and values.

        Nothing reads the other positions of the last layer: its position-wise modules give zeros there, and gradients
        are unchanged.

        Args:
            kept: [K] positions of the sequence.
        """

        def narrow(module: Any, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            lengths[module] = args[0].shape[1]
            return (args[0][:, kept],)

        def widen(module: Any, _: Any, output: Any) -> Any:
            if isinstance(output, tuple):  # experts and the scores of their router, which nothing reads
                return widen(module, _, output[0]), *output[1:]
            full = output.new_zeros(len(output), lengths[module], output.shape[-1])
            full[:, kept] = output
            return full

        lengths: dict[Any, int] = {}
        hooks = []
        for module in self._position_wise:
            hooks.append(module.register_forward_pre_hook(narrow))
            hooks.append(module.register_forward_hook(widen))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
