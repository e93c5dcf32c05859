"""Scoring on a GPU in closed form: the probabilities that `generate` samples from, and labels of several tokens."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_saved_adapter
from learning.models.base_model import load_model
from learning.models.device import Device
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.decoding import Decoding, LabelProbabilities
from learning.prompt.encoding import answer_paths, encode_prompts
from learning.scoring.scoring import score_headlines
from learning.study.unparsed import UNPARSED
from learning.training.recipe import Recipe
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import LABELS, Label
from tests.adapters import train_adapter
from tests.gpu.rounding import LOGITS, check_probabilities

pytestmark = pytest.mark.gpu

TEMPERATURES = (0.1, 1.0, 10.0)
NORMAL = 1e-300
"""A product below this has less than full precision."""
TOP_K = 50
BRUTE = 10
"""Headlines whose answers of several tokens are computed by brute force."""
WORDS = {Label.NEGATIVE: "bearish", Label.NEUTRAL: "sideways", Label.POSITIVE: "upbeat"}


@dataclass(frozen=True)
class Case:
    """A base with or without an adapter: quantised, as `generate` runs it, and as fintone scores with it."""

    base: LoadedBase
    generating: Any
    fine_tune: FineTune | None
    headlines: list[str]

    def score(self, prompt: PromptSettings, top_k: int | None) -> LabelProbabilities:
        return score_headlines(
            self.base.score_with(self.fine_tune),
            self.base.tokenizer,
            self.base.answers(prompt),
            self.headlines,
            prompt,
            [Decoding(temperature, top_k, None) for temperature in TEMPERATURES],
            batch_tokens=2_000,
            on_batch=lambda _: None,
        )


@pytest.fixture(scope="module")
def case(device: Device, labelled: tuple[list[str], list[Label]], tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A cell that is confident about its headlines, since it was trained on them."""
    adapter, base = tmp_path_factory.mktemp("adapter") / "cell", LoadedBase(MODEL_FOLDER, "nf4", device)
    training = TrainingSettings(loss="completion", schedule="constant", learning_rate=2e-3, epochs=8, seed=7)
    recipe = Recipe(PromptSettings(), LoraSettings(r=16, dropout=0.0), training)
    train_adapter(base, *labelled, recipe, adapter)
    generating = attach_saved_adapter(load_model(MODEL_FOLDER, "nf4", device), adapter)
    return Case(base, generating, FineTune(adapter), labelled[0])


@pytest.fixture(params=["cell", "untouched"])
def scored(request: pytest.FixtureRequest, case: Case) -> Case:
    """The cell, or the untouched base, which is not confident at any temperature."""
    if request.param == "cell":
        return case
    return replace(case, generating=load_model(MODEL_FOLDER, "nf4", case.base.device), fine_tune=None)


def generate(case: Case, **settings: Any) -> Any:
    """The output of `generate` for all headlines, one token each, left-padded."""
    prompts = encode_prompts(case.headlines, case.base.tokenizer, PromptSettings())
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with quiet_libraries():
        return case.generating.generate(
            input_ids=ids.to(case.base.device.name),
            attention_mask=mask.to(case.base.device.name),
            max_new_tokens=1,
            pad_token_id=0,
            return_dict_in_generate=True,
            output_scores=True,
            output_logits=True,
            **settings,
        )


def find_outcomes(tokenizer: Any, vocabulary: int, words: dict[Label, str]) -> torch.Tensor:
    """[V] the outcome of each token: the label whose word it contains, or unparsed."""
    texts = [tokenizer.decode([token]) for token in range(vocabulary)]
    return torch.tensor(
        [next((number for number, label in enumerate(LABELS) if words[label] in text), UNPARSED) for text in texts]
    )


@pytest.fixture(scope="module")
def outcomes(case: Case) -> torch.Tensor:
    words = {label: label.value for label in LABELS}
    return find_outcomes(case.base.tokenizer, case.generating.config.vocab_size, words)


@pytest.mark.parametrize("top_k", [None, TOP_K])
def test_probabilities_are_those_that_generate_samples_from(
    scored: Case, outcomes: torch.Tensor, top_k: int | None
) -> None:
    measured = scored.score(PromptSettings(), top_k).sampled
    for column, temperature in enumerate(TEMPERATURES):
        scores = generate(scored, do_sample=True, temperature=temperature, top_k=top_k or 0, top_p=1.0).scores[0]
        sampled = scores.double().softmax(dim=-1).cpu()
        expected = torch.zeros(len(sampled), UNPARSED + 1, dtype=torch.float64).index_add_(1, outcomes, sampled)
        check_probabilities(measured[:, column], expected, temperature, scored.base.device.dtype)


def test_the_argmax_is_the_answer_of_greedy_generation_wherever_rounding_does_not_decide(
    case: Case, outcomes: torch.Tensor
) -> None:
    output = generate(case, do_sample=False)
    best, second = output.logits[0].float().cpu().topk(2).values.unbind(dim=-1)
    is_clear = best - second > 2 * LOGITS[case.base.device.dtype]
    assert is_clear.sum() > len(case.headlines) / 2
    expected = outcomes[output.sequences[:, -1].cpu()]
    assert torch.equal(case.score(PromptSettings(), TOP_K).argmax[is_clear], expected[is_clear])


@torch.inference_mode()
def test_labels_of_several_tokens_have_the_product_of_their_tokens_probabilities(case: Case) -> None:
    prompt, tokenizer = PromptSettings(label_words=WORDS), case.base.tokenizer
    paths = {label: path for label, [path] in answer_paths(tokenizer, prompt).items()}
    longest = max(map(len, paths.values()))
    assert min(map(len, paths.values())) > 1
    assert (find_outcomes(tokenizer, len(tokenizer), WORDS) == UNPARSED).all()
    assert case.base.answers(prompt).nodes
    measured = case.score(prompt, None).sampled[:BRUTE, :, : len(LABELS)]
    expected = torch.ones(BRUTE, len(TEMPERATURES), len(LABELS), dtype=torch.float64)
    for row, ids in enumerate(encode_prompts(case.headlines[:BRUTE], tokenizer, prompt)):
        for number, label in enumerate(LABELS):
            read = torch.tensor([[*ids, *paths[label][:-1]]], device=case.base.device.name)
            logits = case.generating(input_ids=read).logits[0, len(ids) - 1 :].double().cpu()
            for column, temperature in enumerate(TEMPERATURES):
                conditional = (logits / temperature).softmax(dim=-1)
                expected[row, column, number] = conditional[range(len(paths[label])), list(paths[label])].prod()
    for column, temperature in enumerate(TEMPERATURES):
        is_normal = expected[:, column] > NORMAL
        assert is_normal.any()
        moved = measured[:, column][is_normal].log() - expected[:, column][is_normal].log()
        assert moved.abs().max() <= longest * LOGITS[case.base.device.dtype] / temperature
        assert moved.abs().mean() <= LOGITS[case.base.device.dtype] / temperature
