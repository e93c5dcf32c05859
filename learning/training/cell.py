"""One cell's training: a base in memory, frozen settings and labelled headlines in, an adapter's folder out."""

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import TrainerState
from trl import SFTConfig

from learning.models.adapter import save_adapter
from learning.models.adapter_files import check_adapter
from learning.models.device import (
    Device,
    describe_environment,
    free_memory_bytes,
    is_out_of_memory,
    peak_memory_bytes,
    start_peak_memory,
)
from learning.models.last_layer import LastLayer
from learning.models.loaded_base import LoadedBase
from learning.models.output_head import add_losses
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import (
    EncodedExample,
    check_lengths,
    common_prefix_length,
    encode_examples,
    longest_allowed,
)
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, TrainingOutcome, TrainingStep, first_micro_batch_size, largest_part
from learning.training.schedule import Schedule, lay_out_steps
from learning.training.shared_pass import SharedPass, try_pass
from learning.training.trainer import (
    IGNORED,
    AdapterTrainer,
    PrefixCollator,
    PrefixTrainer,
    Saving,
    SharedTrainer,
    StepTeller,
    forward_pack,
)
from schemas.config import TrainingSettings
from schemas.errors import FailureError
from schemas.label import Label

PROBED = 3
"""Examples on which packs are tried beside whole prompts."""
MOST_OF_MEMORY = 0.8
"""Share of the free memory that trainings side by side are planned to take."""
BYTES_A_WEIGHT = 18
"""Of an adapter in training: weight, gradient and two moments in float32, and a copy in bfloat16."""
SAME_LOGITS = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Largest difference between the two, over the largest logit; a model that heeds no mask is off by the order of 1."""


class OutOfMemoryError(FailureError):
    """Not even one example at a time fits into memory."""


@dataclass(frozen=True)
class Training:
    """One adapter that is to be trained."""

    recipe: Recipe
    adapter_folder: Path
    """Appears whole or not at all."""
    store: CheckpointStore | None = None
    """Of checkpoints: the training goes on from the furthest that fits, and writes its own. None for none."""
    on_step: Callable[[TrainingStep], None] = lambda _: None
    """Is told each step as it ends."""


def train_adapters(
    base: LoadedBase,
    headlines: Sequence[str],
    labels: Sequence[Label],
    trainings: Sequence[Training],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> list[TrainingOutcome]:
    """Fine-tune new adapters on the base model, and write each to its folder.

    Where there is room they are trained side by side, with the passes over the base in common; each becomes what it
    would have become alone. The seed decides an adapter's initial weights, the order of the headlines and the dropout.
    Where memory runs out fewer are trained side by side, and then the micro-batch is made smaller; the batch stays as
    it was.

    Args:
        base: The base model, which is left as it was.
        headlines: N texts.
        labels: N labels.
        trainings: Recipes that differ in learning rate, epochs and seed alone.
        tell: Is given a line about what a user should know: a checkpoint that is ignored, memory that ran out, a model
            that takes no packs.

    Raises:
        InputError: A headline is longer than the base takes.
        OutOfMemoryError: Not even one headline at a time fits into memory.
    """
    first = trainings[0].recipe
    examples = encode_examples(headlines, labels, base.tokenizer, first.prompt)
    cells = [_CellTraining(base, examples, training, tell) for training in trainings]
    together = min(len(cells), _most_side_by_side(base, first, cells[0].estimate_bytes))
    outcomes: list[TrainingOutcome] = []
    for start in range(0, len(cells), together):
        outcomes += _train_in_memory(
            base, cells[start : start + together], first_micro_batch_size(first.training), tell
        )
    return outcomes


def train_adapter(
    base: LoadedBase,
    headlines: Sequence[str],
    labels: Sequence[Label],
    recipe: Recipe,
    adapter_folder: Path,
    *,
    store: CheckpointStore | None = None,
    on_step: Callable[[TrainingStep], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> TrainingOutcome:
    """Fine-tune one adapter; see `train_adapters` and `Training`."""
    training = Training(recipe, adapter_folder, store, on_step)
    [outcome] = train_adapters(base, headlines, labels, [training], tell=tell)
    return outcome


def _train_in_memory(
    base: LoadedBase, cells: Sequence["_CellTraining"], size: int, tell: Callable[[str], None]
) -> list[TrainingOutcome]:
    """Train the cells side by side; with less at a time whenever memory runs out."""
    memory_errors = 0
    while True:
        try:
            return _train_together(base, cells, size, memory_errors)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        base.release()
        base.kept = None
        gc.collect()
        if base.device.name == "cuda":
            torch.cuda.empty_cache()
        if len(cells) > 1:
            half = len(cells) // 2
            tell(f"out of memory with {len(cells)} trainings side by side: {len(cells) - half} from here on")
            return [
                outcome for part in (cells[:half], cells[half:]) for outcome in _train_in_memory(base, part, size, tell)
            ]
        if size == 1:
            raise OutOfMemoryError(
                "out of memory with one headline a pass: use a smaller base model or a smaller lora.r"
            )
        batch = cells[0].recipe.training.batch_size
        smaller, memory_errors = largest_part(batch, size // 2), memory_errors + 1
        tell(f"out of memory with {size} headlines a pass: {smaller} from here on, batches stay {batch}")
        size = smaller


def _train_together(
    base: LoadedBase, cells: Sequence["_CellTraining"], size: int, memory_errors: int
) -> list[TrainingOutcome]:
    """Go on from the furthest checkpoint of each cell, if there is one, to the end, and save the adapters."""
    base.release()
    start_peak_memory(base.device)
    running = [cell for cell in cells if not cell.begin()]
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        for cell in running:
            stack.callback(cell.forget_trainer)
        first = running[0] if running else None
        if first and shares_passes(base, first.recipe, len(running)) and first.takes_packs() and first.takes_stacks():
            models = [base.copy_new(cell.recipe.lora, cell.recipe.seed) for cell in running]
            seeds = [cell.recipe.seed for cell in running]
            shared = SharedPass(base, models, seeds, first.recipe.lora, first.longest_pack(size))
            for member, (cell, model) in enumerate(zip(running, models, strict=True)):
                cell.build_trainer(model, size, stack, shared=(shared, member))
            del models, model
            shared.lockstep.run(dict(enumerate(cell.train for cell in running)))
        else:
            for cell in running:
                cell.build_trainer(base.train_new(cell.recipe.lora, cell.recipe.seed), size, stack)
                cell.train()
    base.release()
    base.forget_where_short()
    return [cell.finish(size, memory_errors) for cell in cells]


def shares_passes(base: LoadedBase, recipe: Recipe, trainings: int) -> bool:
    """Whether trainings are passes over the base in common: several of them, or on a GPU one as well."""
    wanted = base.device.name == "cuda" or trainings > 1
    able = base.is_whole and base.device.dtype != torch.float16 and not _checkpoints_gradients(recipe.training, base)
    return wanted and able and base.has_plain_head()


def count_side_by_side(base: LoadedBase, headlines: Sequence[str], labels: Sequence[Label], recipe: Recipe) -> int:
    """How many trainings of such a recipe go side by side now; the headlines are read where memory decides it.

    Raises:
        InputError: A headline is longer than the base takes.
    """

    def estimate_bytes() -> float:
        examples = encode_examples(headlines, labels, base.tokenizer, recipe.prompt)
        return _CellTraining(base, examples, Training(recipe, Path()), lambda _: None).estimate_bytes()

    return _most_side_by_side(base, recipe, estimate_bytes)


def _most_side_by_side(base: LoadedBase, recipe: Recipe, estimate_bytes: Callable[[], float]) -> int:
    """How many trainings go side by side: as set; on a GPU as many as its memory takes, on a CPU one."""
    settings = recipe.training
    wanted = settings.side_by_side
    if (wanted == "auto" and base.device.name == "cpu") or not shares_passes(base, recipe, 2):
        return 1
    if wanted != "auto":
        return wanted
    return max(int(MOST_OF_MEMORY * free_memory_bytes(base.device) / estimate_bytes()), 1)


class _CellTraining:
    """One cell's training, tried once for each size of the micro-batch."""

    def __init__(
        self, base: LoadedBase, examples: Sequence[EncodedExample], training: Training, tell: Callable[[str], None]
    ) -> None:
        self.base, self.examples, self.training, self.tell = base, examples, training, tell
        self.recipe, self.store = training.recipe, training.store
        sequences = [example.input_ids for example in examples]
        check_lengths(sequences, longest_allowed(base.model.config))
        first_answer = min(example.answer_start for example in examples)
        self.prefix_length = min(common_prefix_length(sequences), first_answer)
        self.tokens = sum(map(len, sequences))
        self.longest = max(map(len, sequences))
        self.schedule = lay_out_steps(len(examples), self.recipe.training, self.recipe.epochs)

    def begin(self) -> bool:
        """Find the furthest checkpoint; whether nothing is left to do beyond it."""
        recipe = self.recipe
        found = None
        if self.store:
            shared_steps, optimizer = self.schedule.shared_steps, self.base.device.optimizer
            found = self.store.find(recipe.epochs, shared_steps, optimizer, self.tell)
        self.checkpoint, self.history = found, found.read_log() if found else []
        self.first_step = found.step if found else 0
        self.diverged = found is not None and found.diverged
        self.seconds, self.packed = 0.0, self.base.takes_packs is not False
        self.trainer: AdapterTrainer | None = None
        self.model: Any = None
        return found is not None and (self.diverged or self.first_step == self.schedule.steps)

    def build_trainer(
        self, model: Any, size: int, stack: ExitStack, shared: tuple[SharedPass, int] | None = None
    ) -> None:
        """Build what trains the model: on its own, or as a member of a shared pass."""
        self.packed = shared is not None or self.takes_packs(model)
        scratch = Path(stack.enter_context(self._lend_scratch()))
        self.trainer, self.model = self._build_trainer(model, size, scratch, shared), model

    def train(self) -> None:
        """Train to the end, and save the adapter."""
        start = time.monotonic()
        assert self.trainer is not None
        self.trainer.train(resume_from_checkpoint=str(self.checkpoint.folder) if self.checkpoint else None)
        self.seconds = time.monotonic() - start
        self.history = [entry for entry in self.trainer.state.log_history if "loss" in entry]
        finite = all(bool(weight.isfinite().all()) for weight in self.model.parameters() if weight.requires_grad)
        self.diverged = self.trainer.watch.diverged or not finite
        save_adapter(self.model, self.training.adapter_folder)
        self.forget_trainer()

    def forget_trainer(self) -> None:
        """Let go of what trains, and of its memory."""
        self.trainer = self.model = None

    def finish(self, micro_batch_size: int, memory_errors: int) -> TrainingOutcome:
        """Put the adapter in its place, where a checkpoint held it, and say what came of the training."""
        recipe, history, folder = self.recipe, self.history, self.training.adapter_folder
        if self.checkpoint and not self.seconds:
            self.checkpoint.copy_adapter(folder)
        if self.store:
            self.store.drop_own(recipe.epochs)
        log = tuple(_read_step(entry, self.schedule.steps) for entry in history)
        seconds, first_step = self.seconds, self.first_step
        passes = (log[-1].epoch - first_step * recipe.epochs / self.schedule.steps) / seconds if seconds else None
        return TrainingOutcome(
            log=log,
            first_step=first_step,
            seconds=seconds,
            examples_per_second=None if passes is None else passes * len(self.examples),
            tokens_per_second=None if passes is None else passes * self.tokens,
            peak_memory_bytes=peak_memory_bytes(self.base.device),
            environment=self._describe(),
            packed=self.packed,
            micro_batch_size=micro_batch_size,
            memory_errors=memory_errors,
            diverged=self.diverged,
            adapter_hash=check_adapter(folder),
        )

    def estimate_bytes(self) -> float:
        """Memory that one more training takes at most: its adapter with gradients and AdamW's state, and a pack.

        Of a pack, automatic differentiation keeps some 20 values of the hidden size and 8 of the feed-forward one for
        each token and layer.
        """
        config = self.base.model.config.get_text_config()
        hidden, layers = config.hidden_size, config.num_hidden_layers
        inner = getattr(config, "intermediate_size", None) or 4 * hidden
        tokens = self.longest_pack(first_micro_batch_size(self.recipe.training))
        width = torch.finfo(self.base.device.dtype).bits // 8
        head = self.base.model.get_output_embeddings()
        adapter = sum(
            self.recipe.lora.r * (layer.in_features + layer.out_features)
            for layer in self.base.model.modules()
            if isinstance(layer, torch.nn.Linear) and layer is not head
        )
        return float(BYTES_A_WEIGHT * adapter + tokens * layers * width * (20 * hidden + 8 * inner))

    def _lend_scratch(self) -> TemporaryDirectory[str]:
        """A folder for what the trainer leaves beside checkpoints; if it is killed, it goes when they go."""
        if self.store is None:
            return TemporaryDirectory()
        self.store.root.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=self.store.root)

    def takes_packs(self, model: Any = None) -> bool:
        """Try a pack beside whole prompts, once a base: attention that heeds no mask of ours gives other logits."""
        if self.base.takes_packs is not None:
            return self.base.takes_packs
        model = model or self.base.model
        examples, device = self.examples[:PROBED], self.base.device
        rows, pack = encode_rows(examples, whole_text=False), self._probing_pack(device.dtype)
        takes, was_training = False, model.training
        model.eval()
        with suppress(TypeError, ValueError, IndexError, AttributeError, NotImplementedError), torch.no_grad():
            packed = forward_pack(model, pack, LastLayer(model))[pack["target_rows"]].float()
            alone = [
                model(input_ids=torch.tensor([row["input_ids"]], device=device.name)).logits[0, start - 1 : -1].float()
                for row, start in zip(rows, (example.answer_start for example in examples), strict=True)
            ]
            whole = torch.cat(alone)
            takes = bool((packed - whole).abs().max() <= SAME_LOGITS[device.dtype] * whole.abs().max())
        model.train(was_training)
        self.base.takes_packs = takes
        if not takes:
            kind = type(self.base.model).__name__
            self.tell(f"{kind} takes no batches packed behind one prefix: they are padded, several times slower")
        return takes

    def takes_stacks(self) -> bool:
        """Try a pass that trainings share beside the base's own, once a base: it is for the usual ways of computing."""
        base = self.base
        if base.takes_stacks is None:
            pack = self._probing_pack(base.device.dtype)
            with torch.no_grad():
                logits = forward_pack(base.model, pack, None)
            own = float(add_losses(logits, *(pack[name] for name in ("target_rows", "targets", "weights"))))
            own /= float(pack["weights"].sum())
            base.takes_stacks = False
            adapter = base.copy_new(self.recipe.lora, self.recipe.seed)
            try:
                off = abs(try_pass(base, adapter, pack) - own)
                base.takes_stacks = off <= SAME_LOGITS[base.device.dtype] * max(own, 1.0)
            except (TypeError, ValueError, IndexError, AttributeError, NotImplementedError, RuntimeError) as error:
                if is_out_of_memory(error):
                    base.takes_stacks = None
                    raise
        return bool(base.takes_stacks)

    def _probing_pack(self, dtype: torch.dtype) -> dict[str, torch.Tensor]:
        collator = PrefixCollator(self.prefix_length, dtype)
        pack = collator(encode_rows(self.examples[:PROBED], whole_text=False))
        return {name: tensor.to(self.base.device.name) for name, tensor in pack.items()}

    def longest_pack(self, size: int) -> int:
        """Tokens that a pack of so many headlines has at most."""
        return self.prefix_length + size * (self.longest - self.prefix_length)

    def _build_trainer(
        self, model: Any, micro_batch_size: int, scratch: Path, shared: tuple[SharedPass, int] | None
    ) -> AdapterTrainer:
        recipe, device, schedule = self.recipe, self.base.device, self.schedule
        saving = None
        if self.store:
            minutes, steps = recipe.training.checkpoint_minutes, recipe.training.checkpoint_steps
            saving = Saving(self.store, recipe.epochs, schedule.shared_steps, steps, minutes)
        kind: Any = PrefixTrainer if self.packed else AdapterTrainer
        if shared:
            kind = partial(SharedTrainer, shared=shared[0], member=shared[1])
            collator: Any = PrefixCollator(self.prefix_length, None)
        tokenizer = self.base.tokenizer
        rows = self.base.model.get_input_embeddings().weight.shape[0]
        endings = (tokenizer.pad_token_id, tokenizer.eos_token_id)
        pad = next((token for token in endings if token is not None and token < rows), 0)

        if not shared:
            collator = kind.collator(pad, self.prefix_length, device.dtype)

        def tell_step(entry: dict[str, Any], state: TrainerState) -> None:
            self.training.on_step(_read_step(entry, state.max_steps))

        examples = encode_rows(self.examples, whole_text=recipe.training.loss == "whole-text")
        checkpointing = _checkpoints_gradients(recipe.training, self.base)
        trainer: AdapterTrainer = kind(
            model,
            saving,
            args=build_arguments(recipe, schedule, device, micro_batch_size, scratch, checkpointing=checkpointing),
            train_dataset=datasets.Dataset.from_list(examples),
            data_collator=collator,
            processing_class=tokenizer,
            callbacks=[StepTeller(tell_step)],
        )
        return trainer

    def _describe(self) -> dict[str, str]:
        """What it was computed with, to be recorded."""
        device = self.base.device
        return {
            **describe_environment(device),
            "attention": str(self.base.model.config._attn_implementation),  # noqa: SLF001 (has no public name)
            "gradient_checkpointing": str(_checkpoints_gradients(self.recipe.training, self.base)).lower(),
            "batches": "packed" if self.packed else "padded",
            "base_weights": "dequantised once" if self.base.is_whole else "as they were loaded",
            "seed": str(self.recipe.seed),
        }


