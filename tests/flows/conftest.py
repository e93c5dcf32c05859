"""What tests of flows share."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from reporting import figures
from schemas.report import StudyReport


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """What the flow tells a screen, as it comes."""
    seen: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.extend([record.fintone] if hasattr(record, "fintone") else [])

    logger, handler = logging.getLogger("prefect"), Keep()
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def few_charts() -> Iterator[None]:
    """Reports have the overview as their only chart: all charts take 2 s, and tests of reports look at them."""
    build = figures.build_charts

    def build_few(report: StudyReport) -> dict[str, list[figures.Chart]]:
        return {section: own if section == "overview" else [] for section, own in build(report).items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "build_charts", build_few)
        yield
