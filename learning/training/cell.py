"""Trains adapters from a base in memory, frozen settings and labelled headlines, and writes their folders."""

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from learning.models.device import free_memory_bytes, is_out_of_memory, start_peak_memory
from learning.models.loaded_base import LoadedBase
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import encode_examples
from learning.training.arguments import checkpoints_gradients
from learning.training.cell_training import CellTraining
from learning.training.recipe import Recipe, Training, TrainingOutcome, first_micro_batch_size, smaller_micro_batch_size
from learning.training.shared_pass import SharedPass, count_kept
from learning.training.stopping import TrainingStoppedError, stoppable
from schemas.errors import FailureError
from schemas.label import Label

MOST_OF_MEMORY = 0.8
"""Share of the free memory that trainings side by side are planned to take."""


class OutOfMemoryError(FailureError):
    """Not even one example at a time fits into memory."""


def train_adapters(
    base: LoadedBase,
    headlines: Sequence[str],
    labels: Sequence[Label],
    trainings: Sequence[Training],
    *,
    notify: Callable[[str], None] = lambda _: None,
) -> list[TrainingOutcome]:
    """Fine-tune new adapters on the base model, and write each to its folder.

    If memory allows, they are trained side by side and share the passes over the base; each has the same result as if
    it were trained by itself. The seed determines an adapter's initial weights, the order of the headlines and the
    dropout. If memory runs out, fewer are trained side by side, and then the micro-batch is reduced; the batch stays
    the same.

    Args:
        base: The base model, which is left as it was.
        headlines: N texts.
        labels: N labels.
        trainings: Recipes that differ only in learning rate, epochs and seed.
        notify: Called with a message for the user, such as an ignored checkpoint or memory that ran out.

    Raises:
        InputError: A headline is longer than the base takes.
        OutOfMemoryError: Not even one headline at a time fits into memory.
        TrainingStoppedError: The trainings were requested to stop, and saved checkpoints; see
            `learning.training.stopping`.
    """
    first = trainings[0].recipe
    examples = encode_examples(headlines, labels, base.tokenizer, first.prompt)
    cells = [CellTraining(base, examples, training, notify) for training in trainings]
    most = _most_side_by_side(base, first, cells[0].estimate_bytes, count_kept(base, first.lora))
    together = min(len(cells), most)
    outcomes: list[TrainingOutcome] = []
    with stoppable():
        for start in range(0, len(cells), together):
            outcomes += _train_in_memory(
                base, cells[start : start + together], first_micro_batch_size(first.training), notify
            )
    return outcomes


def _train_in_memory(
    base: LoadedBase, cells: Sequence[CellTraining], size: int, notify: Callable[[str], None]
) -> list[TrainingOutcome]:
    """Train the cells side by side; whenever memory runs out, with fewer cells or smaller micro-batches."""
    memory_errors = 0
    while True:
        try:
            outcomes = _train_together(base, cells, size, memory_errors, notify)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            base.forget_where_short()
            return outcomes
        base.release()
        base.kept = None
        gc.collect()
        if base.device.name == "cuda":
            torch.cuda.empty_cache()
        if len(cells) > 1:
            half = len(cells) // 2
            notify(f"out of memory with {len(cells)} trainings side by side: {len(cells) - half} from here on")
            return [
                outcome
                for part in (cells[:half], cells[half:])
                for outcome in _train_in_memory(base, part, size, notify)
            ]
        if size == 1:
            raise OutOfMemoryError(
                "out of memory with one headline a pass: use a smaller base model or a smaller lora.r"
            )
        batch = cells[0].recipe.training.batch_size
        smaller, memory_errors = smaller_micro_batch_size(batch, size), memory_errors + 1
        notify(f"out of memory with {size} headlines a pass: {smaller} from here on, batches stay {batch}")
        size = smaller


def _train_together(
    base: LoadedBase, cells: Sequence[CellTraining], size: int, memory_errors: int, notify: Callable[[str], None]
) -> list[TrainingOutcome]:
    """Train each cell from its furthest checkpoint, if there is one, to the end, and save the adapters."""
    base.release()
    start_peak_memory(base.device)
    running = [cell for cell in cells if not cell.begin()]
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        for cell in running:
            stack.callback(cell.forget_trainer)
        first = running[0] if running else None
        if first and shares_passes(base, first.recipe, len(running)) and first.takes_stacks(size):
            models = [base.copy_new(cell.recipe.lora, cell.recipe.training.seed) for cell in running]
            seeds = [cell.recipe.training.seed for cell in running]
            longest, window = first.longest_pack(size), first.window
            shared = SharedPass(base, models, seeds, first.recipe.lora, longest, window, notify=notify)
            for member, (cell, model) in enumerate(zip(running, models, strict=True)):
                cell.build_trainer(model, size, stack, shared=(shared, member))
            del models, model
            shared.lockstep.run(dict(enumerate(cell.train for cell in running)))
            _check_stopped(running)
        else:
            for cell in running:
                cell.build_trainer(base.train_new(cell.recipe.lora, cell.recipe.training.seed), size, stack)
                cell.train()
                _check_stopped([cell])
    base.release()
    return [cell.finish(size, memory_errors) for cell in cells]


def _check_stopped(cells: Sequence[CellTraining]) -> None:
    if any(cell.stopped for cell in cells):
        raise TrainingStoppedError


def shares_passes(base: LoadedBase, recipe: Recipe, trainings: int) -> bool:
    """Whether to use a shared pass over the base: for several trainings, and on a GPU also for one."""
    wanted = base.device.name == "cuda" or trainings > 1
    able = base.is_whole and base.device.dtype != torch.float16 and not checkpoints_gradients(recipe.training, base)
    return wanted and able and base.has_plain_head


def count_side_by_side(base: LoadedBase, headlines: Sequence[str], labels: Sequence[Label], recipe: Recipe) -> int:
    """How many trainings with this recipe run side by side; the headlines matter if memory limits the number.

    Raises:
        InputError: A headline is longer than the base takes.
    """

    def estimate_bytes() -> float:
        examples = encode_examples(headlines, labels, base.tokenizer, recipe.prompt)
        return CellTraining(base, examples, Training(recipe, Path()), lambda _: None).estimate_bytes()

    return _most_side_by_side(base, recipe, estimate_bytes)


def _most_side_by_side(base: LoadedBase, recipe: Recipe, estimate_bytes: Callable[[], float], kept: int = 0) -> int:
    """How many trainings run side by side: as set, else as many as a GPU's memory takes, or one on a CPU.

    Args:
        base: The base model.
        recipe: The recipe of the trainings.
        estimate_bytes: Estimates the memory that one training takes.
        kept: How many ran side by side before, if their pass was kept: the memory in use now includes it.
    """
    settings = recipe.training
    wanted = settings.side_by_side
    if (wanted == "auto" and base.device.name == "cpu") or not shares_passes(base, recipe, 2):
        return 1
    if wanted != "auto":
        return wanted
    return max(int(MOST_OF_MEMORY * free_memory_bytes(base.device) / estimate_bytes()), kept, 1)
