"""Llama 2 7B's shape on one GPU, compared with the usual tools: `python -m benchmarks.gpu --output FOLDER`.

The model has random weights and the configuration that Meta published; headlines are tokenised by the tokenizer of
`--model`, which should be Llama 2's. Every figure is printed as soon as it is known, and `gpu.json` in the output
folder is rewritten each time, so a run that is cut off loses nothing. `--only` names the parts to measure:

- `training`: fintone, `SFTTrainer` at its best micro-batch, and `SFTTrainer` with its own packing, on the same rows
  with the same loss, LoRA of rank 64 without dropout; examples a second.
- `side-by-side`: three learning rates in one pass over the base, compared with one after the other.
- `scoring`: the test part at three temperatures, compared with `generate` once a temperature.
- `memory`: the peak of training with a base that stays in 4 bits, as when memory is short.
- `study`: `fintone run` with the profile `paper` and a constant schedule, from start to exit.
- `cosine`: the same with the study's own schedule.
- `real`: the study of `benchmarks/financial-phrasebank.yaml`, in the folder `--real` with its data and its models.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import PrinterCallback
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from benchmarks.gpu_results import Results
from benchmarks.gpu_studies import measure_paper, measure_real
from benchmarks.hardware import count_training_flops, count_weights, measure_matmul_rate, write_large_model
from benchmarks.headlines import load_parts
from benchmarks.scoring import TEMPERATURES, TOP_K, Subject, build_generate
from benchmarks.training import StepClock, rate_of
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import choose_device, peak_memory_bytes, start_peak_memory
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.decoding import Decoding
from learning.prompt.encoding import EncodedExample, common_prefix_length, encode_examples, encode_prompts
from learning.scoring.scoring import find_token_budget, score_headlines
from learning.training.arguments import build_arguments, encode_rows
from learning.training.cell import train_adapters
from learning.training.recipe import Recipe, TrainingOutcome
from learning.training.run import Training
from learning.training.schedule import lay_out_steps
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

PROMPT = PromptSettings()
LORA = LoraSettings(r=64, alpha=16, dropout=0.0)
RATES = (2e-6, 2e-4, 2e-2)
LOSSES, BATCHES = ("completion", "whole-text"), (8, 16)
PLAIN_STEPS = 10
"""Steps of `SFTTrainer` at each micro-batch; the first two are not counted."""
GENERATED = 300
"""Headlines that `generate` is timed on, at the best of its batch sizes."""
GENERATE_SIZES = (32, 64, 128)
PARTS = ("training", "side-by-side", "scoring", "memory", "study", "cosine", "real")
ADAMW_STATE, ADAMW_BYTES = "AdamW's state of an adapter, GB", 8
"""Two moments in float32."""
SHORT_MEMORY = 9e9
"""Bytes of GPU memory that the process may take in the part `memory`."""


@dataclass(frozen=True)
class Rows:
    """Labelled headlines, and their tokens."""

    headlines: list[str]
    labels: list[Label]
    examples: list[EncodedExample]

    @property
    def tokens(self) -> float:
        """The mean number of tokens in an example."""
        return statistics.mean(len(example.input_ids) for example in self.examples)

    def packed_tokens(self, batch_size: int) -> float:
        """The mean number of tokens that a pack of `batch_size` examples computes for each example."""
        prefix = common_prefix_length([example.input_ids for example in self.examples])
        return self.tokens - prefix + prefix / batch_size


def build_recipe(loss: str, batch_size: int, *, rate: float = 2e-4, epochs: int = 1, **settings: Any) -> Recipe:
    """The recipe by which all sides train."""
    steps = {"learning_rate": rate, "epochs": epochs, "schedule": "constant", "batch_size": batch_size}
    training = TrainingSettings.model_validate({"loss": loss, **steps, "checkpoint_minutes": 60, **settings})
    return Recipe(PROMPT, LORA, training)


def train(base: LoadedBase, rows: Rows, recipes: Sequence[Recipe]) -> tuple[list[TrainingOutcome], list[float]]:
    """Train with fintone; returns the outcomes, and when each step of the first training ended."""
    ends: list[float] = []
    with TemporaryDirectory() as folder:
        trainings = [
            Training(
                recipe,
                Path(folder) / str(number),
                on_step=(lambda _: None) if number else (lambda _: ends.append(time.perf_counter())),
            )
            for number, recipe in enumerate(recipes)
        ]
        outcomes = train_adapters(base, rows.headlines, rows.labels, trainings, notify=print)
    release()
    return outcomes, ends


def measure_training(results: Results, base: LoadedBase, quantised: Any, rows: Rows) -> None:
    """Measure all three sides, for each loss and batch size."""
    for loss in LOSSES:
        for batch_size in BATCHES:
            name = f"{loss}, batches of {batch_size}"
            [outcome], ends = train(base, rows, [build_recipe(loss, batch_size)])
            results.add(f"fintone, {name}, examples/s", rate_of(ends, batch_size))
            results.add(f"fintone, {name}, peak memory, GB", outcome.peak_memory_bytes / 1e9)
            whole_text = loss == "whole-text"
            needed = count_training_flops(base.model, rows.examples, batch_size, LORA.r, whole_text=whole_text)
            flops = needed * results[f"fintone, {name}, examples/s"]
            results.add(f"fintone, {name}, share of matrix multiply", flops / results["matrix multiply, FLOP/s"])
            for kind, packing in (("SFTTrainer", False), ("SFTTrainer, packing", True)):
                best, size = measure_plain(quantised, rows, build_recipe(loss, batch_size), packing=packing)
                if not size:
                    continue  # not even the smallest fits
                results.add(f"{kind}, {name}, examples/s", best)
                results.add(f"{kind}, {name}, micro-batch", size)
                results.compare(
                    f"fintone/{kind}, {name}", f"fintone, {name}, examples/s", f"{kind}, {name}, examples/s"
                )


def measure_plain(model: Any, rows: Rows, recipe: Recipe, *, packing: bool) -> tuple[float, int]:
    """Examples a second of `SFTTrainer` at its best micro-batch, and that micro-batch.

    With packing, a row holds on average as many examples as an effective batch, and a step takes one row.
    """
    batch_size, best = recipe.training.batch_size, (0.0, 0)
    sizes = (batch_size,) if packing else (batch_size, batch_size // 2, batch_size // 4)
    wanted = min(PLAIN_STEPS * batch_size * (2 if packing else 1), len(rows.examples))
    examples = Random(7).sample(rows.examples, wanted)
    encoded = encode_rows(examples, whole_text=recipe.training.loss == "whole-text")
    for size in sizes:
        try:
            rate = time_plain(model, encoded, rows.tokens, recipe, size, packing=packing)
        except torch.OutOfMemoryError:
            continue
        finally:
            release()
        if rate > best[0]:
            best = (rate, size)
        else:
            break
    return best


def time_plain(model: Any, encoded: list[Any], tokens: float, recipe: Recipe, size: int, *, packing: bool) -> float:
    """Examples a second of `SFTTrainer` at one micro-batch."""
    for module in (model, model.base_model.model):  # an earlier trainer left its own there
        vars(module).pop("forward", None)
    with TemporaryDirectory() as scratch, quiet_libraries():
        schedule = lay_out_steps(len(encoded), recipe.training.model_copy(update={"epochs": 1}))
        device = replace(choose_device(), optimizer="adamw_torch_fused")
        arguments = build_arguments(recipe, schedule, device, size, Path(scratch), checkpointing=False)
        if packing:
            arguments.packing, arguments.max_length = True, round(size * tokens)
            arguments.per_device_train_batch_size = arguments.gradient_accumulation_steps = 1
            arguments.dataset_kwargs = None
        trainer = SFTTrainer(
            model,
            args=arguments,
            train_dataset=datasets.Dataset.from_list(encoded),
            data_collator=None if packing else DataCollatorForLanguageModeling(pad_token_id=0),
            processing_class=load_tokenizer(Path(model.name_or_path)),
        )
        clock = StepClock()
        trainer.add_callback(clock)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    examples = len(encoded) / len(trainer.train_dataset) if packing else recipe.training.batch_size
    return rate_of(clock.ends, 1, parts=1) * examples


def measure_side_by_side(results: Results, base: LoadedBase, rows: Rows) -> None:
    """Three learning rates with the study's loss and batch size: the time from start to end, and the rate of steps."""
    recipes = [build_recipe("whole-text", 8, rate=rate, side_by_side=len(RATES)) for rate in RATES]
    outcomes, ends = train(base, rows, recipes)
    together, rate_together = max(outcome.seconds for outcome in outcomes), len(recipes) * rate_of(ends, 8)
    singles = []
    for recipe in recipes:
        base.kept = None  # as for the three together: their pass is recorded too
        singles.append(train(base, rows, [recipe]))
    apart = sum(outcome.seconds for [outcome], _ in singles)
    rate_alone = statistics.median(rate_of(ends, 8) for _, ends in singles)
    results.add("three learning rates side by side, s", together)
    results.add("three learning rates one after the other, s", apart)
    results.add("side by side/one after the other", apart / together, kind="ratios")
    results.add("three learning rates side by side, examples/s", rate_together)
    results.add("one learning rate, examples/s", rate_alone)
    results.add("side by side/one after the other, steps alone", rate_together / rate_alone, kind="ratios")


