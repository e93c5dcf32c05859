"""The flow `market`: how returns follow the sentiment of a model."""

from prefect import flow

from flows.deployment import begin_flow
from operations.homes import created_home
from schemas.market import MarketSettings, Measured
from tasks.market import measure_market


@flow(name="market", flow_run_name="market {settings.prices} with {settings.model}")
def market(settings: MarketSettings) -> Measured:
    """Measure how returns follow the sentiment of the champion, of all champions, or of a named cell.

    Args:
        settings: The prices, the exchange, the horizons and the model.

    Returns:
        The measurement: its figures are in the views `market_reaction`, `market_quantiles` and `market_events`.
    """
    begin_flow()
    created_home()
    return measure_market(settings)
