"""The closed form compared with Hugging Face `generate`: the same argmax, probabilities and frequencies.

`generate` runs the quantised base with its adapter, left-padded; fintone scores after the shared prefix, with the
adapter added to dequantised weights.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZipFile

import pytest
import torch
from scipy.stats import chisquare
from transformers import LlamaConfig, LlamaForCausalLM

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter, attach_saved_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.models.saving import save_fine_tune
from learning.prompt.decoding import Decoding, LabelProbabilities, find_answers
from learning.prompt.encoding import answer_paths, encode_prompts
from learning.prompt.template import spellings as spell
from learning.scoring.scoring import score_headlines
from learning.study.unparsed import UNPARSED
from schemas.cell import PromptSettings
from schemas.label import LABELS, Label
from tests.examples import examples

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=2_000)
PROMPT = PromptSettings()
TEMPERATURES = (0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Case:
    """One model in both forms, with the headlines that it answers."""

    generating: Any
    scoring: Any
    tokenizer: Any
    headlines: list[str]

    def score(self, top_k: int | None, batch_tokens: int = 2_000) -> LabelProbabilities:
        return score_headlines(
            self.scoring,
            self.tokenizer,
            find_answers(self.scoring, self.tokenizer, PROMPT),
            self.headlines,
            PROMPT,
            [Decoding(temperature, top_k, None) for temperature in TEMPERATURES],
            batch_tokens=batch_tokens,
            on_batch=lambda _: None,
        )


@pytest.fixture(scope="module", params=["embedded", "llama"])
def base(request: pytest.FixtureRequest) -> tuple[Path, list[str]]:
    """A base model's folder and headlines of its kind."""
    if request.param == "embedded":
        random = Random(11)
        return MODEL_FOLDER, [generate_headline(random).text for _ in range(examples(60))]
    folder: Path = request.getfixturevalue("llama_folder")
    with ZipFile(request.getfixturevalue("fpb_folder") / "FinancialPhraseBank-v1.0.zip") as archive:
        lines = archive.read("FinancialPhraseBank-v1.0/Sentences_50Agree.txt").decode("iso-8859-1").split("\r\n")
    return folder, [line.rpartition("@")[0] for line in lines[: 240 * examples(40) : 240]]


@pytest.fixture(scope="module", params=["nf4", pytest.param("none", marks=pytest.mark.soak)])
def quantization(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["untouched", "adapter"])
def case(
    request: pytest.FixtureRequest,
    base: tuple[Path, list[str]],
    quantization: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Case:
    folder, headlines = base
    model, adapter = load_model(folder, quantization, CPU), None
    if request.param == "adapter":
        adapter = tmp_path_factory.mktemp("adapter") / "cell"
        drawn = attach_new_adapter(model, r=64, alpha=16, dropout=0.1, seed=1)
        for name, weight in drawn.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.02, generator=torch.Generator().manual_seed(len(name)))
        save_fine_tune(drawn, adapter)
        model = attach_saved_adapter(load_model(folder, quantization, CPU), adapter)
    scoring = LoadedBase(folder, quantization, CPU).score_with(FineTune(adapter) if adapter else None)
    return Case(model, scoring, load_tokenizer(folder), headlines)


def generate(case: Case, **settings: Any) -> Any:
    """The output of `generate` for all headlines, one token each, left-padded."""
    prompts = encode_prompts(case.headlines, case.tokenizer, PROMPT)
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return case.generating.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=1,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
        **settings,
    )


def outcome(text: str) -> int:
    return next((number for number, label in enumerate(LABELS) if label.value in text), UNPARSED)


def test_the_scoring_model_has_no_quantised_layer_and_no_adapter_left(case: Case) -> None:
    kinds = {type(layer).__name__ for layer in case.scoring.modules()}
    assert not any("4bit" in kind or "Lora" in kind for kind in kinds)
    assert {weight.dtype for weight in case.scoring.parameters()} == {torch.float32}


def test_the_argmax_is_the_answer_of_greedy_generation_on_every_row(case: Case) -> None:
    tokens = generate(case, do_sample=False).sequences[:, -1].tolist()
    expected = [outcome(case.tokenizer.decode([token])) for token in tokens]
    assert case.score(top_k=None).argmax.tolist() == expected


@pytest.mark.slow
@pytest.mark.parametrize("top_k", [pytest.param(None, marks=pytest.mark.soak), 50])
def test_probabilities_are_those_that_generate_samples_from(case: Case, top_k: int | None) -> None:
    measured = case.score(top_k).sampled
    owners = torch.tensor(
        [outcome(case.tokenizer.decode([token])) for token in range(case.generating.config.vocab_size)]
    )
    for column, temperature in enumerate(TEMPERATURES):
        torch.manual_seed(1)
        scores = generate(case, do_sample=True, temperature=temperature, top_k=top_k or 0, top_p=1.0).scores[0]
        sampled = scores.double().softmax(dim=-1)
        expected = torch.zeros(len(sampled), UNPARSED + 1, dtype=torch.float64).index_add_(1, owners, sampled)
        assert measured[:, column].numpy() == pytest.approx(expected.numpy(), abs=1e-5 * max(1, 1 / temperature))


