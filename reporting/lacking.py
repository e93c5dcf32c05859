"""Describes what an unfinished study lacks, which is the first statement of its page."""

from schemas.listing import count
from schemas.report import StudyReport

_ENDS = {
    "running": "it is running, or its process ended without a message.",
    "interrupted": "its run was interrupted.",
    "failed": "its run failed.",
}
"""How a run ended, by the status of its study."""


def describe_lacking(report: StudyReport) -> str | None:
    """What an unfinished study lacks, in a paragraph; None for a finished one."""
    if report.status == "finished" and not report.missing:
        return None
    sentences = [_ENDS[report.status]] if report.status in _ENDS else []
    if report.missing:
        cells = count(len(report.missing), "cell has", "cells have")
        sentences.append(f"{cells} no result: {'; '.join(report.missing)}.")
    sentences.append("What follows covers the cells that have one. The command that began the study completes it.")
    return " ".join(sentences)
