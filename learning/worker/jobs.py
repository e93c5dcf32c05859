"""Jobs of the process that holds a base model, one class for each kind. Loads no heavy library by itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from learning.models.fine_tune import FineTune
from learning.study.evaluation import Evaluation, LabelledPart
from learning.training.recipe import Recipe, Training, TrainingOutcome, TrainingStep
from schemas.cell import PromptSettings, TrainingSettings
from schemas.evaluation import DecodingSettings
from schemas.label import Label
from schemas.model_card import Canaries

if TYPE_CHECKING:
    from learning.kinds.kind import LoadedModel
    from learning.scoring.canaries import CanaryCheck
    from learning.scoring.model_evaluation import Answers
    from learning.training.shared_storage import SharedStorage

Result = TypeVar("Result")


@dataclass(frozen=True)
class BaseSpec:
    """The base model that a job needs, and its arithmetic."""

    folder: Path
    quantization: str
    training: TrainingSettings
    """The settings whose precision, optimizer and attention choose the arithmetic."""
    revision: str
    """Revision of the model: another machine checks that it has the same one."""


@dataclass(frozen=True)
class Job(ABC, Generic[Result]):
    """A task for a base model, with a result."""

    base: BaseSpec
    keeps_model: ClassVar[bool] = False
    """Whether the next job probably needs the base with the same adapter."""

    @property
    def subject(self) -> str:
        """The name of the model in errors: the fine-tuned cell, or the base."""
        fine_tune: FineTune | None = getattr(self, "fine_tune", None)
        return "base model" if fine_tune is None else f"cell {fine_tune.folder.name}"

    @abstractmethod
    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> Result:
        """Do the job and return its result.

        Args:
            base: The base model.
            notify: Called with the job's events.
        """


@dataclass(frozen=True)
class TravellingJob(Job[Result]):
    """A job that a machine of a cluster can do, with its adapter on storage that all machines share."""

    @abstractmethod
    def send(self, storage: "SharedStorage", stored: set[str]) -> None:
        """Before it is sent: copy the files that it needs to the storage, except adapters that are `stored` there."""

    @abstractmethod
    def receive(self, storage: "SharedStorage", stored: set[str], result: Result) -> None:
        """After it returned: get the files of its result from the storage."""

    @abstractmethod
    def arrive(self, storage: "SharedStorage", scratch: Path) -> Self:
        """The job as another machine does it: with its folders under `scratch`, filled from the storage."""

    @abstractmethod
    def leave(self, storage: "SharedStorage") -> None:
        """On that machine, when it is done: copy the files of its result to the storage."""

    @property
    def headlines_to_score(self) -> int:
        """The total number of headlines that its events will count."""
        return 0

    def progress_of(self, event: Any) -> Any:
        """The progress in an event: a step, a number of headlines, or a message."""
        return event


@dataclass(frozen=True)
class TrainingJob(TravellingJob[list[TrainingOutcome]]):
    """Train adapters, side by side if memory allows; only one on another machine.

    The result is a list of `TrainingOutcome`, one for each training, in order. Each event is a message, or the index of
    a training with its `TrainingStep`.
    """

    headlines: tuple[str, ...]
    labels: tuple[Label, ...]
    trainings: tuple[Training, ...]
    """One or more, whose recipes differ only in learning rate, epochs and seed; their steps become events."""

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> list[TrainingOutcome]:
        """Train the adapters."""

        def report_step(index: int, step: TrainingStep) -> None:
            notify((index, step))

        trainings = [
            replace(training, on_step=partial(report_step, index)) for index, training in enumerate(self.trainings)
        ]
        return base.train(self.headlines, self.labels, trainings, notify)

    def send(self, storage: "SharedStorage", stored: set[str]) -> None:
        """Nothing to do: its checkpoints are on the storage already."""

    def receive(self, storage: "SharedStorage", stored: set[str], result: list[TrainingOutcome]) -> None:
        """Get the adapters.

        Raises:
            AdapterError: An adapter is not the one that was trained.
        """
        from learning.kinds.registry import find_kind
        from learning.training.shared_storage import get_folder

        for training, outcome in zip(self.trainings, result, strict=True):
            folder = training.adapter_folder
            get_folder(storage.adapter(folder.name), folder)
            find_kind(self.base.folder).check_fine_tune(folder, outcome.adapter_hash)
            stored.add(folder.name)

    def arrive(self, storage: "SharedStorage", scratch: Path) -> Self:
        """The job with its checkpoints, which are mirrored to the storage from then on."""
        return replace(self, trainings=tuple(self._arrive(storage, scratch)))

    def _arrive(self, storage: "SharedStorage", scratch: Path) -> Iterator[Training]:
        for number, training in enumerate(self.trainings):
            assert training.store is not None
            mirror, root = storage.checkpoints(training.store.training_id), scratch / f"checkpoints-{number}"
            mirror.fetch(root)
            store = replace(training.store, root=root, mirror=mirror)
            yield replace(training, adapter_folder=scratch / training.adapter_folder.name, store=store)

    def leave(self, storage: "SharedStorage") -> None:
        """Copy the adapters to the storage."""
        from learning.training.shared_storage import put_folder

        for training in self.trainings:
            put_folder(training.adapter_folder, storage.adapter(training.adapter_folder.name))

    def progress_of(self, event: Any) -> Any:
        """A step or a message."""
        return event[1] if isinstance(event, tuple) else event


@dataclass(frozen=True)
class ScoringJob(TravellingJob[list[Evaluation]]):
    """Evaluate a model; the result is a list of `Evaluation`, each event a number of headlines."""

    fine_tune: FineTune | None
    """None for the untouched base."""
    parts: Sequence[LabelledPart]
    prompt: PromptSettings
    decoding: DecodingSettings

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> list[Evaluation]:
        """Evaluate the model."""
        from learning.scoring.model_evaluation import evaluate_model

        prompt, decoding = self.prompt, self.decoding
        return evaluate_model(base, self.fine_tune, self.parts, prompt=prompt, decoding=decoding, on_headlines=notify)

    def send(self, storage: "SharedStorage", stored: set[str]) -> None:
        """Copy the adapter to the storage, also if another process has deleted it there."""
        from learning.training.shared_storage import is_there, put_folder

        if self.fine_tune is None:
            return
        folder = self.fine_tune.folder
        address = storage.adapter(folder.name)
        if folder.name not in stored or not is_there(address):
            put_folder(folder, address)
            stored.add(folder.name)

    def receive(self, storage: "SharedStorage", stored: set[str], result: list[Evaluation]) -> None:
        """Nothing to do: its result has no files."""

    def arrive(self, storage: "SharedStorage", scratch: Path) -> Self:
        """The job with its adapter from the storage."""
        from learning.training.shared_storage import get_folder

        if self.fine_tune is None:
            return self
        folder = scratch / self.fine_tune.folder.name
        get_folder(storage.adapter(folder.name), folder)
        return replace(self, fine_tune=self.fine_tune._replace(folder=folder))

    def leave(self, storage: "SharedStorage") -> None:
        """Nothing to do: its result has no files."""

    @property
    def headlines_to_score(self) -> int:
        """The number of headlines in all parts."""
        return sum(len(part.texts) for part in self.parts)


@dataclass(frozen=True)
class AnsweringJob(Job["Answers"]):
    """Answer headlines without labels with a fine-tune.

    The result is `learning.scoring.model_evaluation.Answers`, each event a number of headlines.
    """

    fine_tune: FineTune
    headlines: tuple[str, ...]
    prompt: PromptSettings
    temperature: float
    top_k: int | None
    top_p: float | None
    truncate: bool = False
    """Whether headlines that are too long are cut; else they have no answer."""
    keeps_model: ClassVar[bool] = True

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> "Answers":
        """Answer the headlines."""
        from learning.prompt.decoding import Decoding
        from learning.scoring.model_evaluation import answer_headlines

        decoding = Decoding(self.temperature, self.top_k, self.top_p)
        return answer_headlines(
            base, self.fine_tune, self.headlines, self.prompt, decoding, notify, truncate=self.truncate
        )


@dataclass(frozen=True)
class ComparingJob(Job["CanaryCheck"]):
    """Compare a fine-tune's answers with the ledger; the result is a `learning.scoring.canaries.CanaryCheck`."""

    fine_tune: FineTune
    canaries: Canaries
    prompt: PromptSettings

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> "CanaryCheck":  # noqa: ARG002 (it has no events)
        """Compare the fine-tune."""
        from learning.scoring.canaries import compare_canaries

        return compare_canaries(self.canaries, base, self.fine_tune, self.prompt)


@dataclass(frozen=True)
class CheckingJob(Job[int]):
    """Load a base model and check that it can be fine-tuned. The next job finds it in memory.

    The result is how many trainings with this recipe run side by side on these headlines, 1 or more.
    """

    headlines: tuple[str, ...]
    labels: tuple[Label, ...]
    recipe: Recipe

    def do(self, base: "LoadedModel", notify: Callable[[Any], None]) -> int:  # noqa: ARG002 (it has no events)
        """Count the trainings that run side by side."""
        return base.count_side_by_side(self.headlines, self.labels, self.recipe)
