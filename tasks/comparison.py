"""The task that compares the cells of a study, so that nobody takes noise for progress."""

from dataclasses import asdict

from prefect import task

from storage.home import Home
from tasks.progress import announce


@task(task_run_name="compare cells")
def compare_cells(study_id: str) -> None:
    """Compare every two cells of a study on its test part, at every temperature; replaces earlier comparisons.

    Only test is used: validation chose between the cells and flatters its choice, and each additional pair makes Holm's
    correction stricter for all.
    """
    import pandas as pd

    from learning.study.comparison import compare_all
    from storage.comparisons import load_runs, save_comparisons
    from storage.fold_numbers import load_fold_numbers, load_undivided

    warehouse = Home.from_environment().warehouse
    labels, predictions = load_runs(warehouse, study_id, "test")
    folds, undivided = load_fold_numbers(warehouse, study_id, "test"), load_undivided(warehouse, study_id)
    compared = compare_all(labels, predictions, folds, undivided)
    rows = [
        {
            "temperature": temperature if other_temperature is None else other_temperature,
            "cell_id": cell_id,
            "other_cell_id": other_cell_id,
            **asdict(comparison),
        }
        for (cell_id, temperature), (other_cell_id, other_temperature), comparison in compared
    ]
    save_comparisons(warehouse, study_id, "test", pd.DataFrame(rows))
    announce(
        f"compared {len(rows):,} pairs of cells on {len(labels):,} test headlines: every two at each temperature, for "
        "`fintone compare` and the report"
    )
