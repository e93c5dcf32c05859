"""Tasks around a study: plan it, extend it by the epoch curve, publish what it found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from reporting.data_report import escape
from reporting.verdict import tell_baseline
from schemas.comparison import BaselineVerdict
from schemas.config import StudyConfig
from schemas.errors import FailureError
from schemas.plan import BaseModelPlan, CellPlan, EncoderPlan, IngestedSource, StudyPlan, name_cell
from tasks.progress import announce

if TYPE_CHECKING:
    from storage.studies import StoredCell

LEADERBOARD_KEY = "leaderboard"


class NothingTrainedError(FailureError):
    """Every cell of a study's grid failed."""


@task(task_run_name="plan study {config.name}")
def plan_study(config: StudyConfig, ingested: IngestedSource, split_id: str) -> StudyPlan:
    """Find and check the base model and the encoder, lay out all cells, and record them as planned."""
    from learning.base_model import resolve_base_model
    from learning.grid import plan_study as lay_out
    from learning.identity import decoding_id
    from storage.home import Home
    from storage.studies import StudyRecord, add_cells, save_study

    home = Home.from_environment()
    base = resolve_base_model(config.base_model.name, config.base_model.revision, home.models)
    base_plan = BaseModelPlan(
        name=base.name, folder=base.folder, revision=base.revision, quantization=config.base_model.quantization
    )
    study = lay_out(config, ingested.snapshot_id, split_id, base_plan, _find_encoder(config.baselines.embedding_model))
    record = StudyRecord(
        study_id=study.study_id,
        profile=config.name,
        snapshot_id=ingested.snapshot_id,
        split_id=split_id,
        base_model=base.name,
        base_revision=base.revision,
        source=ingested.source,
        synthetic=ingested.synthetic,
        config=config.model_dump(mode="json"),
        temperatures=config.decoding.temperatures,
        decoding_id=decoding_id(config.decoding),
    )
    save_study(home.warehouse, record)
    add_cells(home.warehouse, study.study_id, _cell_records(study, (study.base_cell, *study.baselines, *study.cells)))
    announce(f"study {study.study_id}: base model {base.name}, {len(study.cells)} cells to fine-tune")
    announce(_tell_steps(study))
    return study


@task(task_run_name="plan epoch curve")
def plan_epoch_curve(study: StudyPlan) -> tuple[CellPlan, ...]:
    """Choose the best learning rate on validation and add its missing epochs to the study.

    Raises:
        NothingTrainedError: No fine-tuned cell has been evaluated.
    """
    from learning.grid import best_row, plan_curve
    from storage.evaluations import load_selection
    from storage.home import Home
    from storage.studies import add_cells

    warehouse = Home.from_environment().warehouse
    rows = load_selection(warehouse, study.study_id)
    if not rows:
        raise _nothing_trained(study)
    best = best_row(rows)
    cells = plan_curve(study, best["learning_rate"])
    add_cells(warehouse, study.study_id, _cell_records(study, cells))
    announce(f"epoch curve: {len(cells)} more cells at learning rate {best['learning_rate']:g}, best on validation")
    return cells


@task(task_run_name="publish leaderboard")
def publish_leaderboard(study: StudyPlan, ingested: IngestedSource) -> None:
    """Show the leaderboard and a summary in the Prefect UI, and mark the study finished, or incomplete.

    Raises:
        NothingTrainedError: No fine-tuned cell has been evaluated.
    """
    from learning.grid import best_row
    from storage.champions import load_decision
    from storage.comparisons import load_verdicts
    from storage.evaluations import load_leaderboard, load_selection
    from storage.home import Home
    from storage.studies import finish_study, load_missing

    warehouse = Home.from_environment().warehouse
    rows, missing = load_selection(warehouse, study.study_id), load_missing(warehouse, study.study_id)
    if not rows:
        raise _nothing_trained(study)
    test, best = load_leaderboard(warehouse, study.study_id), best_row(rows)
    described = f"{ingested.source}, study {study.study_id}, {test[0]['n']} test headlines"
    create_table_artifact([_table_row(row) for row in test], key=LEADERBOARD_KEY, description=described)
    verdict = load_verdicts(warehouse, study.study_id, best["cell_id"]).get(best["temperature"])
    summary = _summarise(study, escape(ingested.source), best, test, verdict)
    summary += _tell_decision(load_decision(warehouse, study.study_id)) + _note_missing(missing)
    create_markdown_artifact(summary, key="summary", description=described)
    finish_study(warehouse, study.study_id, "incomplete" if missing else "finished")


def tell_missing(missing: Sequence["StoredCell"]) -> str:
    """Which cells a study lacks, and why, in a line."""
    named = [f"{_title(cell)} ({cell.reason or _tell_status(cell)})" for cell in missing]
    return f"{len(named)} cell{'' if len(named) == 1 else 's'} missing: " + "; ".join(named)


def _tell_status(cell: "StoredCell") -> str:
    return cell.status if cell.outcome is None else "trained, and not evaluated"


def _nothing_trained(study: StudyPlan) -> NothingTrainedError:
    from storage.home import Home
    from storage.studies import load_missing

    missing = load_missing(Home.from_environment().warehouse, study.study_id)
    return NothingTrainedError(f"study {study.study_id}: no cell could be trained; {tell_missing(missing)}")


