"""The task that compares sentiment with returns."""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact

from reporting.markdown import escape
from reporting.market import NAMES, RANKS, describe_days, format_percent
from reporting.verdict import format_figure, format_p_value
from schemas.listing import count
from schemas.market import MarketSettings, Measured
from tasks.progress import announce

MARKET_KEY = "market-reaction"


@task(task_run_name="measure {settings.prices}")
def measure_market(settings: MarketSettings) -> Measured:
    """Measure how returns follow the sentiment of a model; the figures are an artifact of the run."""
    from operations.market import measure_market as measure
    from storage.home import Home
    from storage.market import load_market

    measured = measure(settings)
    for note in measured.notes:
        announce(note)
    rows = load_market(Home.from_environment().warehouse, measured.market_id)["market_reaction"]
    table = [_table_row(row) for row in rows if row["p_holm"] is not None or row["reason"]]
    whose = "the champions of their time" if measured.cell_id is None else f"cell {measured.cell_id}"
    described = f"{escape(settings.prices)}, sentiment of {whose}, measurement {measured.market_id}"
    create_table_artifact(table, key=MARKET_KEY, description=described)
    return measured


def _table_row(row: Mapping[str, Any]) -> dict[str, str]:
    """A test as the Prefect UI shows it, with few enough columns to be seen at once."""
    is_tested = row["reason"] is None
    show = format_figure if row["measure"] == RANKS else format_percent
    return {
        "of": escape(row["instrument"] or NAMES[row["scope"]]),
        "return over": count(row["horizon"], "session"),
        "measure": "coefficient" if row["measure"] == "sentiment" else row["measure"],
        "estimate": show(row["estimate"]) if is_tested else row["reason"],
        "95 %": f"{show(row['low'])} to {show(row['high'])}" if is_tested else "",
        "p": format_p_value(row["p_holm"]).removeprefix("p").removeprefix("=") if is_tested else "",
        "measured on": describe_days(row),
    }
