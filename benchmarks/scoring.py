"""Scoring a test part at three temperatures, compared with the usual tools: `python -m benchmarks.scoring`.

A quantised base with a random LoRA adapter answers the same headlines for every side:

- `fintone`: `learning.scoring.scoring`, one pass a headline for all temperatures;
- `pipeline`: a text-generation pipeline built and called once a headline and temperature, as the notebook does;
- `generate`: left-padded batches, once a temperature, at the batch size that is fastest here;
- `loglikelihood`: the log-probability of each of the three labels, each a separate request, in batches, as
  evaluation harnesses do it; one job for all temperatures;
- `vllm`, if a CUDA device and vLLM are present: once a temperature.

All except fintone are timed on a random sample of the headlines, since the whole would take minutes; rates are
headlines a second with all temperatures counted as one job. Models are loaded before the clock starts. On a CUDA
device the default model has the shape of Llama 2 7B and random weights.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.arguments import learning_parser
from benchmarks.hardware import count_weights, measure_matmul_rate, write_large_model
from benchmarks.headlines import load_parts
from benchmarks.machine import print_figures, write_results
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter, attach_saved_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device, choose_device, is_out_of_memory, peak_memory_bytes, start_peak_memory
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.models.saving import save_fine_tune
from learning.prompt.decoding import Decoding, find_answers
from learning.prompt.encoding import common_prefix_length, encode_examples, encode_prompts
from learning.prompt.template import scoring_text
from learning.scoring.scoring import find_token_budget, score_headlines
from learning.study.unparsed import UNPARSED
from schemas.cell import PromptSettings
from schemas.label import LABELS

TEMPERATURES = (0.1, 1.0, 10.0)
TOP_K = 50
RUNS = 3
BATCH_SIZES = (1, 4, 8, 16, 32, 64)
PROMPT = PromptSettings()
HOTTEST = 2.0
"""vLLM refuses a higher temperature; the cost of a pass does not depend on it."""
SAMPLES = {"pipeline": 30, "generate": 150, "loglikelihood": 60, "vllm": 900}
"""Headlines in a timed run of each side; a quarter of them are used to find the best batch size."""


@dataclass(frozen=True)
class Subject:
    """The models and headlines that all sides use."""

    folder: Path
    adapter: Path
    device: Device
    tokenizer: Any
    trained: Any
    """The quantised base with its adapter, as it was trained."""
    headlines: list[str]

    def encode(self, headlines: Sequence[str]) -> list[tuple[int, ...]]:
        """The prompts as tokens."""
        return encode_prompts(headlines, self.tokenizer, PROMPT)


Side = Callable[[Sequence[str]], object]
"""Scores headlines at all temperatures."""


def build_fintone(subject: Subject) -> Callable[[Sequence[str]], Any]:
    """Scoring as fintone does it, including the search for the answers' tokens in the vocabulary."""
    model = LoadedBase(subject.folder, "nf4", subject.device).score_with(FineTune(subject.adapter))
    decodings = [Decoding(temperature, TOP_K, None) for temperature in TEMPERATURES]
    budget = find_token_budget(model, subject.device)

    def score(headlines: Sequence[str], batch_tokens: int = budget) -> Any:
        answers = find_answers(model, subject.tokenizer, PROMPT)
        return score_headlines(
            model,
            subject.tokenizer,
            answers,
            headlines,
            PROMPT,
            decodings,
            batch_tokens=batch_tokens,
            on_batch=lambda _: None,
        )

    return score


def build_pipeline(subject: Subject) -> Side:
    """A new pipeline for each headline and temperature, as in the notebook."""
    from transformers import pipeline

    def score(headlines: Sequence[str]) -> list[str]:
        generated = []
        for temperature in TEMPERATURES:
            for headline in headlines:
                call = pipeline("text-generation", model=subject.trained, tokenizer=subject.tokenizer)
                [output] = call(
                    scoring_text(headline, PROMPT),
                    max_new_tokens=1,
                    do_sample=True,
                    temperature=temperature,
                    top_k=TOP_K,
                )
                generated.append(output["generated_text"].split("=")[-1])
        return generated

    return score


