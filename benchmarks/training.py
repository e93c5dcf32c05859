"""Training an adapter, compared with trl's `SFTTrainer` on the same rows: `python -m benchmarks.training`.

Both train a LoRA adapter of rank 64 on all linear layers of the NF4-quantised base, with the same loss, batches and
arguments, without dropout. `fintone` is `learning.training.cell`, over all rows. `SFTTrainer` is timed on a random
sample of them at its fastest micro-batch, once as it is (trl rounds the adapter of a quantised model to bfloat16,
whatever precision is requested) and once with its adapter converted back to float32, fintone's precision. The gradients
of the latter are compared with fintone's. The first steps of each side are not counted. On a CUDA device the default
model has the shape of Llama 2 7B and random weights, and batches have 16 rows.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import PrinterCallback, TrainerCallback
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from benchmarks.arguments import learning_parser
from benchmarks.hardware import count_training_flops, measure_matmul_rate, write_large_model
from benchmarks.headlines import load_parts
from benchmarks.machine import print_figures, write_results
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter
from learning.models.base_model import load_model, load_tokenizer
from learning.models.device import Device, choose_device, is_out_of_memory, peak_memory_bytes, start_peak_memory
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import EncodedExample, common_prefix_length, encode_examples
from learning.training.arguments import build_arguments, encode_rows
from learning.training.cell import train_adapters
from learning.training.recipe import Recipe, Training, TrainingStep
from learning.training.schedule import lay_out_steps
from learning.training.trainer import PrefixCollator, PrefixTrainer
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

LOSSES = ("completion", "whole-text")
LORA = LoraSettings(r=64, alpha=16, dropout=0.0)
PROMPT = PromptSettings()
WARM_UP = 2
"""Steps of a side that are not counted."""
TRIED, TIMED = 2, 6
"""Timed steps: to find the best micro-batch, and to measure it."""
BATCHES = {"cpu": 8, "cuda": 16}


@dataclass(frozen=True)
class Subject:
    """The base and the examples that both sides train on."""

    folder: Path
    device: Device
    headlines: list[str]
    labels: list[Label]
    examples: list[EncodedExample]
    batch_size: int
    lora: LoraSettings = LORA

    @property
    def tokens(self) -> float:
        """The mean number of tokens in an example."""
        return statistics.mean(len(example.input_ids) for example in self.examples)

    def recipe(self, loss: str) -> Recipe:
        """The recipe by which both sides train."""
        size = self.batch_size
        settings = TrainingSettings(loss=loss, schedule="constant", batch_size=size, learning_rate=1e-4, epochs=1)
        return Recipe(PROMPT, self.lora, settings)


class StepClock(TrainerCallback):  # type: ignore[misc]
    """Notes when each step ends."""

    def __init__(self) -> None:
        """Start without any step."""
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the moment."""
        self.ends.append(time.perf_counter())


def time_steps(trainer: Any) -> list[float]:
    """Train with a trainer of transformers, and return when each step ended, in seconds."""
    clock = StepClock()
    trainer.add_callback(clock)
    trainer.remove_callback(PrinterCallback)
    with quiet_libraries():
        trainer.train()
    return clock.ends


