"""Which test headlines base models may have read when they were pretrained, before a study runs."""

from collections.abc import Collection

from operations.known_sources import UndatedSourceError
from operations.timeline import find_times
from reporting.verdict import describe_cutoffs
from schemas.config import StudyConfig


def preview_cutoffs(config: StudyConfig, tested: Collection[str]) -> list[str]:
    """A sentence for each base model that may have read test headlines and whose last day of training is known.

    Args:
        config: The study.
        tested: The ids of its test headlines.

    Raises:
        InputError: The source cannot be read.
    """
    days = {cell.base_model.name: cell.base_model.trained_until for cell in config.resolve_all()}
    known = [(model, day) for model, day in days.items() if day]
    if not known:
        return []
    try:
        times = find_times(config)
    except UndatedSourceError:
        return []
    published = [times[headline].date() for headline in tested if headline in times]
    rows = [(model, day, sum(date <= day for date in published), len(tested)) for model, day in known]
    return describe_cutoffs(rows, is_only=len(days) == 1)
