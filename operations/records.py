"""Converts the results of a cell to the records and frames that the warehouse keeps."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.cell import PromptSettings
from schemas.disk import count_bytes, count_weight_bytes
from schemas.evaluation import DecodingSettings
from schemas.label import LABELS, PROBABILITIES, Label
from schemas.plan import PARTS, CellPlan, ModelCell, StudyPlan
from storage.home import Home

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from learning.study.evaluation import CurvePoint, Evaluation, LabelledPart
    from learning.study.metrics import OutcomeFigures
    from learning.training.recipe import TrainingOutcome
    from storage.cells import CellOutcome
    from storage.evaluations import EvaluationRecord


def evaluation_ids(study: StudyPlan, cell: CellPlan) -> dict[tuple[str, float | None], str]:
    """The ids of the evaluations that a study needs of a cell, by part and temperature (None for a baseline)."""
    from learning.study.identity import decoding_id, evaluation_id

    baseline = cell.kind == "baseline"
    temperatures = (None,) if baseline else study.config.decoding.temperatures
    decoding = None if baseline else decoding_id(study.config.decoding)
    return {
        (part, temperature): evaluation_id(cell.cell_id, part, temperature, decoding)
        for part in PARTS
        for temperature in temperatures
    }


def load_part(study: StudyPlan, name: str, prompt: PromptSettings | None = None) -> "LabelledPart":
    """A part of the study's split; with the contexts that a prompt shows, if one is given."""
    from learning.study.evaluation import LabelledPart
    from operations.examples import list_questions
    from storage import splits

    frame = splits.load_part(Home.from_environment().warehouse, study.split_id, name)
    texts = list_questions(frame, prompt) if prompt else tuple(frame["text"])
    return LabelledPart(name, tuple(frame["headline_id"]), texts, tuple(frame["label"]), tuple(frame["group_id"]))


def load_parts(study: StudyPlan) -> "list[LabelledPart]":
    """The parts that every cell is evaluated on."""
    from storage.warehouse import reading_together

    with reading_together(Home.from_environment().warehouse):
        return [load_part(study, name) for name in PARTS]


def load_scored_parts(study: StudyPlan, cell: ModelCell, names: Sequence[str] | None = None) -> "list[LabelledPart]":
    """The named parts, with the examples and the context of the cell's prompt before each headline.

    Without names, the parts that every cell is evaluated on; for all folds together only test,
    which contains validation.
    """
    from learning.prompt.choice import ask
    from operations.examples import load_chooser
    from storage.warehouse import reading_together

    prompt = cell.settings.prompt
    part_names = names or (("test",) if study.folds else PARTS)
    with reading_together(Home.from_environment().warehouse):
        parts = [load_part(study, name, prompt) for name in part_names]
    chooser = load_chooser(study.split_id, prompt, study.config.data.near_duplicates)
    return [replace(part, texts=ask(part.texts, chooser)) for part in parts]


def load_train(study: StudyPlan, cell: ModelCell) -> tuple[tuple[str, ...], tuple[Label, ...]]:
    """The headlines that a cell is trained on, as its prompt asks them, and their labels, as jobs take them."""
    from operations.examples import ask_to_train, load_chooser

    prompt = cell.settings.prompt
    train = load_part(study, "train", prompt)
    chooser = load_chooser(study.split_id, prompt, study.config.data.near_duplicates)
    return ask_to_train(train.texts, [Label(label) for label in train.labels], chooser)


def save_results(study: StudyPlan, cell: CellPlan, results: "list[Evaluation]") -> None:
    """Write the evaluations that a cell lacks, with all their predictions, in one transaction."""
    import pandas as pd

    from storage.evaluations import save_evaluations

    warehouse, ids = Home.from_environment().warehouse, evaluation_ids(study, cell)
    named = [(ids[result.part.name, result.temperature], result) for result in results]
    decoding = None if cell.kind == "baseline" else study.config.decoding
    save_evaluations(
        warehouse,
        [evaluation_record(cell.cell_id, study.split_id, decoding, identifier, result) for identifier, result in named],
        pd.concat([prediction_rows(identifier, result) for identifier, result in named]),
        pd.concat([draw_rows(identifier, result.draws) for identifier, result in named]),
        pd.concat([curve_rows(identifier, result.curve) for identifier, result in named]),
    )