def build_arguments(
    recipe: Recipe, schedule: Schedule, device: Device, micro_batch_size: int, output: Path, *, checkpointing: bool
) -> SFTConfig:
    """The trainer's arguments, which are those of a plain `SFTTrainer` too."""
    training, on_cuda = recipe.training, device.name == "cuda"
    kinds = {"constant": "constant_with_warmup", "cosine": "cosine", "warmup-stable-decay": "warmup_stable_decay"}
    decay = {"num_decay_steps": schedule.decay_steps, "decay_type": "linear"}
    arguments = SFTConfig(
        output_dir=str(output),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=micro_batch_size,
        gradient_accumulation_steps=training.batch_size // micro_batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=kinds[training.schedule],
        lr_scheduler_kwargs=decay if schedule.decay_steps else None,
        warmup_steps=schedule.warmup_steps,
        optim=device.optimizer,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=on_cuda and device.dtype == torch.bfloat16,
        fp16=on_cuda and device.dtype == torch.float16,
        use_cpu=not on_cuda,
        activation_checkpointing=checkpointing,
        dataloader_pin_memory=on_cuda,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=recipe.seed,
        data_seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 (the trainer would spread over every GPU it sees)
    return arguments


def _checkpoints_gradients(training: TrainingSettings, base: LoadedBase) -> bool:
    """As set; else on a GPU whose memory is short, which the base shows that stayed quantised."""
    chosen = training.gradient_checkpointing
    return base.device.name == "cuda" and not base.is_whole if chosen is None else chosen


def encode_rows(examples: Sequence[EncodedExample], *, whole_text: bool) -> list[dict[str, list[int]]]:
    """Rows for a trainer: the tokens, and those under the loss."""
    rows = []
    for example in examples:
        ids = list(example.input_ids)
        ignored = 0 if whole_text else example.answer_start
        rows.append({"input_ids": ids, "labels": [IGNORED] * ignored + ids[ignored:]})
    return rows


def _read_step(entry: dict[str, Any], steps: int) -> TrainingStep:
    names = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second")
    values = {name: entry[name] for name in names}
    return TrainingStep(**values, steps=steps, logged_at=datetime.fromtimestamp(entry["logged_at"], UTC))
