"""The log of a run says what its source has lost, and where test has more of a label than set."""

import csv
from pathlib import Path
from random import Random
from typing import Any

import pytest
from prefect import flow

from embedded.grammar import generate_headline
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tasks.data import ingest_source, publish_data_report, split_snapshot
from tests.asking import ask

pytestmark = pytest.mark.usefixtures("server")

SPLIT = ("split.method=hashed", "split.train_per_class=10", "split.test_per_class=5", "split.validation_per_class=3")


@flow
def prepare(config: StudyConfig) -> None:
    """The first steps of a run."""
    ingested = ingest_source(config.data)
    publish_data_report(ingested)
    split_snapshot(ingested, config)


def test_lost_texts_and_changed_labels_are_noted(new_home: Path, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    random, source = Random(5), tmp_path / "headlines.csv"
    rows = {row.text: row.sentiment for row in (generate_headline(random) for _ in range(150))}
    _write(source, rows)
    config = build_config(apply_overrides({**load_profile("demo"), "grid": {}}, [f"data.source={source}", *SPLIT]))
    prepare(config)
    [scarcity] = _notes(events)
    events.clear()

    placed = "SELECT text FROM splits JOIN headlines USING (headline_id) WHERE part = '{}' AND headlines.label = '{}'"
    changed = ask(new_home, placed.format("test", "negative"))[0][0]
    gone = ask(new_home, placed.format("train", "neutral"))[0][0]
    _write(source, {text: "positive" if text == changed else label for text, label in rows.items() if text != gone})
    prepare(config)
    [snapshot] = ask(new_home, "SELECT snapshot_id FROM snapshots ORDER BY created_at LIMIT 1")[0]
    losses, excess, still_scarce = _notes(events)
    assert losses == (
        f"note: headlines.csv: since snapshot {snapshot}: 1 headline is gone, 1 has another label (snapshot_changes)"
    )
    assert excess == (
        "note: test has 6 positive headlines: one that was in test once stays there, also when its label changes"
    )
    assert still_scarce == scarcity == "note: validation has only 3 negative headlines, so its choice is weak"


def _write(path: Path, rows: dict[str, str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows.items()])


def _notes(events: list[dict[str, Any]]) -> list[str]:
    """The lines of the log that are notes."""
    return [event["text"] for event in events if event.get("text", "").startswith("note: ")]