def measure_scoring(results: Results, base: LoadedBase, quantised: Any, test: Rows, scratch: Path) -> None:
    """The test part at three temperatures, with an adapter; the models are loaded before the clock starts."""
    with TemporaryDirectory(dir=scratch) as folder:
        adapter = Path(folder) / "adapter"
        drawn = base.copy_new(LORA, 42)
        for name, weight in drawn.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.005)
        drawn.save_pretrained(str(adapter))
        (adapter / "README.md").unlink()
        del drawn
        model = base.score_with(adapter)
    answers, budget = base.answers(PROMPT), find_token_budget(model, base.device)
    decodings = [Decoding(temperature, TOP_K, None) for temperature in TEMPERATURES]

    def fintone(headlines: Sequence[str]) -> object:
        return score_headlines(
            model,
            base.tokenizer,
            answers,
            headlines,
            PROMPT,
            decodings,
            batch_tokens=budget,
            on_batch=lambda _: None,
        )

    subject = Subject(Path(), Path(), base.device, base.tokenizer, quantised, test.headlines)
    quantised.eval()
    rate = len(test.headlines) / time_median(lambda: fintone(test.headlines))
    results.add("scoring, fintone, headlines/s", rate)
    prompts = encode_prompts(test.headlines, base.tokenizer, PROMPT)
    prefix = common_prefix_length(prompts)
    flops = 2 * count_weights(base.model) * statistics.mean(len(ids) - prefix for ids in prompts) * rate
    results.add("scoring, fintone, share of matrix multiply", flops / results["matrix multiply, FLOP/s"])
    sample, rates = Random(3).sample(test.headlines, min(GENERATED, len(test.headlines))), {}
    for size in GENERATE_SIZES:
        rates[size] = len(sample) / time_median(partial(build_generate(subject, size), sample), runs=2)
    results.add("scoring, generate, headlines/s", max(rates.values()))
    results.add("scoring, generate, batch", max(rates, key=lambda size: rates[size]))
    results.compare("fintone/generate, scoring", "scoring, fintone, headlines/s", "scoring, generate, headlines/s")
    base.release()


