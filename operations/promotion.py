"""Manual promotion, for `fintone promote`: a person's decision is checked, then recorded."""

from dataclasses import dataclass, replace

from operations.homes import home_to_change
from operations.judged import find_judged_temperature
from operations.report_index import renew_index
from schemas.errors import InputError
from schemas.promotion import Champion
from storage.cells import find_cell, load_cell
from storage.champions import Decision, load_champion, load_champion_before, save_decision
from storage.home import Home
from storage.studies import load_study_of
from storage.warehouse import reading_together


class PromotionError(InputError):
    """The cell cannot be champion."""


@dataclass(frozen=True)
class Proposal:
    """A person's decision that is checked but not recorded yet."""

    before: Champion | None
    """The current champion."""
    decision: Decision

    @property
    def after(self) -> Champion:
        """The cell that would be champion."""
        return Champion(self.decision.cell_id, self.decision.temperature)


def propose(beginning: str, reason: str, person: str, temperature: float | None = None) -> Proposal:
    """Check that a cell can be champion, whatever the gate says.

    Args:
        beginning: The id of a fine-tuned cell, the beginning of it, or its name.
        reason: Why; it is recorded.
        person: Who decides; it is recorded.
        temperature: The sampling temperature at which it is used; the lowest that it was judged at if None.

    Raises:
        InputError: There is no such cell, it has no adapter or was not judged at it, or it is champion already.
    """
    from operations.models import check_fine_tuned

    home = home_to_change()
    with reading_together(home.warehouse):
        cell = find_cell(home.warehouse, beginning)
        check_fine_tuned(home, cell)
        lowest = find_judged_temperature(home.warehouse, cell, temperature)
        before = load_champion(home.warehouse)
    chosen = Champion(cell.record.cell_id, lowest if temperature is None else temperature)
    if chosen == before:
        raise PromotionError(
            f"cell {chosen.cell_id}: it is the champion already, at temperature {chosen.temperature:g}"
        )
    return _check(home, Decision("promoted", "person", _check_reason(reason), "", *chosen, person=person), before)


def propose_roll_back(reason: str, person: str) -> Proposal:
    """Check that the previous champion can be champion again.

    Raises:
        InputError: There is none, or its adapter is gone.
    """
    home = home_to_change()
    before, earlier = load_champion(home.warehouse), load_champion_before(home.warehouse)
    return _check(home, Decision("rolled back", "person", _check_reason(reason), "", *earlier, person=person), before)


def carry_out(proposal: Proposal) -> None:
    """Record a decision; from here on its cell is champion.

    Raises:
        ChampionChangedError: Another decision came in between, or the cell was deleted.
    """
    home = Home.from_environment()
    save_decision(home.warehouse, proposal.decision, proposal.before, of_known_cell=True)
    renew_index(home)


def _check(home: Home, decision: Decision, before: Champion | None) -> Proposal:
    """The proposal, if the cell's adapter is there."""
    from operations.models import find_adapter

    find_adapter(home, load_cell(home.warehouse, decision.cell_id))
    study_id = load_study_of(home.warehouse, decision.cell_id)
    return Proposal(before, replace(decision, study_id=study_id))


def _check_reason(reason: str) -> str:
    if not reason.strip():
        raise PromotionError("--reason: is missing or empty; give a reason, which is recorded")
    return " ".join(reason.split())
