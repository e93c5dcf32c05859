"""fintone's trainer has the loss and gradients of plain trl, and the same weights after 30 steps."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import datasets
import pytest
import torch
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.models.windows import find_window
from learning.prompt.encoding import common_prefix_length, encode_examples
from learning.training.arguments import build_arguments, encode_rows
from learning.training.recipe import Recipe
from learning.training.schedule import lay_out_steps
from learning.training.trainer import IGNORED, AdapterTrainer, BatchesAhead, PrefixCollator, PrefixTrainer
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
from tests.learning.models.families import FAMILIES, write_family

REAL = ("embedded", "llama")
WINDOWS = ("mistral with a window", "gemma3 with a window")
"""Models whose window is shorter than the prompts."""


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a base model: a trained one, or a random one of a family."""
    if request.param == "embedded":
        return MODEL_FOLDER
    if request.param == "llama":
        return Path(request.getfixturevalue("llama_folder"))
    return write_family(request.param, tmp_path_factory.mktemp("family"))


class PlainTrainer(SFTTrainer):  # type: ignore[misc]
    """trl's trainer, with its adapter in float32 again: trl rounds it to bfloat16 on a quantised base."""

    def __init__(self, model: Any, **arguments: Any) -> None:
        exact = {name: weight.data for name, weight in model.named_parameters() if weight.requires_grad}
        super().__init__(model=model, **arguments)
        for name, weight in model.named_parameters():
            if name in exact:
                weight.data = exact[name]


def build(kind: type[SFTTrainer], folder: Path, loss: str, output: Path, examples: int) -> Any:
    """A trainer of a drawn adapter that is not at zero, on generated headlines."""
    random, device, tokenizer = Random(4), choose_device(), load_tokenizer(folder)
    headlines = [generate_headline(random) for _ in range(examples)]
    labels = [Label(headline.sentiment) for headline in headlines]
    encoded = encode_examples([headline.text for headline in headlines], labels, tokenizer, PromptSettings())
    training = TrainingSettings(loss=loss, schedule="constant", batch_size=8, learning_rate=1e-3, epochs=1, seed=7)
    lora = LoraSettings(r=8, alpha=16, dropout=0.0)
    recipe = Recipe(PromptSettings(), lora, training)
    arguments = build_arguments(recipe, lay_out_steps(examples, training), device, 4, output, checkpointing=False)
    if issubclass(kind, AdapterTrainer):
        model = LoadedBase(folder, "nf4", device).train_new(lora, 7)
    else:
        model = attach_new_adapter(load_model(folder, "nf4", device), lora.r, lora.alpha, lora.dropout, seed=7)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02, generator=torch.Generator().manual_seed(len(name)))
    prefix = common_prefix_length([example.input_ids for example in encoded])
    collator = DataCollatorForLanguageModeling(pad_token_id=0)
    if issubclass(kind, PrefixTrainer):
        window = find_window(model.config, max(len(example.input_ids) for example in encoded))
        collator = PrefixCollator(prefix, device.dtype, window)
    rows = encode_rows(encoded, whole_text=loss == "whole-text")
    with quiet_libraries():
        return kind(
            model,
            args=arguments,
            train_dataset=datasets.Dataset.from_list(rows),
            data_collator=collator,
            processing_class=tokenizer,
        )


def one_batch(trainer: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of the first batch of 8, in two micro-batches.

    The sum is divided by the number of predicted tokens. For GPT-2, transformers also counts the first token of each
    text, which nothing predicts.
    """
    rows = [trainer.train_dataset[number] for number in range(8)]
    parts = [trainer.data_collator(rows[:4]), trainer.data_collator(rows[4:])]
    total = torch.tensor(sum(label != IGNORED for row in rows for label in row["labels"][1:]))
    if trainer.model.config.model_type != "gpt2":
        assert trainer._get_num_items_in_batch(parts, torch.device("cpu")) == total
    trainer.model.train()
    trainer.model.zero_grad()
    loss = sum(trainer.compute_loss(trainer.model, part, num_items_in_batch=total) for part in parts)
    loss.backward()
    named = trainer.model.named_parameters()
    return loss.item(), {name: weight.grad.clone() for name, weight in named if weight.requires_grad}


def check_close(measured: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], tolerance: float) -> None:
    assert measured.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.linalg.norm(measured[name] - value) <= tolerance * torch.linalg.norm(value), name


def list_cases() -> Iterator[Any]:
    """Each base model packed and padded, with each loss; `make test` runs the embedded one with one loss."""
    kinds = {"packed": PrefixTrainer, "padded": AdapterTrainer}
    for folder, form, loss in product([*REAL, *FAMILIES, *WINDOWS], kinds, ["completion", "whole-text"]):
        is_soak = form == "padded" and (loss == "whole-text" or folder not in {"embedded", "gpt2"})
        is_slow = folder != "embedded" or loss == "whole-text"
        marks = [pytest.mark.soak] if is_soak else [pytest.mark.slow] if is_slow else []
        yield pytest.param(folder, loss, kinds[form], id=f"{folder}-{form}-{loss}", marks=marks)


@pytest.mark.parametrize(("folder", "loss", "kind"), list(list_cases()), indirect=["folder"])
def test_loss_and_gradients_are_those_of_plain_trl(
    folder: Path, loss: str, kind: type[AdapterTrainer], tmp_path: Path
) -> None:
    expected_loss, expected = one_batch(build(PlainTrainer, folder, loss, tmp_path, 8))
    loss_value, gradients = one_batch(build(kind, folder, loss, tmp_path, 8))
    assert loss_value == pytest.approx(expected_loss, rel=1e-4)
    check_close(gradients, expected, 1e-4)


@pytest.mark.parametrize(
    ("folder", "loss"),
    [
        pytest.param("embedded", "completion", marks=pytest.mark.soak),
        pytest.param("embedded", "whole-text", marks=pytest.mark.soak),
        pytest.param("llama", "completion", marks=pytest.mark.soak),
        pytest.param("llama", "whole-text", marks=pytest.mark.soak),
    ],
    indirect=["folder"],
)
def test_thirty_steps_end_in_the_weights_of_plain_trl(folder: Path, loss: str, tmp_path: Path) -> None:
    ended = []
    for kind in (PlainTrainer, PrefixTrainer):
        trainer = build(kind, folder, loss, tmp_path, 240)
        started = {name: weight.clone() for name, weight in trainer.model.named_parameters() if weight.requires_grad}
        with quiet_libraries():
            trainer.train()
        assert trainer.state.global_step == 30
        named = trainer.model.named_parameters()
        ended.append({name: weight.detach() - started[name] for name, weight in named if name in started})
    check_close(ended[1], ended[0], 1e-2)


def test_batches_that_are_built_ahead_keep_their_order_and_end_as_usual() -> None:
    built: list[int] = []

    def build() -> Iterator[Any]:
        for number in range(5):
            built.append(number)
            yield {"number": number}

    ahead = BatchesAhead(build())
    ahead.build_one()
    assert built == [0]
    assert next(ahead) == {"number": 0}
    assert next(ahead) == {"number": 1}
    ahead.build_one()
    ahead.build_one()
    assert built == [0, 1, 2, 3]
    assert [next(ahead) for _ in range(3)] == [{"number": number} for number in (2, 3, 4)]
    ahead.build_one()
    with pytest.raises(StopIteration):
        next(ahead)
