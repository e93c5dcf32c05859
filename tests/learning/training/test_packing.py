"""A pack computes what padded prompts compute: the same loss and the same gradient of every adapter weight."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.prompt.encoding import common_prefix_length, encode_examples
from learning.prompt.question import Example, Question, make_questions
from learning.training.packing import pack_examples
from schemas.cell import PromptSettings
from schemas.label import Label

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)


def adapted(folder: Path, quantization: str) -> Any:
    model = attach_new_adapter(load_model(folder, quantization, CPU), r=4, alpha=16, dropout=0.0, seed=1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02, generator=torch.Generator().manual_seed(len(name)))
    return model


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def padded_loss(model: Any, sequences: list[tuple[int, ...]], starts: list[int]) -> torch.Tensor:
    """The loss as a user would compute it: whole prompts, padded on the right, masked."""
    width = max(len(sequence) for sequence in sequences)
    ids = torch.tensor([sequence + (0,) * (width - len(sequence)) for sequence in sequences])
    mask = torch.tensor([[1] * len(sequence) + [0] * (width - len(sequence)) for sequence in sequences])
    labels = torch.full_like(ids, -100)
    for row, (sequence, start) in enumerate(zip(sequences, starts, strict=True)):
        labels[row, start : len(sequence)] = ids[row, start : len(sequence)]
    logits = model(input_ids=ids, attention_mask=mask).logits
    return cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def packed_loss(model: Any, sequences: list[tuple[int, ...]], starts: list[int]) -> torch.Tensor:
    pack = pack_examples(sequences, starts, common_prefix_length(sequences), torch.float32)
    logits = model(
        input_ids=pack.input_ids,
        position_ids=pack.position_ids,
        attention_mask=pack.attention_mask,
        logits_to_keep=pack.logits_to_keep,
    ).logits[0]
    losses = cross_entropy(logits[pack.target_rows], pack.targets, reduction="none")
    return (losses * pack.weights).sum() / pack.weights.sum()


def put_before(headlines: list[str], labels: list[Label], examples: str) -> list[str]:
    """The first eight headlines: without examples, with the same or with other ones before each, or with contexts."""
    if examples == "contexts":
        return list(make_questions(headlines[:8], [*headlines[8:15], None], [None] * 8))
    shown = [Example(*each) for each in zip(headlines[8:], labels[8:], strict=True)]
    start = {"none": lambda _: 0, "fixed": lambda _: 4, "nearest": lambda row: row}[examples]
    number = 0 if examples == "none" else 3
    return [Question(text, shown[start(row) :][:number]) for row, text in enumerate(headlines[:8])]


@pytest.mark.parametrize(
    ("quantization", "examples"),
    [("nf4", "none"), ("none", "none"), ("none", "fixed"), ("none", "nearest"), ("none", "contexts")],
)
@pytest.mark.parametrize("loss", ["completion", "whole-text"])
def test_loss_and_gradients_equal_those_of_padded_prompts(
    tiny_folder: Path, labelled: tuple[list[str], list[Label]], quantization: str, examples: str, loss: str
) -> None:
    model = adapted(tiny_folder, quantization)
    questions = put_before(*labelled, examples)
    encoded = encode_examples(questions, labelled[1][:8], load_tokenizer(tiny_folder), PromptSettings())
    sequences = [example.input_ids for example in encoded]
    starts = [1 if loss == "whole-text" else example.answer_start for example in encoded]

    expected_loss, measured_loss = padded_loss(model, sequences, starts), packed_loss(model, sequences, starts)
    expected, measured = gradients(model, expected_loss), gradients(model, measured_loss)

    assert measured_loss.item() == pytest.approx(expected_loss.item(), rel=1e-5)
    assert expected.keys() == measured.keys()
    for name, gradient in expected.items():
        assert torch.linalg.norm(measured[name] - gradient) <= 1e-4 * torch.linalg.norm(gradient), name


def test_the_targets_of_a_completion_are_the_label_and_nothing_else(labelled: tuple[list[str], list[Label]]) -> None:
    from embedded.paths import MODEL_FOLDER

    tokenizer = load_tokenizer(MODEL_FOLDER)
    examples = encode_examples(*labelled, tokenizer, PromptSettings())
    sequences = [example.input_ids for example in examples]
    starts = [example.answer_start for example in examples]
    pack = pack_examples(sequences, starts, common_prefix_length(sequences), torch.float32)
    assert [tokenizer.decode([token]) for token in pack.targets.tolist()] == [f" {label}" for label in labelled[1]]
    assert pack.weights.tolist() == [1.0] * len(labelled[1])


def test_the_targets_of_a_whole_text_are_every_token_of_every_text(labelled: tuple[list[str], list[Label]]) -> None:
    from embedded.paths import MODEL_FOLDER

    examples = encode_examples(*labelled, load_tokenizer(MODEL_FOLDER), PromptSettings())
    sequences = [example.input_ids for example in examples]
    pack = pack_examples(sequences, [1] * len(sequences), common_prefix_length(sequences), torch.float32)
    assert pack.weights.sum().item() == sum(len(sequence) - 1 for sequence in sequences)
