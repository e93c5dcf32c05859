"""A base model in memory, used by one adapter after another: to train a new one, or to score with a saved one.

Loading and quantising a base takes longer than many small cells, and its weights never change. If the whole weights
fit into memory, they are dequantised once instead of at every step; they compute the same function as the 4-bit layers.
To score in float32, the adapter is then added to a copy of them. In bfloat16 the adapter stays separate: most of its
changes are smaller than half of a weight's last bit, and would be lost. It is never merged into 4-bit weights, which
would round again and change predictions. If the whole weights do not fit, the model stays quantised and the adapter
separate.
"""

import copy
import gc
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from learning.models.adapter import attach_new_adapter, attach_saved_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device, free_memory_bytes, total_memory_bytes
from learning.models.fine_tune import FineTune
from learning.models.fused_norms import fuse_norms
from learning.models.output_head import OutputHead
from learning.models.pack_attention import PACKED_SDPA, REPLACED
from learning.models.quiet import quiet_libraries
from learning.models.stacked_lora import structural_copy
from learning.models.windows import Window
from learning.prompt.decoding import AnswerSpace, find_answers
from schemas.cell import LoraSettings, PromptSettings

COPIES = {torch.float32: 2}
"""Copies of the whole weights in memory, by dtype: the base, and in float32 also a copy with an adapter added."""
MOST_OF_MEMORY = 0.5
"""Share of the free memory that whole weights may take: dequantising holds both forms for a while."""

LEFT_FREE = 0.3
"""If less than this share of the memory is free, nothing is kept for the next training: scoring needs memory too."""


class LoadedBase:
    """One base model with its tokenizer. A model that it returns is valid only until the next one is requested."""

    def __init__(self, folder: Path, quantization: str, device: Device) -> None:
        """Load the base.

        Args:
            folder: The base model's folder.
            quantization: Quantization of its weights, `nf4` or `none`.
            device: The device and its arithmetic.

        Raises:
            BaseModelError: The folder does not hold a suitable model.
        """
        self.device = device
        self.model = load_model(folder, quantization, device)
        self.tokenizer = load_tokenizer(folder)
        if device.name == "cuda":
            fuse_norms(self.model)
        self.is_whole = self._fits_whole()
        if not self.is_whole and device.short_optimizer:
            self.device = replace(device, optimizer=device.short_optimizer)
        if self.is_whole and quantization != "none":
            with quiet_libraries():
                self.model = self.model.dequantize()
        self.takes_packs: dict[tuple[int, int], bool] = {}
        """Whether its attention respects the mask of a pack, by the tokens of the longest pack and example."""
        self.kept: tuple[Any, Any] | None = None
        """Kept for the next training of the same kind: the key of what both share, and the pass over the base."""
        self.takes_stacks: dict[Window | None, bool] = {}
        """Whether several adapters in one pass give the same as one by one, by the window of their masks."""
        self._adapted: PeftModel | None = None
        self._scoring: Any = None
        self._scoring_with: FineTune | None = None
        self._answers: dict[str, AnswerSpace] = {}
        self._bound = {name: value for name, value in vars(self.model).items() if name == "forward"}

    def train_new(self, lora: LoraSettings, seed: int) -> PeftModel:
        """The base with a new adapter on it, drawn from the seed."""
        self.release()
        attention = self.model.config._attn_implementation  # noqa: SLF001 (has no public name)
        if self.device.name == "cpu" and attention == REPLACED:
            with quiet_libraries():
                self.model.set_attn_implementation(PACKED_SDPA)
        self._adapted = attach_new_adapter(self.model, lora.r, lora.alpha, lora.dropout, seed, is_whole=self.is_whole)
        return self._adapted

    def copy_new(self, lora: LoraSettings, seed: int) -> PeftModel:
        """A new adapter, drawn from the seed, on a copy of the base's modules over the same weights."""
        return attach_new_adapter(structural_copy(self.model), lora.r, lora.alpha, lora.dropout, seed)

    def score_with(self, fine_tune: FineTune | None) -> Any:
        """The base with a saved adapter, or untouched, in evaluation mode; the last model is kept until it is released.

        Args:
            fine_tune: The adapter; None for the untouched base.

        Raises:
            AdapterError: The adapter has another hash, or is damaged.
        """
        if fine_tune is not None and fine_tune == self._scoring_with:
            return self._scoring
        self.release()
        if fine_tune is None:
            return self.model
        if self.is_whole and self.device.dtype is torch.float32:
            adapted = attach_saved_adapter(copy.deepcopy(self.model), *fine_tune)
            self._scoring = adapted.merge_and_unload().eval()
        elif self.is_whole:
            self._scoring = attach_saved_adapter(structural_copy(self.model), *fine_tune, is_whole=True)
        else:
            self._scoring = self._adapted = attach_saved_adapter(self.model, *fine_tune)
        self._scoring_with = fine_tune
        return self._scoring

    @cached_property
    def has_plain_head(self) -> bool:
        """Whether its logits are exactly the output head's product with the last hidden states."""
        return OutputHead.find(self.model) is not None

    def answers(self, prompt: PromptSettings) -> AnswerSpace:
        """The tokens that count as each label; the same with any adapter."""
        key = prompt.model_dump_json()
        if key not in self._answers:
            self._answers[key] = find_answers(self.model, self.tokenizer, prompt)
        return self._answers[key]

    def release(self) -> None:
        """Remove the adapter, and leave the base as it was loaded."""
        self._scoring = self._scoring_with = None
        if self._adapted is None:
            return
        self._adapted.unload()
        self._adapted = None
        vars(self.model).pop("forward", None)  # trl gives a model that it trains one that a copy would share
        vars(self.model).update(self._bound)
        self.model.activation_checkpointing_disable()
        if self.model.config._attn_implementation == PACKED_SDPA:  # noqa: SLF001
            self.model.set_attn_implementation(REPLACED)
        self.model.requires_grad_(requires_grad=False).eval()

    def forget_where_short(self) -> None:
        """If little memory is left, drop the pass that is kept for the next training, and what refers to it.

        A training's model and trainer refer to each other, so they are there until garbage is collected.
        """
        if free_memory_bytes(self.device) < LEFT_FREE * total_memory_bytes(self.device):
            self.kept = None
            gc.collect()

    def _fits_whole(self) -> bool:
        width = torch.finfo(self.device.dtype).bits // 8
        needed = COPIES.get(self.device.dtype, 1) * width * self.model.num_parameters()
        return bool(needed <= MOST_OF_MEMORY * free_memory_bytes(self.device))
