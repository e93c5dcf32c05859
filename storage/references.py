"""What the warehouse refers to outside itself: adapters, reports, revisions of models, and trainings that go on."""

import json
from dataclasses import dataclass
from pathlib import Path

from storage.cells import CellRecord, load_unfinished
from storage.warehouse import reading


@dataclass(frozen=True)
class References:
    """What must be kept."""

    cells: frozenset[str]
    """Ids of all cells: each may have an adapter."""
    studies: frozenset[str]
    """Ids of all studies: each may have a report."""
    revisions: frozenset[str]
    """Revisions of base models and encoders."""
    unfinished: tuple[CellRecord, ...]
    """Fine-tuned cells of studies that are not finished: their trainings may have checkpoints."""


def load_references(warehouse: Path) -> References:
    """Everything that the warehouse refers to."""
    with reading(warehouse) as connection:
        cells = connection.execute("SELECT cell_id, base_revision, hyperparameters FROM cells").fetchall()
        studies = connection.execute("SELECT study_id FROM studies").fetchall()
    encoders = {json.loads(settings).get("revision") for _, _, settings in cells}
    revisions = {revision for _, revision, _ in cells} | encoders
    return References(
        cells=frozenset(cell_id for cell_id, *_ in cells),
        studies=frozenset(study_id for (study_id,) in studies),
        revisions=frozenset(revision for revision in revisions if revision),
        unfinished=tuple(load_unfinished(warehouse)),
    )
