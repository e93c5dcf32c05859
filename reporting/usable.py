"""May we use it: yes or no, and why, from the gate, the champion, the data and their licence."""

from typing import Any, NamedTuple

from reporting.fresh import describe_found_drop
from reporting.licences import describe_data_licence, forbids_commerce
from reporting.promotion import describe_repeats_unjudged, describe_temperature
from reporting.text import visible
from schemas.promotion import Champion
from schemas.report import StudyReport

RAISED = ("promoted", "rolled back")


class Usable(NamedTuple):
    """The answer: a word, and the reason in a sentence or two."""

    word: str
    why: str

    @property
    def is_yes(self) -> bool:
        """Whether the model may be used."""
        return self.word == "Yes"


def describe_usable(report: StudyReport) -> Usable:
    """Whether the cell that validation chose may be used, and why."""
    found, champion = _judge(report), report.champion
    if champion is None or champion.cell_id != report.chosen.cell_id:
        return found
    if report.synthetic:
        return Usable("No", "The headlines are generated: the loop works, and the figures say nothing of real news.")
    word, why = found
    licence = describe_data_licence(report.source, report.data.kind, synthetic=report.synthetic)
    if forbids_commerce(licence):
        word = "For research only" if found.is_yes else word
        why = f"{why} The licence of the data is {visible(licence)}."
    drops = report.tables["drops"].records()
    drop = next((row for row in drops if row["temperature"] == champion.temperature), None)
    return Usable("Train again", f"{describe_found_drop(drop)} {why}") if drop else Usable(word, why)


def describe_approval(report: StudyReport) -> str:
    """Who made the chosen cell champion, and when; or that nobody did."""
    row = _approval(report)
    if row is None:
        return "Nobody: it was never champion."
    who = "The promotion gate" if row["decided_by"] == "gate" else visible(row["person"] or "A person")
    text = f"{who}, on {row['decided_at']:%d %B %Y at %H:%M} UTC"
    return f"{text}: {visible(row['reason'])}." if row["decided_by"] != "gate" else f"{text}."


def _judge(report: StudyReport) -> Usable:
    """The answer by the gate and by who is champion now."""
    chosen, champion, decision = report.chosen.cell_id, report.champion, report.decision
    approved = f"Approved by: {describe_approval(report)}"
    if champion and champion.cell_id == chosen and _overrides_gate(report):
        missed = _first_reason(decision) if decision else ""
        text = f"A person made it champion, which the promotion gate did not: {missed}."
        return Usable("Against the gate", f"{text} {_describe_answering(report, champion)} {approved}")
    if champion and champion.cell_id == chosen:
        return Usable("Yes", f"It is the champion. {_describe_answering(report, champion)} {approved}")
    if _approval(report) is not None:
        now = f"cell {champion.cell_id} is champion now" if champion else "there is no champion now"
        return Usable("No longer", f"It was the champion, and {now}.")
    if decision is None and report.repeats and not report.missing:
        return Usable("Not this study", f"It was {describe_repeats_unjudged(report.repeats)}.")
    if decision is None:
        why = "the study is incomplete" if report.missing else f"the study is {report.status}"
        return Usable("Not yet", f"The promotion gate has not judged it: {why}.")
    return Usable("No", f"The promotion gate did not promote it: {_first_reason(decision)}.")


def _describe_answering(report: StudyReport, champion: Champion) -> str:
    """The temperature at which the champion answers new headlines, and that at which its study judged it."""
    return f"It answers {describe_temperature(champion.temperature, report.chosen.temperature)}."


def _overrides_gate(report: StudyReport) -> bool:
    """Whether a person made the chosen cell champion although the gate had kept the champion before."""
    row, decision = _approval(report), report.decision
    if row is None or row["decided_by"] == "gate" or decision is None:
        return False
    return bool(decision["decision"] == "kept" and decision["cell_id"] == report.chosen.cell_id)


def _first_reason(decision: dict[str, Any]) -> str:
    """The first part of the gate's reason: what was missed comes first."""
    return visible(str(decision["reason"]).partition("; ")[0])


def _approval(report: StudyReport) -> dict[str, Any] | None:
    """The latest decision, a row of `approvals`, that made the chosen cell champion."""
    rows = report.tables["approvals"].records()
    raised = [row for row in rows if row["cell_id"] == report.chosen.cell_id and row["decision"] in RAISED]
    return raised[-1] if raised else None
