"""What tests of flows share."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.few_charts import drawing_few_charts


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
    """Reports of the module have one chart from here on."""
    with drawing_few_charts():
        yield
