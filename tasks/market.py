"""The task that compares sentiment with returns."""

from prefect import task
from prefect.artifacts import create_table_artifact

from reporting.markdown import escape
from reporting.market import show_test
from schemas.market import MarketSettings, Measured
from storage.home import Home
from tasks.progress import announce

MARKET_KEY = "market-reaction"


@task(task_run_name="measure {settings.prices}")
def measure_market(settings: MarketSettings) -> Measured:
    """Measure how returns follow the sentiment of a model; the figures are an artifact of the run."""
    from operations.market import measure_market as measure
    from storage.market import load_market

    measured = measure(settings)
    for note in measured.notes:
        announce(note)
    rows = load_market(Home.from_environment().warehouse, measured.market_id)["market_reaction"]
    table = [show_test(row) for row in rows if row["p_holm"] is not None or row["reason"]]
    whose = "the champions of their time" if measured.cell_id is None else f"cell {measured.cell_id}"
    described = f"{escape(settings.prices)}, sentiment of {whose}, measurement {measured.market_id}"
    create_table_artifact(table, key=MARKET_KEY, description=described)
    return measured