def rate_of(ends: Sequence[float], batch_size: int, parts: int = 3) -> float:
    """Examples a second: the median over thirds of the steps after the first ones."""
    counted = ends[WARM_UP - 1 :]
    size = max((len(counted) - 1) // parts, 1)
    spans = [(counted[at], counted[at + size]) for at in range(0, len(counted) - size, size)]
    return statistics.median(size * batch_size / (end - start) for start, end in spans)


def measure_fintone(subject: Subject, loss: str, scratch: Path) -> tuple[float, int]:
    """Examples a second of fintone over all rows, and its peak memory in bytes."""
    base = LoadedBase(subject.folder, "nf4", subject.device)
    ends: list[float] = []

    def note(_: TrainingStep) -> None:
        ends.append(time.perf_counter())

    training = Training(subject.recipe(loss), scratch / "adapter", on_step=note)
    [outcome] = train_adapters(base, subject.headlines, subject.labels, [training])
    return rate_of(ends, subject.batch_size), outcome.peak_memory_bytes


def build_trainer(
    kind: Any, subject: Subject, loss: str, micro_batch_size: int, steps: int, scratch: Path, *, in_float32: bool
) -> Any:
    """A trainer of trl or of fintone, on rows drawn at random."""
    wanted = min(steps * subject.batch_size, len(subject.examples))
    examples = Random(7).sample(subject.examples, wanted)
    device, recipe = subject.device, subject.recipe(loss)
    lora = subject.lora
    model = attach_new_adapter(load_model(subject.folder, "nf4", device), lora.r, lora.alpha, lora.dropout, seed=42)
    for name, weight in model.named_parameters():
        if "lora_B" in name:  # at zero, half of the gradients would be zero
            torch.nn.init.normal_(weight, std=0.005, generator=torch.Generator(weight.device).manual_seed(len(name)))
    in_full = {name: weight.data for name, weight in model.named_parameters() if weight.requires_grad}
    collator = DataCollatorForLanguageModeling(pad_token_id=0)
    if kind is PrefixTrainer:
        prefix = common_prefix_length([example.input_ids for example in examples])
        collator = PrefixCollator(prefix, device.dtype)
    with quiet_libraries():
        trainer = kind(
            model,
            args=build_arguments(
                recipe,
                lay_out_steps(wanted, recipe.training),
                device,
                micro_batch_size,
                scratch / "trainer",
                checkpointing=False,
            ),
            train_dataset=datasets.Dataset.from_list(encode_rows(examples, whole_text=loss == "whole-text")),
            data_collator=collator,
            processing_class=load_tokenizer(subject.folder),
        )
    if in_float32:
        for name, weight in model.named_parameters():
            if name in in_full:
                weight.data = in_full[name]
    return trainer


def measure_plain(subject: Subject, loss: str, scratch: Path, *, in_float32: bool) -> tuple[float, int, int]:
    """Examples a second of `SFTTrainer` at its best micro-batch, that micro-batch, and the peak memory in bytes.

    Micro-batches are tried from one example upwards, until one is slower by a fifth.
    """

    def measure(micro_batch_size: int, steps: int) -> tuple[float, int]:
        start_peak_memory(subject.device)
        trainer = build_trainer(
            SFTTrainer, subject, loss, micro_batch_size, steps + WARM_UP, scratch, in_float32=in_float32
        )
        return rate_of(time_steps(trainer), subject.batch_size), peak_memory_bytes(subject.device)

    best_rate, best_size, size = 0.0, 1, 1
    while size <= subject.batch_size:
        try:
            rate, _ = measure(size, TRIED)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            break
        if rate < 0.8 * best_rate:
            break
        if rate > best_rate:
            best_rate, best_size = rate, size
        size *= 2
    rate, peak = measure(best_size, TIMED)
    return rate, best_size, peak


def compare_gradients(subject: Subject, loss: str, scratch: Path) -> float:
    """The largest relative difference between an adapter weight's gradient and that of trl in float32, on one batch."""
    gradients = []
    for kind in (SFTTrainer, PrefixTrainer):
        trainer = build_trainer(kind, subject, loss, subject.batch_size, 1, scratch, in_float32=True)
        rows = [trainer.train_dataset[number] for number in range(subject.batch_size)]
        batch = {name: tensor.to(subject.device.name) for name, tensor in trainer.data_collator(rows).items()}
        counted = torch.tensor(
            sum(label >= 0 for row in rows for label in row["labels"][1:]), device=subject.device.name
        )
        trainer.model.train()
        trainer.compute_loss(trainer.model, batch, num_items_in_batch=counted).backward()
        named = trainer.model.named_parameters()
        gradients.append({name: weight.grad for name, weight in named if weight.requires_grad})
    expected, measured = gradients
    return max(
        float(torch.linalg.norm(measured[name] - value) / torch.linalg.norm(value)) for name, value in expected.items()
    )


def count_flops(subject: Subject, loss: str) -> float:
    """The fewest FLOPs per example for training; see `benchmarks.hardware`."""
    model = load_model(subject.folder, "none", replace(subject.device, name="cpu", dtype=torch.float32))
    return count_training_flops(model, subject.examples, subject.batch_size, LORA.r, whole_text=loss == "whole-text")


def measure(subject: Subject, losses: Sequence[str], scratch: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Every side's rate with each loss, printed as it is measured, and the ratio of fintone's rate to the others'."""
    matmul = measure_matmul_rate(subject.device)
    figures: dict[str, float] = {"matrix multiply, GFLOP/s": matmul / 1e9, "tokens an example": subject.tokens}
    ratios: dict[str, float] = {}
    for loss in losses:
        rate, peak = measure_fintone(subject, loss, scratch)
        reached = count_flops(subject, loss) * rate
        figures |= {
            f"fintone, {loss}, examples/s": rate,
            f"fintone, {loss}, tokens/s": rate * subject.tokens,
            f"fintone, {loss}, share of matrix multiply": reached / matmul,
            f"fintone, {loss}, peak memory, GB": peak / 1e9,
        }
        print(f"{f'fintone, {loss}':60} {rate:9.2f} examples/s", flush=True)
        for name, in_float32 in (("sft_trainer", False), ("sft_trainer in float32", True)):
            plain, size, peak = measure_plain(subject, loss, scratch, in_float32=in_float32)
            figures |= {
                f"{name}, {loss}, examples/s": plain,
                f"{name}, {loss}, best micro-batch": size,
                f"{name}, {loss}, peak memory, GB": peak / 1e9,
            }
            ratios[f"fintone/{name}, {loss}"] = rate / plain
            print(f"{f'{name}, {loss}, micro-batches of {size}':60} {plain:9.2f} examples/s", flush=True)
        figures[f"largest difference of a gradient, {loss}, 1e-6"] = compare_gradients(subject, loss, scratch) * 1e6
    ratios["fintone/sft_trainer"] = ratios[f"fintone/sft_trainer, {losses[0]}"]
    return figures, ratios


def prepare(folder: Path, part: tuple[list[str], list[Label]], device: Device) -> Subject:
    """Tokenise the rows."""
    headlines, labels = part
    examples = encode_examples(headlines, labels, load_tokenizer(folder), PROMPT)
    return Subject(folder, device, headlines, labels, examples, BATCHES[device.name])


def main() -> None:
    """Measure both sides, print a table and, with all losses or a name of their own, write the results."""
    parser = learning_parser(__doc__)
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES, help="all if not given")
    parser.add_argument("--results", help="name of the file in benchmarks/results; training with all losses")
    arguments = parser.parse_args()
    device = choose_device()
    train = load_parts(arguments.data)["train"]
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        model = arguments.model or MODEL_FOLDER
        if device.name == "cuda":
            model = write_large_model(scratch / "large", model)
        figures, ratios = measure(prepare(model, train, device), arguments.losses, scratch)
    print_figures(figures, ratios)
    if arguments.results is None and set(arguments.losses) != set(LOSSES):
        return  # the documents quote both
    shown = "Llama 2 7B's shape, random weights" if device.name == "cuda" else model.resolve().name
    write_results(arguments.results or "training", figures, ratios, model=shown, data=Path(arguments.data).name)


if __name__ == "__main__":
    main()
