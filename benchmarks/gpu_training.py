"""Training on a GPU, by fintone and by trl; run by `python -m benchmarks.gpu`."""

import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from benchmarks.gpu_results import Results
from benchmarks.hardware import count_training_flops
from benchmarks.training import LORA, LOSSES, PROMPT, rate_of, time_steps
from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device, choose_device, is_out_of_memory
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import EncodedExample, common_prefix_length
from learning.training.arguments import build_arguments, encode_rows
from learning.training.cell import train_adapters
from learning.training.recipe import Recipe, Training, TrainingOutcome
from learning.training.schedule import lay_out_steps
from schemas.cell import TrainingSettings
from schemas.label import Label

RATES = (2e-6, 2e-5, 2e-4)
"""Learning rates of trainings side by side: none explodes, so all take every step."""
BATCHES = (8, 16)
PLAIN_STEPS = 10
"""Steps of `SFTTrainer` at each micro-batch; the first two are not counted."""


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


def build_recipe(loss: str, batch_size: int, *, rate: float = 2e-4, **settings: Any) -> Recipe:
    """The recipe by which all sides train."""
    steps = {"learning_rate": rate, "epochs": 1, "schedule": "constant", "batch_size": batch_size}
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


def measure_training(results: Results, base: LoadedBase, folder: Path, rows: Rows) -> None:
    """Measure all three sides, for each loss and batch size."""
    before = torch.cuda.memory_allocated()
    quantised = load_quantised(folder, base.device)
    for weight in quantised.parameters():
        if weight.requires_grad:
            weight.data = weight.to(base.device.dtype)  # as the first `SFTTrainer` does, and it stays so
    beside = torch.cuda.memory_allocated() - before
    for loss in LOSSES:
        for batch_size in BATCHES:
            name = f"{loss}, batches of {batch_size}"
            [outcome], ends = train(base, rows, [build_recipe(loss, batch_size)])
            results.add(f"fintone, {name}, examples/s", rate_of(ends, batch_size))
            results.add(f"fintone, {name}, peak memory, GB", (outcome.peak_memory_bytes - beside) / 1e9)
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


def load_quantised(folder: Path, device: Device) -> Any:
    """The model in 4 bits with a new adapter, as other tools train and score it."""
    return attach_new_adapter(load_model(folder, "nf4", device), LORA.r, LORA.alpha, LORA.dropout, seed=42)


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
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
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
    for module, left in product((model, model.base_model.model), ("forward", "_is_accelerate_prepared")):
        vars(module).pop(left, None)  # an earlier trainer left it, and without it this one sets up autocast again
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
        ends = time_steps(trainer)
    examples = len(encoded) / len(trainer.train_dataset) if packing else recipe.training.batch_size
    return rate_of(ends, 1) * examples


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


def release() -> None:
    """Free the memory that is no longer referenced."""
    gc.collect()
    torch.cuda.empty_cache()
