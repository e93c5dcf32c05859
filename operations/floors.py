"""Describes a manual promotion before it happens: the figures of both cells, and the floors of the gate.

It reads finished evaluations only, and does not count as a look at the test headlines.
"""

from typing import TYPE_CHECKING, Any

from operations.promotion import Proposal
from operations.rivals import meet, meet_baseline
from reporting.promotion import describe_checks
from reporting.verdict import format_ratio, format_with_bounds
from schemas.evaluation import PromotionSettings
from schemas.promotion import Champion, Check
from schemas.stored import read_stored
from storage.cells import load_cell
from storage.home import Home
from storage.looks import load_standing
from storage.lookup import UnknownIdError
from storage.studies import load_config_of
from storage.warehouse import reading_together

if TYPE_CHECKING:
    from learning.study.promotion import Rival


def describe_proposal(proposal: Proposal) -> list[tuple[str, str]]:
    """Both cells with their figures on test, and the floors that the new one misses and meets, in lines."""
    home = Home.from_environment()
    with reading_together(home.warehouse):
        after = _describe(home, proposal.after, as_promoted=_as_promoted(proposal))
        lines = [("champion now", _describe(home, proposal.before)), ("becomes champion", after)]
        checks = _check_floors(home, proposal)
    if checks is None:
        return [*lines, ("floors", "not known, since it was not evaluated on the test headlines of its study")]
    missed = [check for check in checks if not check.is_passed]
    met = [check for check in checks if check.is_passed]
    return [
        *lines,
        ("floors missed", describe_checks(missed) or "none"),
        ("floors met", describe_checks(met) or "none"),
    ]


def _as_promoted(proposal: Proposal) -> bool:
    """Whether an earlier promotion decides by which evaluation the new champion answers; else the latest one does."""
    return proposal.decision.decision == "rolled back"


def _describe(home: Home, champion: Champion | None, *, as_promoted: bool = True) -> str:
    """A cell with its name and its figures on the test part of its own split."""
    from storage.evaluations import load_test_figures

    if champion is None:
        return "none"
    at = f"at temperature {champion.temperature:g}"
    try:
        record = load_cell(home.warehouse, champion.cell_id).record
    except UnknownIdError:
        return f"cell {champion.cell_id} {at}: not in the warehouse, as its study was deleted"
    figures = load_test_figures(home.warehouse, *champion, as_promoted=as_promoted)
    summary = _format_figures(figures) if figures else "not evaluated on its own test part"
    return f"cell {champion.cell_id} ({record.name}) {at}: {summary}"


def _format_figures(figures: dict[str, Any]) -> str:
    accuracy = format_with_bounds(figures["accuracy"], figures["accuracy_low"], figures["accuracy_high"])
    rest = f"macro-F1 {format_ratio(figures['macro_f1'])}, unparsed {format_ratio(figures['unparsed_rate'] or 0)}"
    return f"accuracy {accuracy}, {rest}, on {figures['n']:,} test headlines"


def _check_floors(home: Home, proposal: Proposal) -> tuple[Check, ...] | None:
    """Every floor of the gate, at the level that it would judge with now; None without an evaluation to judge by."""
    from learning.study.promotion import judge, spend
    from storage.evaluations import load_test_figures

    cell, split_id = proposal.after, load_cell(home.warehouse, proposal.after.cell_id).record.split_id
    figures = load_test_figures(home.warehouse, *cell, as_promoted=_as_promoted(proposal))
    if figures is None:
        return None
    stored = load_config_of(home.warehouse, cell.cell_id).get("promotion", {})
    settings = read_stored(PromotionSettings, "promotion", stored)
    judged = figures["evaluation_id"]
    standing = load_standing(home.warehouse, split_id, judged)
    same = standing.same_look  # which the gate would repeat, at the level of then
    level = same["level"] if same else spend(settings.level, standing.looks).level
    baseline = meet_baseline(home.warehouse, proposal.decision.study_id, judged)
    champion = _meet_champion(home, proposal.before, judged) if proposal.before else None
    return judge(figures["accuracy"], figures["unparsed_rate"] or 0, baseline, champion, settings, level)


def _meet_champion(home: Home, champion: Champion, judged: str) -> "Rival":
    """The champion as a rival on the same headlines, if it was evaluated on some of them, be it in another split."""
    from learning.study.promotion import Rival
    from storage.evaluations import find_shared_evaluation

    other = find_shared_evaluation(home.warehouse, *champion, judged)
    if other is None:
        return Rival(champion.cell_id, None, "it was not evaluated on these headlines")
    return meet(home.warehouse, champion.cell_id, judged, other)