def test_batch_and_padding_change_no_label_and_probabilities_only_by_rounding(case: Case) -> None:
    whole, alone = case.score(50), case.score(50, batch_tokens=1)
    assert torch.equal(whole.argmax, alone.argmax)
    assert (whole.sampled - alone.sampled).abs().max() < 1e-4


@pytest.mark.soak
def test_generated_samples_have_the_frequencies_of_the_closed_form() -> None:
    model, tokenizer = load_model(MODEL_FOLDER, "nf4", CPU), load_tokenizer(MODEL_FOLDER)
    random = Random(5)
    headlines = [generate_headline(random).text for _ in range(3)]
    case = Case(model, LoadedBase(MODEL_FOLDER, "nf4", CPU).score_with(None), tokenizer, headlines)
    expected = case.score(50).sampled
    texts = [outcome(tokenizer.decode([token])) for token in range(len(tokenizer))]
    torch.manual_seed(3)
    for column, temperature in enumerate(TEMPERATURES):
        samples = generate(case, do_sample=True, temperature=temperature, top_k=50, num_return_sequences=200)
        drawn = torch.tensor([texts[token] for token in samples.sequences[:, -1].tolist()]).view(len(headlines), 200)
        for row in range(len(headlines)):
            assert fits(torch.bincount(drawn[row], minlength=UNPARSED + 1).double(), expected[row, column])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spellings", "top_k", "top_p"), [("exact", None, None), ("any", 6, None), ("any", None, 0.8), ("exact", 9, 0.7)]
)
def test_generated_labels_of_several_tokens_have_the_frequencies_of_the_closed_form(
    make_tokenizer: Callable[..., Any], top_k: int | None, top_p: float | None, spellings: str
) -> None:
    tokenizer = make_tokenizer("undpxUND[]= \n", [(" ", "u"), (" u", "p"), (" ", "n"), ("u", "p")])
    words = {Label.NEGATIVE: "dn", Label.NEUTRAL: "nd", Label.POSITIVE: "up"}
    prompt = PromptSettings(instruction="x", label_words=words, spellings=spellings)
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(config).eval()
    answers, decoding = find_answers(model, tokenizer, prompt), Decoding(1.0, top_k, top_p)
    expected = score_headlines(
        model, tokenizer, answers, ["u", "pd n"], prompt, [decoding], batch_tokens=500, on_batch=lambda _: None
    ).sampled[:, 0]
    assert answers.leaves
    torch.manual_seed(4)
    for row, ids in enumerate(encode_prompts(["u", "pd n"], tokenizer, prompt)):
        inputs = torch.tensor([ids])
        samples = model.generate(
            input_ids=inputs,
            attention_mask=torch.ones_like(inputs),
            do_sample=True,
            top_k=top_k or 0,
            top_p=top_p or 1.0,
            max_new_tokens=3,
            num_return_sequences=3_000,
            pad_token_id=0,
        )[:, len(ids) :]
        counted = Counter(map(tuple, samples.tolist()))
        counts = torch.zeros(UNPARSED + 1, dtype=torch.float64)
        for sample, times in counted.items():
            counts[read(tokenizer, list(sample), prompt)] += times
        assert fits(counts, expected[row])


def read(tokenizer: Any, sample: list[int], prompt: PromptSettings) -> int:
    """The label of generated tokens: the one whose word the first token holds, else the one that they spell."""
    first, words = tokenizer.decode(sample[:1]), spell(prompt)
    held = [number for number, label in enumerate(LABELS) if any(word in first for word in words[label])]
    runs = {path: number for number, label in enumerate(LABELS) for path in answer_paths(tokenizer, prompt)[label]}
    spelt = [number for run, number in runs.items() if tuple(sample[: len(run)]) == run]
    return [*held, *spelt, UNPARSED][0]


def fits(counts: torch.Tensor, probabilities: torch.Tensor) -> bool:
    """Whether outcomes may be draws from the probabilities: chi-square at one in a thousand, nothing impossible."""
    expected = probabilities * counts.sum()
    if counts[expected < 1e-6].any():
        return False
    # Chi-square needs about five outcomes in each cell: rarer ones are counted together.
    cells = torch.where(expected < 5, len(expected), torch.arange(len(expected)))
    pooled = [torch.zeros(len(expected) + 1, dtype=torch.float64).index_add_(0, cells, it) for it in (counts, expected)]
    observed, expected = (it[pooled[1] > 0] for it in pooled)
    return len(observed) == 1 or bool(chisquare(observed.numpy(), expected.numpy(), sum_check=False).pvalue > 1e-3)
