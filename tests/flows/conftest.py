"""Fixtures of the flows' tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.few_charts import drawing_few_charts

if TYPE_CHECKING:
    from schemas.config import StudyConfig


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
