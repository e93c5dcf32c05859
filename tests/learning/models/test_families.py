"""Base models of other families: packing and the prefix cache give what whole, padded prompts give."""

from pathlib import Path

import pytest
import torch

from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.prompt.decoding import Decoding, find_answers
from learning.prompt.encoding import common_prefix_length, encode_examples, encode_prompts
from learning.scoring.scoring import score_headlines
from learning.training.packing import pack_examples
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label
from tests.learning.models.families import FAMILIES, write_family

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family(request.param, tmp_path_factory.mktemp("family"))


def test_a_pack_has_the_logits_of_whole_prompts(folder: Path, labelled: tuple[list[str], list[Label]]) -> None:
    model = attach_new_adapter(load_model(folder, "nf4", CPU), r=4, alpha=16, dropout=0.0, seed=1).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02, generator=torch.Generator().manual_seed(len(name)))
    examples = encode_examples(labelled[0][:6], labelled[1][:6], load_tokenizer(folder), PromptSettings())
    sequences = [example.input_ids for example in examples]
    pack = pack_examples(sequences, [e.answer_start for e in examples], common_prefix_length(sequences), torch.float32)
    with torch.inference_mode():
        packed = model(
            input_ids=pack.input_ids,
            position_ids=pack.position_ids,
            attention_mask=pack.attention_mask,
            logits_to_keep=pack.logits_to_keep,
            use_cache=False,
        ).logits[0]
        for row, example in enumerate(examples):
            whole = model(input_ids=torch.tensor([example.input_ids])).logits[0, example.answer_start - 1]
            assert packed[row].numpy() == pytest.approx(whole.numpy(), abs=1e-5)


@pytest.mark.parametrize("prompt", [PromptSettings(), PromptSettings(instruction="x")], ids=["default", "short prefix"])
def test_scoring_after_the_prefix_equals_whole_prompts(
    folder: Path, prompt: PromptSettings, labelled: tuple[list[str], list[Label]]
) -> None:
    model, tokenizer = load_model(folder, "nf4", CPU), load_tokenizer(folder)
    headlines, answers = labelled[0][:6], find_answers(model, tokenizer, prompt)
    measured = score_headlines(
        model,
        tokenizer,
        answers,
        headlines,
        prompt,
        [Decoding(1.0, None, None)],
        batch_tokens=500,
        on_batch=lambda _: None,
    ).sampled
    for row, ids in enumerate(encode_prompts(headlines, tokenizer, prompt)):
        with torch.inference_mode():
            probabilities = model(input_ids=torch.tensor([ids])).logits[0, -1].double().softmax(dim=-1)
        texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
        expected = [sum(probabilities[i].item() for i, text in enumerate(texts) if label in text) for label in LABELS]
        assert measured[row, 0, :3].tolist() == pytest.approx(expected, rel=1e-4, abs=0)  # other prompts: 1e-2
