"""Fixtures of the ingestion tests: a reader of what a test writes, and a hub of data sets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.ingest import Ingestion, read_source
from schemas.source import DataSettings
from tests.ingestion.fake_hub import FakeHub, go_online, serve


@pytest.fixture(scope="session")
def read(tmp_path_factory) -> Callable[..., Ingestion]:
    """Write content into a file without an extension, and read it as a source."""
    path = tmp_path_factory.mktemp("source") / "file"

    def write_and_read(content: str | bytes, **settings: Any) -> Ingestion:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source(DataSettings(source=str(path), **settings))

    return write_and_read


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A fake hub that the libraries use, with their caches in a folder of the test's own."""
    from datasets import config
    from huggingface_hub import constants

    fake = FakeHub()
    with serve(fake) as address:
        for module, name in ((constants, "ENDPOINT"), (config, "HF_ENDPOINT")):
            monkeypatch.setattr(module, name, address)
        template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(config, "HF_DATASETS_CACHE", tmp_path / "datasets")
        monkeypatch.setattr(config, "DOWNLOADED_DATASETS_PATH", tmp_path / "datasets" / "downloads")
        monkeypatch.setattr(config, "HF_UPDATE_DOWNLOAD_COUNTS", False)
        go_online(monkeypatch, online=True)
        yield fake
