"""The page of all studies and champions of a home."""

from collections.abc import Collection
from datetime import UTC, datetime

from reporting.market import summarise_market
from reporting.promotion import describe_champion
from reporting.template import read_style, templates
from reporting.text import visible
from schemas.report import Index
from schemas.version import find_version


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
    return (
        templates()
        .get_template("index.html")
        .render(
            studies=index.studies.records(),
            chosen={row["study_id"]: row for row in index.chosen.records()},
            decisions=index.decisions.records(),
            measurements=index.measurements.records(),
            findings=findings,
            champion=visible(describe_champion(index.champion)),
            champion_id=index.champion.cell_id if index.champion else None,
            reported=reported,
            style=read_style(),
            built_at=datetime.now(UTC),
            version=find_version(),
        )
    )
