"""The flow `ingest`: its artifact, its log, and parts that stay when more headlines arrive."""

from pathlib import Path

import pytest
from prefect import flow

from flows.ingest import ingest
from ingestion.refusals import TooManyRejectedError
from schemas.errors import InputError
from schemas.label import LABELS
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings
from storage.warehouse import prepare_warehouse
from tasks.data import ingest_source, split_snapshot
from tests.asking import ask
from tests.server_record import ServerRecord

WEEKLY = ("data.source=weekly.csv", "data.near_duplicates=numbers", "data.duplicates=merge", "split.method=hashed")
CONFIG = build_config(
    apply_overrides(load_profile("demo"), [*WEEKLY, "split.train_per_class=2", "split.test_per_class=4"])
)


def test_the_flow_shows_a_data_report_and_stops_early_when_nothing_is_new(
    home: Path, mood_file: Path, recorded: ServerRecord, caplog: pytest.LogCaptureFixture
) -> None:
    words = {"up": "positive", "down": "negative", "0": "neutral"}
    columns = {"text_column": "title", "label_column": "mood", "label_map": words}
    data = DataSettings.model_validate({"source": str(mood_file), "max_rejected": 1, **columns})
    first = ingest(data)
    assert (first.is_new, first.source) == (True, "news.csv")
    [report] = recorded.artifacts("data-report")
    assert report.description == "5 rows read: 3 accepted, 1 merged as copies, 1 rejected."
    assert "unknown label" in report.data
    again = ingest(data)
    assert again == first.model_copy(update={"is_new": False})
    assert f"news.csv: nothing new, its 5 rows are snapshot {first.snapshot_id}" in caplog.text
    assert len(recorded.artifacts("data-report")) == 1


def test_a_source_with_too_many_rejected_rows_leaves_nothing(home: Path, mood_file: Path, server: str) -> None:
    prepare_warehouse(home / "warehouse.duckdb")
    with pytest.raises(TooManyRejectedError, match=r"4 of 5 rows rejected, a share of 0\.8"):
        ingest(
            DataSettings(source=str(mood_file), text_column="title", label_column="mood", label_map={"0": "neutral"})
        )
    for table in ("sources", "headlines", "rejected_rows", "snapshots", "snapshot_headlines"):
        assert ask(home, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_users_error_is_one_line_in_the_log_of_its_run(
    home: Path, mood_file: Path, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InputError, match="no label column"):
        ingest(DataSettings(source=str(mood_file)))
    errors = [record for record in caplog.records if "no label column" in record.getMessage()]
    [message] = [record.getMessage() for record in errors if "Finished in state" not in record.getMessage()]
    assert message.startswith("source 'news.csv' has no label column")
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_bug_has_its_traceback_in_the_log_of_its_run(
    home: Path, mood_file: Path, server: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.intake.complete_masks", 1)  # which is not callable
    words = {"up": "positive", "down": "negative", "0": "neutral"}
    columns = {"text_column": "title", "label_column": "mood", "label_map": words}
    with pytest.raises(TypeError):
        ingest(DataSettings.model_validate({"source": str(mood_file), "max_rejected": 1, **columns}))
    assert any(record.exc_info for record in caplog.records)


def test_a_test_headline_stays_in_test_when_more_arrive(home: Path, server: str) -> None:
    @flow
    def renew(count: int) -> None:
        rows = [
            f"{chr(65 + number % 26) * (1 + number // 26)} has {label} news.,{label}"
            for number in range(count)
            for label in LABELS
        ]
        Path("weekly.csv").write_text("\n".join(["text,label", *rows]))
        split_snapshot(ingest_source(CONFIG.data), CONFIG)

    for count in (10, 40, 20):
        renew(count)
    parts = "SELECT count(*), count(DISTINCT headline_id) FROM splits WHERE part = 'test'"
    assert ask(home, parts) == [(3 * 3 * 4, 3 * 4)]
    leaks = "SELECT headline_id FROM splits GROUP BY ALL HAVING bool_or(part = 'test') AND bool_or(part <> 'test')"
    assert ask(home, leaks) == []
