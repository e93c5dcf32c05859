"""What of a study is finished already, and what an older fintone finished and this one runs again."""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from operations.planning import cell_records, lay_out
from schemas.config import StudyConfig
from schemas.listing import count, list_some
from schemas.plan import StudyPlan
from schemas.stored import read_cell
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from operations.splitting import Division
    from storage.cells import CellRecord


def preview_work(config: StudyConfig, headlines: "pd.DataFrame", division: "Division") -> list[tuple[str, str]]:
    """What a study has done and what it would do again, before anything runs, as (subject, description) lines.

    Args:
        config: The study; its base models are on this machine.
        headlines: Its headlines, in the order of their snapshot.
        division: What its split takes from them.
    """
    from ingestion.identity import snapshot_id
    from operations.splitting import identify_split
    from storage.warehouse import is_current

    warehouse = Home.from_environment().warehouse
    if not warehouse.exists():
        return []
    if not is_current(warehouse):
        older = (
            "an older fintone made the warehouse; `fintone report` updates it, after which this shows what is run again"
        )
        return [("again", older)]
    snapshot = snapshot_id(headlines["headline_id"].tolist(), config.data.near_duplicates)
    split = identify_split(snapshot, headlines, config.split, division)
    study = lay_out(config, snapshot, split)
    again = [("again", line) for line in describe_reruns(warehouse, study)]
    return [*_describe_finished(warehouse, study), *again]


def _describe_finished(warehouse: Path, study: StudyPlan) -> list[tuple[str, str]]:
    from storage.cells import load_finished

    finished = {record.cell_id for record in load_finished(warehouse, study.split_id)}
    number = sum(cell.cell_id in finished for cell in study.cells)
    whole = count(len(study.cells), "fine-tune")
    return [("finished", f"{number} of {whole} of the grid; what is finished is not trained again")] if number else []


def describe_reruns(warehouse: Path, study: StudyPlan) -> list[str]:
    """What is run again and why, in a line for each kind of model and each baseline.

    Args:
        warehouse: The DuckDB file.
        study: What is to run.
    """
    from learning.kinds.registry import recorded_kind
    from storage.cells import load_finished

    finished = {record.cell_id: record for record in load_finished(warehouse, study.split_id)}
    planned = cell_records(study, (*study.baselines, *study.cells))
    new = [record for record in planned if record.cell_id not in finished]
    same = {_key(older) for older in finished.values()}
    again = [record for record in new if _key(record) in same]
    lines = [
        f"{record.name}: its code has changed since it was evaluated, and answers differently"
        for record in again
        if _is_baseline(record)
    ]
    trained: dict[str, list[str]] = {}
    for record in again:
        if not _is_baseline(record):
            changes = recorded_kind(record.kind_of_model, Path(record.base_folder or "")).training_changes
            trained.setdefault(changes[max(changes)], []).append(record.name)
    for why, names in trained.items():
        cells = f"{count(len(names), 'cell')}"
        lines.append(f"{cells} that an older fintone trained ({list_some(names)}), since {why}")
    return lines


def _is_baseline(record: "CellRecord") -> bool:
    return record.kind == "baseline"


def _key(record: "CellRecord") -> Hashable:
    """What is equal for two cells of one split that differ at most in the version of the code."""
    if record.kind != "fine-tuned":
        return record.kind, record.model, json.dumps(record.hyperparameters, sort_keys=True)
    settings = read_cell(record.hyperparameters)
    fitted = (settings.prompt, settings.lora, settings.training)
    return (
        record.kind,
        record.base_revision,
        settings.base_model.quantization,
        *(group.model_dump_json() for group in fitted),
    )