def curve_rows(evaluation_id: str, curve: "Sequence[CurvePoint]") -> "pd.DataFrame":
    """Points of an evaluation's curve over temperature, as the ledger keeps them."""
    import pandas as pd

    columns = ["evaluation_id", "at_temperature", "expected_accuracy", "unparsed_rate"]
    return pd.DataFrame([(evaluation_id, *point) for point in curve], columns=columns)


def draw_rows(evaluation_id: str, draws: "Sequence[OutcomeFigures]", first: int = 0) -> "pd.DataFrame":
    """Figures of an evaluation's draws, numbered from `first`, as the ledger keeps them."""
    import pandas as pd

    columns = ["evaluation_id", "draw", "accuracy", "macro_f1", "strict_accuracy", "unparsed_rate"]
    numbered = enumerate(draws, start=first)
    rows = [{"evaluation_id": evaluation_id, "draw": number, **asdict(figures)} for number, figures in numbered]
    return pd.DataFrame(rows, columns=columns)


def evaluation_record(
    cell_id: str, split_id: str, decoding: DecodingSettings | None, evaluation_id: str, result: "Evaluation"
) -> "EvaluationRecord":
    """An evaluation as the warehouse keeps it; without `decoding` if nothing is sampled."""
    from learning.study.identity import decoding_id
    from storage.evaluations import EvaluationRecord

    return EvaluationRecord(
        evaluation_id=evaluation_id,
        cell_id=cell_id,
        split_id=split_id,
        part=result.part.name,
        temperature=result.temperature,
        decoding_id=decoding_id(decoding) if decoding else None,
        top_k=decoding.top_k if decoding else None,
        top_p=decoding.top_p if decoding else None,
        draw_seed=decoding.seed if decoding else None,
        **asdict(result.metrics),
        draws=len(result.draws) if decoding else None,
        seconds=result.seconds,
        headlines_per_second=result.metrics.n / result.seconds,
    )


def prediction_rows(evaluation_id: str, result: "Evaluation") -> "pd.DataFrame":
    """A row for each headline; without probabilities, their columns are NULL."""
    import pandas as pd

    outcomes, probabilities = result.outcomes, result.probabilities
    argmax = outcomes if result.argmax is None else result.argmax
    columns = {name: column for column, name in enumerate(PROBABILITIES)}
    return pd.DataFrame(
        {
            "evaluation_id": evaluation_id,
            "headline_id": result.part.headline_ids,
            "predicted": _label_words(outcomes),
            **{name: None if probabilities is None else probabilities[:, at] for name, at in columns.items()},
            "parsed": outcomes < len(LABELS),
            "argmax": _label_words(argmax),
            "argmax_parsed": argmax < len(LABELS),
        }
    )


def _label_words(outcomes: "NDArray[np.int64]") -> list[str]:
    from learning.study.unparsed import parsed_labels

    return [LABELS[number].value for number in parsed_labels(outcomes)]


def cell_outcome(cell: ModelCell, outcome: "TrainingOutcome") -> "CellOutcome":
    """A training's outcome as the warehouse keeps it."""
    from storage.cells import CellOutcome

    home = Home.from_environment()
    adapter = home.adapter(cell.cell_id)
    environment: dict[str, object] = dict(outcome.environment)
    if outcome.seconds:
        environment |= {"micro_batch_size": outcome.micro_batch_size, "memory_errors": outcome.memory_errors}
    return CellOutcome(
        steps=outcome.steps,
        first_step=outcome.first_step,
        train_seconds=outcome.seconds,
        examples_per_second=outcome.examples_per_second,
        tokens_per_second=outcome.tokens_per_second,
        peak_memory_bytes=outcome.peak_memory_bytes,
        adapter_path=adapter.relative_to(home.root).as_posix(),
        environment=environment,
        status="diverged" if outcome.diverged else "finished",
        adapter_hash=outcome.adapter_hash,
        size_bytes=_count_bytes_to_answer(adapter, cell.base.folder),
    )


def _count_bytes_to_answer(fine_tune: Path, base: Path) -> int:
    """Bytes of a fine-tune's files and, where it is an adapter, of its base model's weights."""
    from learning.models.adapter_files import CONFIG

    return count_bytes(fine_tune) + (count_weight_bytes(base) if (fine_tune / CONFIG).exists() else 0)
