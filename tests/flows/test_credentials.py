"""Secrets: taken from the environment or a Prefect block, used, and found nowhere afterwards."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import get_token
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client

from flows.credentials import HUB_TOKEN_BLOCK, provide_hub_token
from flows.ingest import ingest
from schemas.source import DataSettings
from tests.server_record import ServerRecord

pytestmark = pytest.mark.usefixtures("server")

MARKER = "hf_thisMustBeSeenNowhere"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "")


@pytest.fixture
def block() -> Iterator[None]:
    """The secret is on the server during the test; other modules use the server too."""
    Secret(value=MARKER).save(HUB_TOKEN_BLOCK, overwrite=True)
    yield
    Secret.delete(HUB_TOKEN_BLOCK)


def read_all(recorded: ServerRecord) -> str:
    """All that the server shows of runs: their parameters, logs and artifacts."""
    with get_client(sync_client=True) as client:
        seen: list[Any] = [*recorded.flow_runs(), *recorded.task_runs(), *recorded.artifacts(), *client.read_logs()]
    return json.dumps([each.model_dump(mode="json") for each in seen])


def test_without_a_block_nothing_is_set() -> None:
    provide_hub_token()
    assert os.environ["HF_TOKEN"] == ""


@pytest.mark.usefixtures("block")
def test_a_token_of_a_block_is_used_and_shown_nowhere(
    home: Path, tmp_path: Path, recorded: ServerRecord, capfd: pytest.CaptureFixture[str]
) -> None:
    news = tmp_path / "news.csv"
    news.write_text("text,label\nProfit rose.,positive\nProfit fell.,negative\nProfit was flat.,neutral\n")
    ingest(DataSettings(source=str(news)))
    assert os.environ["HF_TOKEN"] == MARKER
    with pytest.raises(ValueError, match="hf:nobody/nothing"):  # the hub receives the token and refuses
        ingest(DataSettings(source="hf:nobody/nothing"))
    printed = capfd.readouterr()
    seen = [printed.out, printed.err, read_all(recorded)]
    assert "nobody/nothing" in seen[-1]
    assert not any(MARKER in text for text in seen)
    assert not any(MARKER.encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_the_environment_takes_precedence_over_the_block(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hf_own")
    provide_hub_token()
    assert get_token() == "hf_own"
