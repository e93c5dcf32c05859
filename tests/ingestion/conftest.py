"""What the tests of ingestion share: a way to read what they write."""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.ingest import Ingestion, read_source
from schemas.source import DataSettings


@pytest.fixture(scope="session")
def read(tmp_path_factory) -> Callable[..., Ingestion]:
    """Write a file whose name tells nothing, and read it as a source."""
    path = tmp_path_factory.mktemp("source") / "file"

    def write_and_read(content: str | bytes, **settings: Any) -> Ingestion:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source(DataSettings(source=str(path), **settings))

    return write_and_read
