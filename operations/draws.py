"""Draws that a study asks for beyond those that an evaluation has: from the ledger, without a scoring."""

from operations.records import draw_rows, evaluation_ids
from schemas.plan import CellPlan, StudyPlan


def add_draws(study: StudyPlan, cell: CellPlan) -> None:
    """Draw what the cell's evaluations lack of the study's draws; they are what a scoring would have drawn."""
    import pandas as pd

    from learning.study.evaluation import LabelledPart, measure_draws
    from storage.draws import PROBABILITIES, load_distributions, load_drawn, save_draws
    from storage.home import Home

    warehouse, wanted = Home.from_environment().warehouse, study.config.decoding.draws
    own, frames = set(evaluation_ids(study, cell).values()), []
    for evaluation in load_drawn(warehouse, cell.cell_id, wanted):
        if evaluation.evaluation_id not in own:
            continue
        ledger = load_distributions(warehouse, evaluation.evaluation_id)
        part = LabelledPart(evaluation.part, tuple(ledger["headline_id"]), (), tuple(ledger["label"]))
        probabilities, numbers = ledger[list(PROBABILITIES)].to_numpy(), range(evaluation.draws, wanted)
        figures = measure_draws(part, probabilities, evaluation.temperature, evaluation.seed, numbers)
        frames.append(draw_rows(evaluation.evaluation_id, figures, first=evaluation.draws))
    if frames:
        save_draws(warehouse, pd.concat(frames))
