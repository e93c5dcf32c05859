"""Secrets: taken from the environment or a Prefect block, used, and found nowhere afterwards."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

from flows.credentials import HUB_TOKEN, HUB_TOKEN_BLOCK, provide_hub_token
from flows.ingest import ingest
from schemas.source import DataSettings

MARKER = "hf_thisMustBeSeenNowhere"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HUB_TOKEN, "")


async def read_everything() -> str:
    """All that the server would show of runs: their parameters, logs and artifacts."""
    async with get_client() as client:
        runs = [*await client.read_flow_runs(), *await client.read_task_runs(), *await client.read_artifacts()]
        logs = await client.read_logs()
    return json.dumps([each.model_dump(mode="json") for each in [*runs, *logs]])


def test_without_a_block_nothing_is_set() -> None:
    provide_hub_token()
    assert os.environ[HUB_TOKEN] == ""


def test_a_token_of_a_block_is_used_and_told_to_nobody(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Secret(value=MARKER).save(HUB_TOKEN_BLOCK, overwrite=True)
    news = tmp_path / "news.csv"
    news.write_text("text,label\nProfit rose.,positive\nProfit fell.,negative\nProfit was flat.,neutral\n")
    ingest(DataSettings(source=str(news)))
    assert os.environ[HUB_TOKEN] == MARKER
    with pytest.raises(ValueError, match="hf:nobody/nothing"):  # the hub is asked with it, and its refusal is told
        ingest(DataSettings(source="hf:nobody/nothing"))
    told = capfd.readouterr()
    seen: list[Any] = [told.out, told.err, asyncio.run(read_everything())]
    assert not any(MARKER in text for text in seen)
    assert not any(MARKER.encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_the_environment_goes_before_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    Secret(value=MARKER).save(HUB_TOKEN_BLOCK, overwrite=True)
    monkeypatch.setenv(HUB_TOKEN, "hf_own")
    provide_hub_token()
    assert os.environ[HUB_TOKEN] == "hf_own"
