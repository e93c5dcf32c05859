"""Comparisons that an older version made in a study of folds are made again."""

from collections.abc import Callable
from pathlib import Path

from schemas.split import Repeats
from storage.fold_numbers import read_folds
from storage.folds import load_divisions
from storage.warehouse import prepare_warehouse, reading, writing
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


def test_the_folds_of_two_cells_are_those_of_the_headlines_that_both_answered(warehouse: Path) -> None:
    """Cell a pools three folds of headlines 0 to 5, b two of 2 to 6; c is not divided, d pools the folds of a."""
    folds = {"thirds": {"first": "01", "second": "23", "third": "45"}, "halves": {"left": "35", "right": "246"}}
    cells = {"a": "thirds", "b": "halves", "c": "whole", "d": "thirds"}
    with writing(warehouse) as connection:
        for split, parts in folds.items():
            for number, (name, headlines) in enumerate(parts.items(), start=1):
                values = {"split_id": f"'{split}'", "fold": str(number), "fold_split_id": f"'{name}'"}
                fill(connection, "split_folds", values)
                for each in headlines:
                    fill(connection, "splits", {"split_id": f"'{name}'", "headline_id": f"'{each}'", "part": "'test'"})
        for cell, split in cells.items():
            fill(connection, "cells", {"cell_id": f"'{cell}'", "kind": "'fine-tuned'", "split_id": f"'{split}'"})
            ids = {"evaluation_id": f"'{cell}'", "cell_id": f"'{cell}'"}
            fill(connection, "evaluations", {**ids, "split_id": f"'{split}'", "part": "'test'"})
            for each in "23456" if split == "halves" else "012345":
                fill(
                    connection,
                    "ledger.predictions",
                    {"evaluation_id": f"'{cell}'", "headline_id": f"'{each}'", "predicted": "'neutral'"},
                )
    with reading(warehouse) as connection:
        found = {
            pair: {split: folds.tolist() for split, folds in read_folds(connection, *pair).items()}
            for pair in ("ab", "ac", "ad", "cb")
        }
    assert found == {
        "ab": {"thirds": [0, 0, 1, 1], "halves": [1, 0, 1, 0]},  # no headline of the first third
        "ac": {"thirds": [0, 0, 1, 1, 2, 2]},
        "ad": {"thirds": [0, 0, 1, 1, 2, 2]},
        "cb": {"halves": [1, 0, 1, 0]},
    }


def test_the_folds_and_windows_of_splits_are_those_of_their_studies_in_the_order_of_the_splits(warehouse: Path) -> None:
    with writing(warehouse) as connection:
        for number, (split, settings) in enumerate([("a", '"folds": 3'), ("a", '"folds": 3'), ("b", '"windows": 2')]):
            config = f"'{{\"split\": {{{settings}}}}}'"
            values = {"study_id": f"'{number}'", "split_id": f"'{split}'", "config": config, "temperatures": "[1]"}
            fill(connection, "studies", {**values, "number": str(number)})
    assert load_divisions(warehouse, ["b", "a", "c"]) == (Repeats(2, "window"), Repeats(3, "fold"))
    assert load_divisions(warehouse, []) == ()
