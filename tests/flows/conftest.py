"""Fixtures of the flows' tests."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.few_charts import drawing_few_charts

if TYPE_CHECKING:
    from schemas.config import StudyConfig


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """The events that a flow logs for the terminal, in order."""
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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a home that does not exist yet."""
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def config(tmp_path: Path, tiny_folder: Path, tiny_encoder: Path) -> "StudyConfig":
    """A small grid on tiny models, whose headlines are in the test's folder."""
    from tests.flows.small_study import configure_grid

    return configure_grid(tmp_path, tiny_folder, tiny_encoder)
