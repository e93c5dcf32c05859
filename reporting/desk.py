"""What a desk asks of a model, and the answer to each question, in a sentence."""

from typing import NamedTuple

from reporting.text import visible
from reporting.usable import describe_approval
from reporting.verdict import format_figure
from schemas.report import StudyReport

COMMIT_LENGTH = 12
"""Characters of a commit that are shown."""
UNKNOWN = "not recorded"


class Question(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


def answer_desk(report: StudyReport) -> list[Question]:
    """The questions of a desk, with the answers of this study, in the order in which they are asked."""
    return [
        Question(f"How often is it right where we act, from a confidence of {report.act_at:g}?", _acting(report)),
        Question("How often does it take positive for negative, or negative for positive?", _mix_ups(report)),
        Question("What may such a mix-up cost?", _cost(report)),
        Question("How much is the luck of a seed?", _seeds(report)),
        Question("How many headlines a second?", _speed(report)),
        Question("Who approved it?", describe_approval(report)),
        Question("On which machine and commit was it trained?", _machine(report)),
    ]


def _acting(report: StudyReport) -> str:
    row = next((row for row in report.tables["acting"].records() if row["threshold"] == report.act_at), None)
    if row is None or not row["n"]:
        return f"It answers no headline with that confidence, at temperature {report.chosen.temperature:g}."
    return (
        f"{format_figure(row['accuracy'])} [{format_figure(row['accuracy_low'])}, "
        f"{format_figure(row['accuracy_high'])}], by its likeliest label, on the {row['coverage']:.1%} of the "
        f"headlines that it answers so, at temperature {report.chosen.temperature:g}."
    )


def _mix_ups(report: StudyReport) -> str:
    rows = {row["evaluation_id"]: row for row in report.tables["mix_ups"].records()}
    parts = []
    for each in report.contenders:
        row = rows[each.evaluation_id]
        if each.role == "chosen":
            share = f"{row['mix_up_rate']:.1%} [{row['mix_up_rate_low']:.1%}, {row['mix_up_rate_high']:.1%}]"
            parts.append(f"{row['mix_ups']:,} of {row['n']:,} headlines, {share}")
        else:
            parts.append(f"{each.role} {row['mix_up_rate']:.1%}")
    return f"{'; '.join(parts)}."


def _cost(report: StudyReport) -> str:
    own = report.contenders[0].evaluation_id
    row = next(row for row in report.tables["mix_ups"].records() if row["evaluation_id"] == own)
    if not row["mix_ups"]:
        return f"It made none in {row['right_calls']:,} right calls of positive and negative."
    return (
        f"As much as {row['right_calls_per_mix_up']:.1f} right calls earn: it makes that many right calls of positive "
        "and negative for each mix-up. Where one costs more, acting on every call loses."
    )


def _seeds(report: StudyReport) -> str:
    [row] = report.tables["seeds"].records()
    if row["seeds"] == 1:
        return "Not known: one seed was trained. fintone run --grid training.seed=1,2,3 trains several."
    return (
        f"Over {row['seeds']} seeds, accuracy is {format_figure(row['accuracy_mean'])} on average, from "
        f"{format_figure(row['accuracy_min'])} to {format_figure(row['accuracy_max'])}, with a standard deviation of "
        f"{format_figure(row['accuracy_sd'])}."
    )


def _speed(report: StudyReport) -> str:
    [row] = report.tables["speed"].records()
    found = _environment(report)
    where = f" on {visible(found['hardware'])} ({found['device']})" if "hardware" in found else ""
    return f"{row['headlines_per_second']:,.0f}{where}, when it answered the {row['n']:,} headlines of test."


def _machine(report: StudyReport) -> str:
    found = _environment(report)
    hardware = f", {visible(found['hardware'])}" if "hardware" in found else ""
    version = f" of fintone {found['fintone']}" if "fintone" in found else ""
    commit = found.get("commit", UNKNOWN)
    shown = commit if commit == UNKNOWN else commit[:COMMIT_LENGTH] + commit[len(commit.partition("+")[0]) :]
    return f"Machine {visible(found.get('machine', UNKNOWN))}{hardware}; commit {visible(shown)}{version}."


def _environment(report: StudyReport) -> dict[str, str]:
    return {row["what"]: str(row["value"]) for row in report.tables["environment"].records()}
