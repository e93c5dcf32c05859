"""The queries behind the market section of a report: the latest measurement of the chosen cell."""

from schemas.report import Chosen

MOST_INSTRUMENTS = 10
"""The most instruments that are shown individually, those with the smallest p-values."""


def market_queries(chosen: Chosen) -> dict[str, str]:
    """Each query by the name of its result; without a measurement their results are empty."""
    latest = f"(SELECT max_by(market_id, measured_at) FROM markets WHERE cell_id = '{chosen.cell_id}')"  # noqa: S608
    return {
        "market": (
            "SELECT scope, instrument, horizon, measure, estimate, low, high, p_holm, days, reason, prices"  # noqa: S608
            f" FROM market_reaction WHERE market_id = {latest} AND (p_holm IS NOT NULL OR reason IS NOT NULL) AND"
            " (scope <> 'instrument' OR instrument IN (SELECT instrument FROM market_reaction WHERE market_id ="
            f" {latest} AND scope = 'instrument' GROUP BY ALL ORDER BY min(p_value), instrument"
            f" LIMIT {MOST_INSTRUMENTS}))"
        ),
        "market_quantiles": (
            "SELECT horizon, quantile, days, sentiment, mean_return, low, high, share_up FROM market_quantiles"  # noqa: S608
            f" WHERE market_id = {latest}"
        ),
        "market_events": (
            "SELECT direction, session_offset, abnormal_return, low, high, events FROM market_events"  # noqa: S608
            f" WHERE market_id = {latest}"
        ),
    }
