"""Between learning and storage: what a cell computed, as the records and frames that the warehouse keeps.

Knows both sides' forms; computes and decides nothing.
"""

from dataclasses import asdict
from typing import Any

from schemas.label import LABELS
from schemas.plan import PARTS, CellPlan, StudyPlan


def evaluation_ids(study: StudyPlan, cell: CellPlan) -> dict[tuple[str, float | None], str]:
    """The evaluations that the study asks of a cell, by part and temperature; a baseline has no temperature."""
    from learning.identity import decoding_id, evaluation_id

    baseline = cell.kind == "baseline"
    temperatures = (None,) if baseline else study.config.decoding.temperatures
    decoding = None if baseline else decoding_id(study.config.decoding)
    return {
        (part, temperature): evaluation_id(cell.cell_id, part, temperature, decoding)
        for part in PARTS
        for temperature in temperatures
    }


def load_part(study: StudyPlan, name: str) -> Any:
    """A part of the study's split, as `learning.evaluation.LabelledPart`."""
    from learning.evaluation import LabelledPart
    from storage import splits
    from storage.home import Home

    frame = splits.load_part(Home.from_environment().warehouse, study.split_id, name)
    return LabelledPart(name, *(tuple(frame[column]) for column in ("headline_id", "text", "label")))


def load_parts(study: StudyPlan) -> list[Any]:
    """The parts that every cell is evaluated on."""
    return [load_part(study, name) for name in PARTS]


def save_results(study: StudyPlan, cell: CellPlan, results: list[Any]) -> None:
    """Write the evaluations that a cell lacks, with all their predictions, in one transaction."""
    import pandas as pd

    from learning.identity import decoding_id
    from storage.evaluations import EvaluationRecord, load_evaluated, save_evaluations
    from storage.home import Home

    warehouse = Home.from_environment().warehouse
    ids, decoding, sampled = evaluation_ids(study, cell), study.config.decoding, cell.kind != "baseline"
    known = load_evaluated(warehouse, cell.cell_id)
    records, frames = [], []
    for result in results:
        identifier = ids[result.part.name, result.temperature]
        if identifier in known:
            continue
        records.append(
            EvaluationRecord(
                evaluation_id=identifier,
                cell_id=cell.cell_id,
                split_id=study.split_id,
                part=result.part.name,
                temperature=result.temperature,
                decoding_id=decoding_id(decoding) if sampled else None,
                top_k=decoding.top_k if sampled else None,
                top_p=decoding.top_p if sampled else None,
                draw_seed=decoding.seed if sampled else None,
                **asdict(result.metrics),
                seconds=result.seconds,
                headlines_per_second=result.metrics.n / result.seconds,
            )
        )
        frames.append(
            pd.DataFrame(
                {
                    "evaluation_id": identifier,
                    "headline_id": result.part.headline_ids,
                    "predicted": [LABELS[number].value for number in result.predicted],
                    **_probability_columns(result.probabilities),
                }
            )
        )
    save_evaluations(warehouse, records, pd.concat(frames))


def _probability_columns(probabilities: Any) -> dict[str, Any]:
    """A column for each outcome; NULL in the ledger where there are no probabilities."""
    names = [*(f"p_{label}" for label in LABELS), "p_unparsed"]
    return dict.fromkeys(names) if probabilities is None else dict(zip(names, probabilities.T, strict=True))


def save_log(cell: CellPlan, outcome: Any) -> None:
    """Write what each step of a training told."""
    import pandas as pd

    from storage.home import Home
    from storage.studies import save_training_log

    columns = ("step", "epoch", "loss", "learning_rate", "grad_norm", "examples_per_second", "logged_at")
    rows = pd.DataFrame([{name: getattr(step, name) for name in columns} for step in outcome.log])
    rows = rows.assign(cell_id=cell.cell_id)
    save_training_log(Home.from_environment().warehouse, rows)


def cell_outcome(cell: CellPlan, outcome: Any) -> Any:
    """A training's outcome as the warehouse keeps it."""
    from storage.home import Home
    from storage.studies import CellOutcome

    return CellOutcome(
        steps=outcome.log[-1].step,
        train_seconds=outcome.seconds,
        examples_per_second=outcome.examples_per_second,
        peak_memory_bytes=outcome.peak_memory_bytes,
        adapter_path=str(Home.from_environment().adapter(cell.cell_id)),
        environment={**outcome.environment, "diverged": outcome.diverged},
    )
