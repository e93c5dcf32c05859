"""Fine-tuning an encoder, compared with transformers' `Trainer`: `python -m benchmarks.encoder --model FOLDER`.

Both train all weights of the same sequence classifier for an epoch, with the same batch size, arguments and headlines.
`fintone` is `learning.training.encoder_training`. `Trainer` gets rows that are tokenised beforehand and
`DataCollatorWithPadding`; it runs once with its default random order, and once with its own batches of similar length.
The sides take turns; a figure is the median over the turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments

from benchmarks.arguments import learning_parser
from benchmarks.headlines import load_parts
from benchmarks.machine import print_figures, write_results
from learning.kinds.encoder import KIND
from learning.models.base_model import load_tokenizer
from learning.models.device import Device, choose_device
from learning.models.encoder import load_encoder
from learning.models.quiet import quiet_libraries
from learning.training.arguments import plain_arguments
from learning.training.recipe import Recipe, Training
from learning.training.schedule import lay_out_steps
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import LABELS, Label

TURNS = 3
SETTINGS = TrainingSettings(loss="completion", schedule="constant", learning_rate=2e-5, epochs=1, batch_size=8)
RECIPE = Recipe(PromptSettings(), LoraSettings(), SETTINGS)
Part = tuple[list[str], list[Label]]


def time_fintone(folder: Path, part: Part, scratch: Path) -> float:
    """Seconds of an epoch."""
    model = KIND.load(folder, "none", SETTINGS)
    [outcome] = model.train(*part, [Training(RECIPE, scratch / "fine-tune")], lambda _: None)
    return outcome.seconds


def time_trainer(folder: Path, part: Part, scratch: Path, device: Device, strategy: str) -> float:
    """Seconds of an epoch of transformers' `Trainer`."""
    texts, labels = part
    tokenizer = load_tokenizer(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    encoded = tokenizer(texts, truncation=True)
    rows = [
        {**{name: values[number] for name, values in encoded.items()}, "labels": LABELS.index(label)}
        for number, label in enumerate(labels)
    ]
    arguments = plain_arguments(RECIPE, lay_out_steps(len(rows), SETTINGS), device, SETTINGS.batch_size, scratch / "t")
    with quiet_libraries():
        trainer = Trainer(
            load_encoder(folder, device, 42),
            args=TrainingArguments(**arguments, train_sampling_strategy=strategy),
            train_dataset=datasets.Dataset.from_list(rows),
            data_collator=DataCollatorWithPadding(tokenizer),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        start = time.monotonic()
        trainer.train()
    return time.monotonic() - start


def measure(folder: Path, part: Part, device: Device) -> tuple[dict[str, float], dict[str, float]]:
    """Headlines a second of each side, and the ratio of fintone's rate to each of the others."""
    sides: dict[str, Callable[[Path], float]] = {
        "fintone": lambda scratch: time_fintone(folder, part, scratch),
        "Trainer": lambda scratch: time_trainer(folder, part, scratch, device, "random"),
        "Trainer, batches by length": lambda scratch: time_trainer(folder, part, scratch, device, "group_by_length"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(TURNS):
        for name, run in sides.items():
            with TemporaryDirectory() as scratch:
                seconds[name].append(run(Path(scratch)))
    rates = {name: len(part[0]) / statistics.median(taken) for name, taken in seconds.items()}
    figures: dict[str, float] = {f"{name}, headlines/s": rate for name, rate in rates.items()}
    ratios = {f"fintone/{name}": rates["fintone"] / rate for name, rate in rates.items() if name != "fintone"}
    return figures, ratios


def parse() -> Any:
    """Parse the command line; `--model` is required, since no encoder ships with the project."""
    parser: argparse.ArgumentParser = learning_parser(__doc__)
    arguments = parser.parse_args()
    if arguments.model is None:
        parser.error("--model FOLDER: give an encoder, such as a BERT")
    return arguments


def main() -> None:
    """Measure the sides, print a table and write the results."""
    arguments = parse()
    figures, ratios = measure(arguments.model, load_parts(arguments.data)["train"], choose_device())
    print_figures(figures, ratios)
    shown = arguments.model.resolve().name
    write_results("encoder", figures, ratios, model=shown, data=Path(arguments.data).name)


if __name__ == "__main__":
    main()
