"""Comparisons that an older version made in a study of folds are made again."""

from collections.abc import Callable
from pathlib import Path

from storage.warehouse import prepare_warehouse, writing
from tests.asking import ask
from tests.storage.test_time_views import fill


def test_an_older_warehouse_keeps_only_comparisons_on_single_splits(
    make_older_warehouse: Callable[[int], Path],
) -> None:
    path = make_older_warehouse(35)
    with writing(path) as connection:
        for study, split in (("folds", "pooled"), ("single", "plain")):
            fill(connection, "studies", {"study_id": f"'{study}'", "split_id": f"'{split}'", "temperatures": "[1]"})
            fill(connection, "ledger.comparisons", {"study_id": f"'{study}'", "part": "'test'", "cell_id": "'a'"})
        fill(connection, "split_folds", {"split_id": "'pooled'", "fold": "1", "fold_split_id": "'first'"})
    prepare_warehouse(path)
    assert ask(path, "SELECT study_id FROM ledger.comparisons") == [("single",)]