def time_median(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds that a call of `work` takes: the median of several runs after one that is not counted."""
    seconds = []
    with torch.inference_mode():
        for _ in range(runs + 1):
            torch.cuda.synchronize()
            start = time.perf_counter()
            work()
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def measure_memory(results: Results, folder: Path, rows: Rows) -> None:
    """The peak memory of a training whose base stays in 4 bits, in a process limited to `SHORT_MEMORY`.

    The state of the paged optimiser is not included: torch does not count what may leave the card.
    """
    ends: list[float] = []
    with memory_of(SHORT_MEMORY), TemporaryDirectory() as scratch:
        base = LoadedBase(folder, "nf4", choose_device())
        training = Training(
            build_recipe("whole-text", 16),
            Path(scratch) / "adapter",
            on_step=lambda _: ends.append(time.perf_counter()),
        )
        [outcome] = train_adapters(base, rows.headlines[:96], rows.labels[:96], [training], notify=print)
    results.add("4 bits kept, whole-text, batches of 16, peak memory of torch, GB", outcome.peak_memory_bytes / 1e9)
    results.add("4 bits kept, whole-text, batches of 16, examples/s", rate_of(ends, 16, parts=1))
    results.add("4 bits kept, whole weights", float(base.is_whole))


@contextmanager
def memory_of(size: float) -> Iterator[None]:
    """Limit this process to `size` bytes of the GPU's memory in the block."""
    release()
    torch.cuda.set_per_process_memory_fraction(size / torch.cuda.mem_get_info()[1])
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def release() -> None:
    """Free the memory that is no longer referenced."""
    gc.collect()
    torch.cuda.empty_cache()


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of gpu.json")
    parser.add_argument("--data", default="embedded", help="labelled headlines, split as the profile `paper` does")
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="folder of the tokenizer")
    parser.add_argument("--scratch", type=Path, help="folder with room for the model, which is kept there")
    parser.add_argument("--real", type=Path, help="folder with the data and the models of the real study")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:-2], help="what is measured")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        scratch = arguments.scratch or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        measure(arguments, scratch)


