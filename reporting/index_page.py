"""The page of all studies and champions of a home."""

from collections.abc import Collection

from reporting.market import summarise_market
from reporting.promotion import describe_champion
from reporting.template import render
from reporting.text import visible
from schemas.report import Index


def render_index(index: Index, reported: Collection[str]) -> str:
    """The page, whole.

    Args:
        index: Studies, decisions and measurements.
        reported: Ids of the studies that have a page of their own, in the folder of their id beside this one.
    """
    tests = index.market_tests.records()
    findings = {
        row["market_id"]: summarise_market([test for test in tests if test["market_id"] == row["market_id"]])
        for row in index.measurements.records()
    }
    return render(
        "index.html",
        studies=index.studies.records(),
        chosen={row["study_id"]: row for row in index.chosen.records()},
        decisions=index.decisions.records(),
        measurements=index.measurements.records(),
        findings=findings,
        champion=visible(describe_champion(index.champion)),
        champion_id=index.champion.cell_id if index.champion else None,
        reported=reported,
    )