def build_generate(subject: Subject, batch_size: int) -> Side:
    """Left-padded batches, shortest first, sampled once a temperature."""

    def score(headlines: Sequence[str]) -> list[int]:
        prompts = sorted(subject.encode(headlines), key=len)
        sampled: list[int] = []
        for temperature in TEMPERATURES:
            for start in range(0, len(prompts), batch_size):
                ids, mask = _pad_left(prompts[start : start + batch_size], subject.device)
                tokens = subject.trained.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    max_new_tokens=1,
                    do_sample=True,
                    temperature=temperature,
                    top_k=TOP_K,
                    pad_token_id=0,
                )
                sampled += tokens[:, -1].tolist()
        return sampled

    return score


def build_loglikelihood(subject: Subject, batch_size: int) -> Side:
    """Three requests a headline, longest first; each is the prompt followed by a label."""

    @torch.inference_mode()
    def score(headlines: Sequence[str]) -> list[float]:
        requests = [
            (example.input_ids, example.answer_start)
            for label in LABELS
            for example in encode_examples(headlines, [label] * len(headlines), subject.tokenizer, PROMPT)
        ]
        requests.sort(key=lambda request: -len(request[0]))
        likelihoods = []
        for start in range(0, len(requests), batch_size):
            batch = requests[start : start + batch_size]
            longest = len(batch[0][0])
            padded = torch.tensor([list(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
            logits = subject.trained(input_ids=padded.to(subject.device.name)).logits.log_softmax(dim=-1)
            for row, (ids, answer) in enumerate(batch):
                wanted = torch.tensor(ids[answer:], device=logits.device)
                likelihoods.append(logits[row, answer - 1 : len(ids) - 1].gather(-1, wanted[:, None]).sum().item())
        return likelihoods

    return score


def build_vllm(subject: Subject) -> Side | None:
    """Generate with vLLM and the adapter, once a temperature; None if vLLM or a CUDA device is absent."""
    if subject.device.name != "cuda" or not find_spec("vllm"):
        return None
    vllm, lora = import_module("vllm"), import_module("vllm.lora.request")
    engine = vllm.LLM(
        model=str(subject.folder),
        quantization="bitsandbytes",
        enable_lora=True,
        max_lora_rank=64,
        enable_prefix_caching=True,
        gpu_memory_utilization=0.5,
    )
    adapter = lora.LoRARequest("adapter", 1, str(subject.adapter))

    def score(headlines: Sequence[str]) -> object:
        prompts = [{"prompt_token_ids": list(ids)} for ids in subject.encode(headlines)]
        answers = []
        for temperature in TEMPERATURES:
            sampling = vllm.SamplingParams(temperature=min(temperature, HOTTEST), top_k=TOP_K, max_tokens=1)
            answers.append(engine.generate(prompts, sampling, lora_request=adapter))
        return answers

    return score


def measure_rate(side: Side, headlines: Sequence[str], sample: int, runs: int = RUNS) -> float:
    """Headlines a second: the median of several runs after a short one, each on headlines drawn again."""
    sample = min(sample, len(headlines))
    side(headlines[:2])
    rates = []
    for run in range(runs):
        drawn = Random(run).sample(list(headlines), sample)
        start = time.perf_counter()
        side(drawn)
        rates.append(sample / (time.perf_counter() - start))
    return statistics.median(rates)


def measure_best_rate(build: Callable[[Subject, int], Side], subject: Subject, sample: int) -> tuple[float, int]:
    """The rate at the fastest batch size, and that size; sizes are tried until one is slower by a fifth."""
    best_rate, best_size = 0.0, 0
    for batch_size in BATCH_SIZES:
        try:
            rate = measure_rate(build(subject, batch_size), subject.headlines, sample // 4, runs=1)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            break
        if rate < 0.8 * best_rate:
            break
        if rate > best_rate:
            best_rate, best_size = rate, batch_size
    return measure_rate(build(subject, best_size), subject.headlines, sample), best_size


def count_flops(subject: Subject) -> float:
    """The fewest FLOPs for scoring: two for each weight of a linear layer and token, the head only for last tokens."""
    prompts = subject.encode(subject.headlines)
    prefix = common_prefix_length(prompts)
    tokens = prefix + sum(len(ids) - prefix for ids in prompts)
    model = load_model(subject.folder, "none", Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1))
    head = model.get_output_embeddings()
    return float(2 * (count_weights(model) * tokens + head.in_features * head.out_features * len(prompts)))


def compare_answers(subject: Subject, fintone: Callable[..., Any]) -> dict[str, float]:
    """On how many headlines greedy generation agrees with fintone's arg-max, and how batch shapes change answers."""
    scored = fintone(subject.headlines)
    alone = fintone(subject.headlines, batch_tokens=1)
    expected: list[int] = []
    for start in range(0, len(subject.headlines), 16):
        ids, mask = _pad_left(subject.encode(subject.headlines[start : start + 16]), subject.device)
        tokens = subject.trained.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=1, do_sample=False, pad_token_id=0
        )
        texts = [subject.tokenizer.decode([token]) for token in tokens[:, -1].tolist()]
        expected += [next((n for n, label in enumerate(LABELS) if label.value in text), UNPARSED) for text in texts]
    return {
        "headlines": len(subject.headlines),
        "headlines with the arg-max of greedy generation": sum(
            one == other for one, other in zip(scored.argmax.tolist(), expected, strict=True)
        ),
        "headlines with another arg-max alone than in a batch": int((scored.argmax != alone.argmax).sum()),
        "largest change of a probability between batch shapes, 1e-6": float(
            (scored.sampled - alone.sampled).abs().max() * 1e6
        ),
    }


def _pad_left(prompts: Sequence[Sequence[int]], device: Device) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids.to(device.name), mask.to(device.name)


def prepare(folder: Path, headlines: list[str], device: Device, scratch: Path) -> Subject:
    """Draw a random adapter of rank 64 on the base, not at zero, and load both as for training."""
    adapter = scratch / "adapter"
    drawn = attach_new_adapter(load_model(folder, "nf4", device), r=64, alpha=16, dropout=0.1, seed=42)
    for name, weight in drawn.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.005)
    save_fine_tune(drawn, adapter)
    del drawn
    trained = attach_saved_adapter(load_model(folder, "nf4", device), adapter)
    return Subject(folder, adapter, device, load_tokenizer(folder), trained, headlines)


def measure(subject: Subject) -> tuple[dict[str, float], dict[str, float]]:
    """Every side's rate, printed as it is measured, and the ratio of fintone's rate to each of the others."""
    start_peak_memory(subject.device)
    fintone = build_fintone(subject)
    rates = {"fintone": measure_rate(fintone, subject.headlines, len(subject.headlines))}
    peak = peak_memory_bytes(subject.device)
    _print_rate("fintone", rates["fintone"])
    rates["pipeline"] = measure_rate(build_pipeline(subject), subject.headlines, SAMPLES["pipeline"])
    _print_rate("pipeline, a headline and temperature a call", rates["pipeline"])
    for name, build in (("generate", build_generate), ("loglikelihood", build_loglikelihood)):
        rates[name], batch_size = measure_best_rate(build, subject, SAMPLES[name])
        _print_rate(f"{name}, batches of {batch_size}", rates[name])
    vllm = build_vllm(subject)
    if vllm:
        rates["vllm"] = measure_rate(vllm, subject.headlines, SAMPLES["vllm"])
        _print_rate("vllm", rates["vllm"])
    matmul = measure_matmul_rate(subject.device)
    reached = count_flops(subject) * rates["fintone"] / len(subject.headlines)
    figures = {f"{name}, headlines/s": rate for name, rate in rates.items()}
    figures["matrix multiply, GFLOP/s"] = matmul / 1e9
    figures["fintone, GFLOP/s"] = reached / 1e9
    figures["fintone, share of matrix multiply"] = reached / matmul
    figures["fintone, peak memory, GB"] = peak / 1e9
    figures |= compare_answers(subject, fintone)
    return figures, {f"fintone/{name}": rates["fintone"] / rate for name, rate in rates.items() if name != "fintone"}


def _print_rate(name: str, rate: float) -> None:
    print(f"{name:60} {rate:9.2f} headlines/s", flush=True)


def main() -> None:
    """Measure all sides, print a table and write the results."""
    arguments = learning_parser(__doc__).parse_args()
    device = choose_device()
    headlines, _ = load_parts(arguments.data)["test"]
    with TemporaryDirectory() as scratch, quiet_libraries():
        folder = arguments.model or MODEL_FOLDER
        if device.name == "cuda":
            folder = write_large_model(Path(scratch) / "large", folder)
        subject = prepare(folder, headlines, device, Path(scratch))
        figures, ratios = measure(subject)
    print_figures(figures, ratios)
    model = "Llama 2 7B's shape, random weights" if device.name == "cuda" else folder.resolve().name
    write_results("scoring", figures, ratios, model=model, data=Path(arguments.data).name)


if __name__ == "__main__":
    main()
