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
import hashlib
import statistics
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import torch

from benchmarks.arguments import add_data
from benchmarks.gpu_results import Results
from benchmarks.gpu_studies import measure_paper, measure_real
from benchmarks.gpu_training import (
    Rows,
    build_recipe,
    load_quantised,
    measure_side_by_side,
    measure_training,
    release,
)
from benchmarks.hardware import count_weights, measure_matmul_rate, write_large_model
from benchmarks.headlines import load_parts
from benchmarks.scoring import TEMPERATURES, TOP_K, Subject, build_generate
from benchmarks.training import LORA, PROMPT, rate_of
from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer
from learning.models.device import choose_device, peak_memory_bytes, start_peak_memory
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.prompt.decoding import Decoding
from learning.prompt.encoding import common_prefix_length, encode_examples, encode_prompts
from learning.scoring.scoring import find_token_budget, score_headlines
from learning.training.cell import train_adapters
from learning.training.recipe import Training

GENERATED = 300
"""Headlines that `generate` is timed on, at the best of its batch sizes."""
GENERATE_SIZES = (32, 64, 128)
PARTS = ("training", "side-by-side", "scoring", "memory", "study", "cosine", "real")
ADAMW_STATE, ADAMW_BYTES = "AdamW's state of an adapter, GB", 8
"""Two moments in float32."""
SHORT_MEMORY = 9e9
"""Bytes of GPU memory that the process may take in the part `memory`."""


def measure_scoring(results: Results, base: LoadedBase, folder: Path, test: Rows, scratch: Path) -> None:
    """The test part at three temperatures, with an adapter; the models are loaded before the clock starts."""
    with TemporaryDirectory(dir=scratch) as kept:
        adapter = Path(kept) / "adapter"
        drawn = base.copy_new(LORA, 42)
        for name, weight in drawn.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.005)
        drawn.save_pretrained(str(adapter))
        (adapter / "README.md").unlink()
        del drawn
        model = base.score_with(FineTune(adapter))
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

    quantised = load_quantised(folder, base.device).eval()
    subject = Subject(Path(), Path(), base.device, base.tokenizer, quantised, test.headlines)
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


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of gpu.json")
    add_data(parser)
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="folder of the tokenizer")
    parser.add_argument("--scratch", type=Path, help="folder with room for the model, which is kept there")
    parser.add_argument("--real", type=Path, help="folder with the data and the models of the real study")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:-2], help="what is measured")
    arguments = parser.parse_args()
    if "real" in arguments.only and arguments.real is None:
        parser.error("--only real needs --real, the folder with its data and models")
    with TemporaryDirectory() as temporary:
        scratch = arguments.scratch or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        measure(arguments, scratch)


def measure(arguments: argparse.Namespace, scratch: Path) -> None:
    """Measure the requested parts."""
    device, wanted, failed = choose_device(), set(arguments.only), list[str]()
    results = Results(arguments.output, model="Llama 2 7B's shape, random weights", data=Path(arguments.data).name)
    results.add("matrix multiply, FLOP/s", measure_matmul_rate(device))
    digest = hashlib.sha256((arguments.model / "tokenizer.json").read_bytes()).hexdigest()
    folder = scratch / f"llama-2-7b-shape-{digest[:8]}"
    if not folder.exists():
        start = time.perf_counter()
        unfinished = folder.with_suffix(".unfinished")
        write_large_model(unfinished, arguments.model)
        unfinished.rename(folder)
        results.add("writing the model, s", time.perf_counter() - start)
        release()
    loaded = load_parts(arguments.data)
    rows = {name: Rows(*part, encode_examples(*part, load_tokenizer(folder), PROMPT)) for name, part in loaded.items()}
    results.add_subject("tokens an example", rows["train"].tokens)
    results.add_subject("tokens an example in packs of 8", rows["train"].packed_tokens(8))
    if wanted & {"training", "side-by-side", "scoring"}:
        start_peak_memory(device)
        start = time.perf_counter()
        base = LoadedBase(folder, "nf4", device)
        results.add("loading the base, s", time.perf_counter() - start)
        results.add("loading the base, peak memory, GB", peak_memory_bytes(device) / 1e9)
        results.add(ADAMW_STATE, ADAMW_BYTES * count_weights(base.model, LORA.r) / 1e9)
        of_base: dict[str, Callable[[], None]] = {
            "training": partial(measure_training, results, base, folder, rows["train"]),
            "scoring": partial(measure_scoring, results, base, folder, rows["test"], scratch),
            "side-by-side": partial(measure_side_by_side, results, base, rows["train"]),
        }
        failed = attempt(of_base, wanted)
        del base, of_base
        release()
    others: dict[str, Callable[[], None]] = {
        "memory": partial(measure_memory, results, folder, rows["train"]),
        "study": partial(measure_paper, results, folder, arguments.data, scratch, "constant"),
        "cosine": partial(measure_paper, results, folder, arguments.data, scratch, "cosine"),
        "real": partial(measure_real, results, arguments.real, scratch),
    }
    failed += attempt(others, wanted)
    if failed:
        raise SystemExit(f"not measured to the end: {', '.join(failed)}")


def attempt(parts: Mapping[str, Callable[[], None]], wanted: Collection[str]) -> list[str]:
    """Measure the wanted parts in turn; one that fails prints its traceback and costs no other, and is returned."""
    failed = []
    for name, measure_part in parts.items():
        if name not in wanted:
            continue
        try:
            measure_part()
        except Exception:  # noqa: BLE001 (time on a borrowed GPU is short: the other parts are measured nevertheless)
            traceback.print_exc()
            failed.append(name)
        release()
    return failed


if __name__ == "__main__":
    main()
