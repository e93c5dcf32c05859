"""Adds draws to evaluations that have fewer than a study needs: from the ledger, without scoring again."""

from operations.records import draw_rows, evaluation_ids
from schemas.label import PROBABILITIES
from schemas.plan import CellPlan, StudyPlan
from storage.home import Home


def add_draws(study: StudyPlan, cell: CellPlan) -> None:
    """Add the study's draws that the cell's evaluations lack; scoring again would draw the same."""
    import pandas as pd

    from learning.study.evaluation import LabelledPart, measure_draws
    from storage.draws import load_distributions, load_drawn, save_draws

    warehouse, wanted = Home.from_environment().warehouse, study.config.decoding.draws
    wanted_ids, frames = set(evaluation_ids(study, cell).values()), []
    for evaluation in load_drawn(warehouse, cell.cell_id, wanted):
        if evaluation.evaluation_id not in wanted_ids:
            continue
        ledger = load_distributions(warehouse, evaluation.evaluation_id)
        part = LabelledPart(evaluation.part, tuple(ledger["headline_id"]), (), tuple(ledger["label"]))
        probabilities, numbers = ledger[list(PROBABILITIES)].to_numpy(), range(evaluation.draws, wanted)
        figures = measure_draws(part, probabilities, evaluation.temperature, evaluation.seed, numbers)
        frames.append(draw_rows(evaluation.evaluation_id, figures, first=evaluation.draws))
    if frames:
        save_draws(warehouse, pd.concat(frames))
