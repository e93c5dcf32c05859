"""Drift of scored headlines and a drop of accuracy: lines of `fintone score`, and events on a Prefect server."""

import asyncio
import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.score import score
from schemas.errors import InputError
from schemas.score import ScoreSettings
from tasks.scoring import DRIFT_EVENT, DROP_EVENT
from tests.asking import ask
from tests.server_record import ServerRecord

Run = Callable[..., tuple[int, str, str]]

SECONDS_FOR_AN_EVENT = 60.0
"""A busy server stores events late."""


def read_events(source: str, name: str = DRIFT_EVENT) -> list[dict[str, Any]]:
    """The events of this name about a source, once the server has one."""

    async def request() -> Any:
        async with get_client() as client:
            found = await client._client.post("/events/filter", json={"filter": {"event": {"name": [name]}}})
            return found.json()["events"]

    deadline = time.monotonic() + SECONDS_FOR_AN_EVENT
    while time.monotonic() < deadline:
        events = [event for event in asyncio.run(request()) if event["payload"]["source"] == source]
        if events:
            return events
    return []


def test_drift_beyond_the_tolerance_is_reported(fintone: Run, champion: str) -> None:
    _, _, err = fintone("score", "news.csv", "--output", "answers.csv", "--drift-tolerance", "0.05")
    assert "on the model's test part, beyond 0.05 and beyond noise" in err
    assert len(Path("answers.csv").read_text().splitlines()) == 401


@pytest.mark.usefixtures("recorded")
def test_a_deployment_does_not_wait_for_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a deployment")
    with pytest.raises(InputError, match="source '-': a deployment has no standard input; give the path"):
        score(ScoreSettings(source="-"))


def test_the_flow_sends_prefect_its_drift(recorded: ServerRecord, champion: str, home: Path) -> None:
    scored = score(ScoreSettings(source="news.csv", output="answers.parquet", drift_tolerance=0.05))
    assert scored.counts.headlines_scored == 400
    assert Path("answers.parquet").exists()

    assert [run.name for run in recorded.flow_runs()] == ["score news.csv with champion"]
    assert {run.name for run in recorded.task_runs()} == {"score news.csv", "watch drift"}
    [table] = [json.loads(artifact.data) for artifact in recorded.artifacts("score-drift")]
    rows = ask(home, "SELECT measure, value, difference FROM score_drift")
    assert [(row["measure"], row["here"]) for row in table] == [
        (measure, round(value, 3)) for measure, value, _ in rows
    ]
    on_test = ask(home, "SELECT test_value, difference_low, difference_high FROM score_drift")
    assert [(row["on test"], row["95 %"]) for row in table] == [
        (round(value, 3), f"{low:+.3f} to {high:+.3f}") for value, low, high in on_test
    ]
    beyond = {row["measure"] for row in table if row["beyond tolerance"]}
    assert beyond
    [event] = read_events("news.csv")
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"
    assert set(event["payload"]["drifted"]) == beyond


def test_drift_is_an_event_if_answers_go_to_standard_output_too(server: str, fintone: Run, champion: str) -> None:
    Path("news.csv").rename("wire.csv")
    code, out, err = fintone("score", "wire.csv", "--drift-tolerance", "0.05")
    assert (code, len(out.splitlines())) == (0, 401)
    assert "is not sent" not in err
    [event] = read_events("wire.csv")
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"


def test_without_its_server_an_event_of_drift_is_reported_as_not_sent(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        code, _, err = fintone("score", "news.csv", "--drift-tolerance", "0.05")
    assert code == 0
    assert "the event of drift is not sent: no Prefect server answers at http://127.0.0.1:9/api" in err


def write_wrong_labels(fintone: Run, source: str, numbers: range) -> None:
    """Write dated headlines, each with a label other than the champion's answer."""
    texts = [f"Orlo publishes {number} reports ." for number in numbers]
    Path(source).write_text("\n".join(["headline", *texts]))
    _, out, _ = fintone("score", source, "--unparsed", "neutral")
    other = {"neutral": "positive", "positive": "negative", "negative": "neutral"}
    rows = [f"{row['text']},{other[row['label']]},2026-01-05" for row in csv.DictReader(io.StringIO(out))]
    Path(source).write_text("\n".join(["headline,label,date", *rows]))


def test_a_drop_of_accuracy_beyond_noise_is_reported_and_is_one_event(
    server: str, fintone: Run, champion: str, home: Path
) -> None:
    for week, name in enumerate(("quiet.csv", "alarm.csv", "later.csv")):
        write_wrong_labels(fintone, name, range(60 * week, 60 * week + 60))
        code, _, err = fintone("score", name, "--evaluate", "--drift-tolerance", "0.9")
        [line] = [line for line in err.splitlines() if "fresh headlines: " in line]
        assert code == 0
        assert line.startswith("warning: ") == (name != "quiet.csv")
        assert ("train again with these headlines" in line) == (name != "quiet.csv")
    [event] = read_events("alarm.csv", DROP_EVENT)
    assert event["resource"]["prefect.resource.id"] == f"fintone.cell.{champion}"
    assert (event["payload"]["n"], event["payload"]["accuracy"]) == (120, 0)
    assert event["payload"]["p_value"] <= 0.05
    [sent] = ask(home, "SELECT scoring_id FROM accuracy_drops WHERE sent_at IS NOT NULL")
    assert (event["payload"]["scoring_id"],) == sent


def test_the_flow_sends_an_event_of_a_drop_of_accuracy(recorded: ServerRecord, fintone: Run, champion: str) -> None:
    write_wrong_labels(fintone, "month.csv", range(120))
    score(ScoreSettings(source="month.csv", output="answers.csv", evaluate=True, drift_tolerance=0.9))
    assert {run.name for run in recorded.task_runs()} >= {"watch drift", "watch accuracy"}
    [event] = read_events("month.csv", DROP_EVENT)
    assert event["payload"]["n"] == 120
    [shown] = recorded.artifacts("fresh-accuracy")
    assert str(shown.data).startswith(
        "warning: fresh headlines: accuracy 0 on 120 labelled headlines since the model's study is below"
    )


def test_without_a_server_a_drop_of_accuracy_is_reported_and_kept_to_be_sent(
    fintone: Run, champion: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wrong_labels(fintone, "month.csv", range(120))
    code, _, err = fintone("score", "month.csv", "--evaluate", "--drift-tolerance", "0.9")
    assert (code, "is not sent" in err) == (0, False)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        _, _, err = fintone("score", "month.csv", "--evaluate", "--drift-tolerance", "0.9")
    assert "the event of the drop is not sent: no Prefect server answers at http://127.0.0.1:9/api" in err
    assert ask(home, "SELECT n, sent_at FROM accuracy_drops") == [(120, None)]
