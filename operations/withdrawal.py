"""Withdraws the answers that were stored for a cell by an adapter other than its own. Runs without Prefect."""

from operations.homes import home_to_change
from operations.models import check_fine_tuned
from schemas.listing import count
from storage.cells import find_cell
from storage.scores import withdraw_scores


def withdraw_answers(beginning: str) -> list[tuple[str, str]]:
    """Delete a cell's stored answers that are not known to be those of its adapter.

    Args:
        beginning: The id of a fine-tuned cell, the beginning of it, or its name.

    Returns:
        What was withdrawn, as (subject, description) lines.

    Raises:
        InputError: There is no such cell, or it is no fine-tune.
    """
    home = home_to_change()
    cell = find_cell(home.warehouse, beginning)
    check_fine_tuned(home, cell)
    withdrawn = withdraw_scores(home.warehouse, cell.record.cell_id)
    known = cell.outcome.adapter_hash if cell.outcome else None
    answers = "nothing: this adapter gave every stored answer of the cell"
    if withdrawn:
        answers = (
            f"{count(withdrawn, 'answer')} that this adapter is not known to have given; score their sources again"
        )
    return [("cell", f"{cell.record.cell_id}, adapter {known or 'not known yet'}"), ("withdrawn", answers)]
