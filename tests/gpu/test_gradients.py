"""A batch that is packed after its prefix has the gradients of a padded one, in a real step on a GPU."""

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from transformers import TrainerCallback
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from embedded.paths import MODEL_FOLDER
from learning.models.device import Device
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.models.windows import find_window
from learning.prompt.encoding import common_prefix_length, encode_examples
from learning.training.arguments import build_arguments, encode_rows
from learning.training.recipe import Recipe
from learning.training.schedule import lay_out_steps
from learning.training.shared_pass import SharedPass
from learning.training.trainer import AdapterTrainer, PrefixCollator, PrefixTrainer, SharedTrainer
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.learning.models.families import write_family

pytestmark = pytest.mark.gpu

FURTHEST = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""Largest allowed norm of the difference between a weight's gradients, relative to the gradient's norm."""
BATCH = 8


class GradientReader(TrainerCallback):  # type: ignore[misc]
    """Keeps the gradients of a step, as the optimiser receives them."""

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        named = model.named_parameters()
        self.gradients = {name: weight.grad.float().clone() for name, weight in named if weight.requires_grad}


@pytest.fixture(scope="module", params=["embedded", "gemma3 with a window"])
def base(request: pytest.FixtureRequest, device: Device, tmp_path_factory: pytest.TempPathFactory) -> LoadedBase:
    if request.param == "embedded":
        return LoadedBase(MODEL_FOLDER, "nf4", device)
    return LoadedBase(write_family(request.param, tmp_path_factory.mktemp("family")), "none", device)


def find_gradients(
    kind: type[AdapterTrainer], base: LoadedBase, labelled: tuple[list[str], list[Label]], loss: str, output: Path
) -> dict[str, torch.Tensor]:
    """Gradients of a batch in two micro-batches, for an adapter that is not at zero, without clipping."""
    texts, labels = labelled[0][:BATCH], labelled[1][:BATCH]
    examples = encode_examples(texts, labels, base.tokenizer, PromptSettings())
    training = TrainingSettings(
        loss=loss, schedule="constant", batch_size=BATCH, max_grad_norm=1e9, learning_rate=1e-3, epochs=1, seed=7
    )
    recipe = Recipe(PromptSettings(), LoraSettings(r=8, dropout=0.0), training)
    is_shared = kind is SharedTrainer
    model = (base.copy_new if is_shared else base.train_new)(recipe.lora, training.seed)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            drawn = torch.empty(weight.shape).normal_(std=0.02, generator=torch.Generator().manual_seed(len(name)))
            weight.data.copy_(drawn)
    prefix = common_prefix_length([example.input_ids for example in examples])
    window = find_window(base.model.config, max(len(example.input_ids) for example in examples))
    reader, steps, arguments = GradientReader(), lay_out_steps(BATCH, training), {}
    if is_shared:
        shared = SharedPass(base, [model], [training.seed], recipe.lora, longest=1_024, window=window)
        arguments = {"shared": shared, "member": 0}
    collator: Any = PrefixCollator(prefix, None if is_shared else base.device.dtype, window)
    if kind is AdapterTrainer:
        collator = DataCollatorForLanguageModeling(pad_token_id=0)
    with quiet_libraries():
        trainer = kind(
            model,
            None,
            args=build_arguments(recipe, steps, base.device, BATCH // 2, output, checkpointing=not is_shared),
            train_dataset=datasets.Dataset.from_list(encode_rows(examples, whole_text=loss == "whole-text")),
            data_collator=collator,
            processing_class=base.tokenizer,
            callbacks=[reader],
            **arguments,
        )
        trainer.train()
    base.release()
    return reader.gradients


@pytest.mark.parametrize("kind", [PrefixTrainer, SharedTrainer])
@pytest.mark.parametrize("loss", ["completion", "whole-text"])
def test_packed_gradients_are_the_padded_ones(
    base: LoadedBase, labelled: tuple[list[str], list[Label]], loss: str, tmp_path: Path, kind: type[AdapterTrainer]
) -> None:
    packed = find_gradients(kind, base, labelled, loss, tmp_path)
    padded = find_gradients(AdapterTrainer, base, labelled, loss, tmp_path)
    assert packed.keys() == padded.keys()
    assert any("lora_A" in name for name in padded)
    for name, expected in padded.items():
        assert expected.any(), name
        distance = torch.linalg.norm(packed[name] - expected) / torch.linalg.norm(expected)
        assert distance < FURTHEST[base.device.dtype], name
        assert torch.cosine_similarity(packed[name].flatten(), expected.flatten(), dim=0) > 0.99, name