def _note_missing(missing: Sequence["StoredCell"]) -> str:
    return f"\n\n**{tell_missing(missing)}.**" if missing else ""


def _tell_decision(decision: dict[str, Any] | None) -> str:
    """What the promotion gate said, in a paragraph."""
    if decision is None:
        return "\n\n**Promotion**: not judged, since cells are missing."
    champion = decision["champion_cell_id"]
    verdict = "promoted to champion" if decision["decision"] == "promoted" else "not promoted"
    stands = f" Champion: `{champion}`." if champion else " There is no champion."
    return f"\n\n**Promotion**: `{decision['cell_id']}` {verdict}: {decision['reason']}.{stands}"


def _title(cell: "StoredCell") -> str:
    record = cell.record
    return name_cell(record.kind, record.model, record.learning_rate, record.epochs, record.seed)


def _tell_steps(study: StudyPlan) -> str:
    """How many steps the grid trains, and how many it need not, since cells share them."""
    from learning.schedule import count_steps, count_trained_steps
    from storage.home import Home
    from storage.splits import load_split_counts

    counts = load_split_counts(Home.from_environment().warehouse, study.split_id)
    train = sum(number for part, _, number in counts if part == "train")
    trained = count_trained_steps(study.cells, study.config.training, train)
    alone = sum(count_steps(train, study.config.training.batch_size, cell.epochs or 0) for cell in study.cells)
    shared = f", where each cell alone would take {alone:,} in all" if trained < alone else ""
    return f"steps to train: {trained:,}{shared}"


def _find_encoder(name: str | None) -> EncoderPlan | None:
    """Find and check the encoder that a study names."""
    from learning.embeddings import resolve_encoder
    from storage.home import Home

    if name is None:
        return None
    found = resolve_encoder(name, Home.from_environment().models)
    return EncoderPlan(name=found.name, folder=found.folder, revision=found.revision)


def _cell_records(study: StudyPlan, cells: tuple[CellPlan, ...]) -> list[Any]:
    from storage.studies import CellRecord

    return [
        CellRecord(
            cell_id=cell.cell_id,
            kind=cell.kind,
            model=cell.model,
            learning_rate=cell.learning_rate,
            epochs=cell.epochs,
            seed=cell.seed,
            snapshot_id=study.snapshot_id,
            split_id=study.split_id,
            hyperparameters=_hyperparameters(study, cell),
        )
        for cell in cells
    ]


def _hyperparameters(study: StudyPlan, cell: CellPlan) -> dict[str, Any]:
    """The settings that made the cell what it is, beside its learning rate, epochs and seed."""
    from learning.grid import EMBEDDINGS

    if cell.kind == "fine-tuned":
        return study.config.model_dump(mode="json", include={"lora", "training", "prompt", "base_model"})
    if study.encoder and cell.model == EMBEDDINGS:
        return {"embedding_model": study.encoder.name, "revision": study.encoder.revision}
    return {}


def _table_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the leaderboard as the Prefect UI shows it: so few columns that all are seen at once."""
    named = name_cell(*(row[name] for name in ("kind", "model", "learning_rate", "epochs", "seed")))
    return {
        "model": named,
        "T": "" if row["temperature"] is None else f"{row['temperature']:g}",
        "accuracy": _three_digits(row["accuracy"]),
        "95 %": f"{_three_digits(row['accuracy_low'])} - {_three_digits(row['accuracy_high'])}",
        "macro-F1": _three_digits(row["macro_f1"]),
        "expected": _three_digits(row["expected_accuracy"]),
        "unparsed": _three_digits(row["unparsed_rate"]),
        "cell": f"{row['cell_id']}{' (champion)' if row['is_champion'] else ''}",
    }


def _three_digits(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"


def _summarise(
    study: StudyPlan, source: str, best: Any, test: list[dict[str, Any]], verdict: BaselineVerdict | None
) -> str:
    """The answer in a few lines: which cell validation chose, what test says of it, and whether it was worth it."""
    [judged] = [row for row in test if (row["cell_id"], row["temperature"]) == (best["cell_id"], best["temperature"])]
    title = next(cell.title for cell in (*study.cells, *curve_cells(study)) if cell.cell_id == best["cell_id"])
    worth = f" {tell_baseline('It', verdict)}." if verdict else ""
    return (
        f"## {title}\n\nBest on validation, of study `{study.study_id}` ({source}).\n\n"
        f"On {judged['n']} test headlines at temperature {judged['temperature']:g}: accuracy "
        f"{judged['accuracy']:.3f} (95 % interval {judged['accuracy_low']:.3f} to {judged['accuracy_high']:.3f}), "
        f"macro-F1 {judged['macro_f1']:.3f}.{worth}\n\nCell `{best['cell_id']}`."
    )


def curve_cells(study: StudyPlan) -> tuple[CellPlan, ...]:
    """The cells that an epoch curve may add, whichever learning rate is best."""
    from learning.grid import plan_curve

    return tuple(cell for rate in study.config.grid.learning_rates for cell in plan_curve(study, rate))
