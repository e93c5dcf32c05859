"""Watches whether a model is still as accurate as on its test part, on labelled headlines that came after its study.

Runs without Prefect.
"""

from collections.abc import Callable
from pathlib import Path

from schemas.scoring import FreshAccuracy, FreshCounts

Send = Callable[[FreshAccuracy], bool]
"""Sends the event of a drop; returns whether it was received."""


def watch_accuracy(warehouse: Path, scoring_id: str, notify: Callable[[str], None], send: Send) -> FreshAccuracy | None:
    """Measure and report the accuracy of a scoring's cell on all fresh headlines that it has answered.

    A drop is recorded when it is first found. Its event is sent once, and again only if nobody received it.

    Args:
        warehouse: The DuckDB file.
        scoring_id: The scoring that just ended; its headlines count too.
        notify: Receives a line.
        send: Sends the event.

    Returns:
        The drop, if there is one now.
    """
    from learning.study.accuracy_drop import has_dropped
    from reporting.fresh import describe_fresh
    from storage.accuracy_drops import load_drop, load_fresh_counts, save_drop, save_sent

    counts = load_fresh_counts(warehouse, scoring_id)
    if not counts.n or not counts.test_n:
        unjudged = "the model was not judged on its own test part at this temperature, with these draws"
        why = unjudged if counts.n else "none has a label"
        notify(f"fresh headlines: nothing is known of the accuracy since the model's study: {why}")
        return None
    found = _compare(counts)
    known, is_drop = load_drop(warehouse, scoring_id), has_dropped(found.p_value)
    notify(describe_fresh(found, known, is_drop=is_drop))
    if not is_drop:
        return None
    if known is None:
        save_drop(warehouse, scoring_id, found)
    if not (known and known.is_sent) and send(found):
        save_sent(warehouse, scoring_id)
    return found


def _compare(counts: FreshCounts) -> FreshAccuracy:
    """The accuracy on fresh headlines, compared with that on the model's own test part."""
    from learning.study.accuracy_drop import drop_p_value
    from learning.study.intervals import accuracy_interval

    right, n, test_right, test_n = counts
    reference, _ = accuracy_interval(test_right, test_n)
    p_value = drop_p_value(right, n - right, reference)
    return FreshAccuracy(n, right / n, reference, test_n, test_right / test_n, p_value)
