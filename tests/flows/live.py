"""How many cells the live view shows in each state, from the events of a flow."""

from collections import Counter
from typing import Any

from cli.session.live import LiveView


def count_states(events: list[dict[str, Any]]) -> Counter[str]:
    """How many cells the live view shows in each state."""
    view = LiveView()
    for event in events:
        view.take(event)
    return Counter(row.state for row in view.cells.values())