def measure(arguments: argparse.Namespace, scratch: Path) -> None:
    """Measure the requested parts."""
    device, wanted = choose_device(), set(arguments.only)
    results = Results(arguments.output, model="Llama 2 7B's shape, random weights", data=Path(arguments.data).name)
    results.add("matrix multiply, FLOP/s", measure_matmul_rate(device))
    folder = scratch / "llama-2-7b-shape"
    if not folder.exists():
        start = time.perf_counter()
        write_large_model(folder, arguments.model)
        results.add("writing the model, s", time.perf_counter() - start)
        release()
    loaded = load_parts(arguments.data)
    rows = {name: Rows(*part, encode_examples(*part, load_tokenizer(folder), PROMPT)) for name, part in loaded.items()}
    results.add("tokens an example", rows["train"].tokens)
    results.add("tokens an example in packs of 8", rows["train"].packed_tokens(8))
    if wanted & {"training", "side-by-side", "scoring"}:
        start_peak_memory(device)
        start = time.perf_counter()
        base = LoadedBase(folder, "nf4", device)
        results.add("loading the base, s", time.perf_counter() - start)
        results.add("loading the base, peak memory, GB", peak_memory_bytes(device) / 1e9)
        results.add(ADAMW_STATE, ADAMW_BYTES * count_weights(base.model, LORA.r) / 1e9)
        quantised = attach_new_adapter(load_model(folder, "nf4", device), LORA.r, LORA.alpha, LORA.dropout, seed=42)
        if "training" in wanted:
            measure_training(results, base, quantised, rows["train"])
        if "scoring" in wanted:
            measure_scoring(results, base, quantised, rows["test"], scratch)
        del quantised
        release()
        if "side-by-side" in wanted:
            measure_side_by_side(results, base, rows["train"])
        del base
        release()
    if "memory" in wanted:
        measure_memory(results, folder, rows["train"])
    release()
    for part, schedule in (("study", "constant"), ("cosine", "cosine")):
        if part in wanted:
            measure_paper(results, folder, arguments.data, scratch, schedule)
    if "real" in wanted:
        measure_real(results, arguments.real, scratch)


if __name__ == "__main__":
    main()
