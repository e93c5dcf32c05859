"""The checkpoints of unfinished trainings: where those of a cell are."""

from collections.abc import Collection
from pathlib import Path

from schemas.stored import read_cell
from storage.cells import CellRecord, load_unfinished
from storage.home import Home


def find_training(cell: CellRecord) -> str:
    """The id of a cell's training, after which the folder of its checkpoints is named."""
    from learning.kinds.resolution import plan_base
    from learning.models.base_model import ResolvedModel
    from learning.study.identity import training_id

    settings = read_cell(cell.hyperparameters)
    found = ResolvedModel(cell.model, Path(cell.base_folder or ""), cell.base_revision or "")
    return training_id(settings, cell.split_id, plan_base(found, settings.base_model.quantization))


def list_checkpoints(home: Home, cells: Collection[str]) -> list[Path]:
    """The checkpoint folders that only these cells (ids) have; several cells may share a training."""
    own: set[str] = set()
    others: set[str] = set()
    for cell in load_unfinished(home.warehouse):
        (own if cell.cell_id in cells else others).add(find_training(cell))
    return [place for training in sorted(own - others) if (place := home.checkpoints / training).is_dir()]
