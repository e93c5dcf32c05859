"""Describes the results of `fintone market` in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reporting.markdown import escape
from reporting.verdict import format_bare_p_value, format_figure, format_p_value, format_with_bounds
from schemas.comparison import SIGNIFICANCE
from schemas.listing import count, list_some
from schemas.market import RANKS

DAY_OF_ONE = "instrument-day"
"""A day of one instrument: five instruments have ten in two days."""
HELD = {"dispersion", "volume", "sentiment before", "return before"}
NAMES = {"panel": "all instruments, each day", "overall": "their mean"}
Lines = list[tuple[str, str]]


def describe_market(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Lines]:
    """Blocks of (subject, description) lines: the verdict, a block for each horizon, fifths, events."""
    tests = [row for row in found["market_reaction"] if row["measure"] not in HELD]
    yield [("verdict", summarise_market(tests)), *_describe_clear_instruments(tests)]
    for horizon in sorted({row["horizon"] for row in tests}):
        own = [row for row in tests if row["horizon"] == horizon and row["scope"] in NAMES]
        yield [(describe_sessions(horizon), ""), *((f"  {row['measure']}", describe_test(row)) for row in own)]
    quantiles = found["market_quantiles"]
    if quantiles:
        first = [row for row in quantiles if row["horizon"] == quantiles[0]["horizon"]]
        yield [
            (f"sentiment, {describe_sessions(quantiles[0]['horizon'])}", f"by fifths of the {DAY_OF_ONE}s"),
            *((f"  {row['sentiment']:+.2f}", describe_quantile(row)) for row in first),
        ]
    events = found["market_events"]
    ends = {row["direction"]: row for row in events}  # the last session of each
    days = {row["direction"]: row for row in events if row["session_offset"] == 0}
    if ends:
        yield [
            (f"{direction} days", describe_events(days[direction], end))
            for direction, end in sorted(ends.items(), reverse=True)
        ]


def summarise_market(tests: Sequence[Mapping[str, Any]]) -> str:
    """Whether returns follow the sentiment beyond noise."""
    main = [row for row in tests if row["scope"] in NAMES]
    tested = [row for row in main if row["p_holm"] is not None]
    if not tested:
        return f"nothing can be said: {main[0]['reason']}" if main else "nothing can be said"
    clear = [row for row in tested if row["p_holm"] < SIGNIFICANCE]
    if not clear:
        return f"no sign that returns follow the sentiment, in {len(tested)} tests of the panel and the mean"
    best = min(clear, key=lambda row: (row["p_holm"], row["horizon"]))
    finding = "after good news returns are higher" if best["estimate"] > 0 else "after good news returns are LOWER"
    return f"{finding} ({len(clear)} of {len(tested)} tests of the panel and the mean, corrected for their number)"


def _describe_clear_instruments(tests: Sequence[Mapping[str, Any]]) -> Lines:
    of_instruments = [row for row in tests if row["scope"] == "instrument"]
    judged = [row for row in of_instruments if row["p_holm"] is not None]
    clear = sorted({row["instrument"] for row in judged if row["p_holm"] < SIGNIFICANCE})
    if not of_instruments:
        return []
    total = len({row["instrument"] for row in of_instruments})
    return [
        (
            "alone",
            f"{len(clear)} of {total} instruments show it by themselves{f': {list_some(clear)}' if clear else ''}",
        )
    ]


def describe_sessions(horizon: int) -> str:
    """A horizon in words."""
    return "next session" if horizon == 1 else f"next {horizon} sessions"


def describe_test(row: Mapping[str, Any]) -> str:
    """One test of the panel or the mean."""
    whom = NAMES[row["scope"]]
    if row["reason"]:
        return f"{whom}: {row['reason']}"
    if row["measure"] == "sentiment":
        estimate = f"{_with_interval(row, 'estimate')} of return for sentiment +1 in place of 0"
    else:
        estimate = format_with_bounds(row["estimate"], row["low"], row["high"])
    return f"{whom}: {estimate}, {format_p_value(row['p_holm'])} corrected, {describe_days(row)}"


def show_test(row: Mapping[str, Any]) -> dict[str, str]:
    """A test as a row of Markdown with few enough columns to be seen at once."""
    is_tested = row["reason"] is None
    show = format_figure if row["measure"] == RANKS else format_percent
    return {
        "of": escape(row["instrument"] or NAMES[row["scope"]]),
        "return over": count(row["horizon"], "session"),
        "measure": "coefficient" if row["measure"] == "sentiment" else row["measure"],
        "estimate": show(row["estimate"]) if is_tested else row["reason"],
        "95 %": f"{show(row['low'])} to {show(row['high'])}" if is_tested else "",
        "p": format_bare_p_value(row["p_holm"]) if is_tested else "",
        "measured on": describe_days(row),
    }


def format_percent(value: float) -> str:
    """A return, with its sign: `+0.86%`."""
    return f"{value:+z.2%}"


def describe_days(row: Mapping[str, Any]) -> str:
    """How many days a test is of, or days of one instrument."""
    return count(row["days"], DAY_OF_ONE if row["scope"] == "panel" else "day")


def describe_quantile(row: Mapping[str, Any]) -> str:
    """The instrument-days of one fifth."""
    mean = _with_interval(row, "mean_return")
    return f"{count(row['days'], DAY_OF_ONE)}, mean return {mean}, {row['share_up']:.0%} up"


def describe_events(day: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    """What prices did after days of strong sentiment."""
    after = end["abnormal_return"] - day["abnormal_return"]
    days = count(day["events"], DAY_OF_ONE)
    return (
        f"{days} of strong sentiment: abnormal return {format_percent(after)} in the {end['session_offset']} sessions "
        f"after; {_with_interval(end, 'abnormal_return')} with the 5 before and the day"
    )


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    value = format_percent(row[name])
    if row["low"] is None:
        return f"{value} (too few sessions for an interval)"
    return f"{value} [{format_percent(row['low'])}, {format_percent(row['high'])}]"
