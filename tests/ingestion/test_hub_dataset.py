"""A data set of the hub is read through the real library: splits, classes, columns, and copies without a network."""

import logging
import tracemalloc
import warnings
from pathlib import Path

import pytest

from ingestion.hub_dataset import read_dataset
from ingestion.ingest import read_source
from ingestion.rows import RawRow
from ingestion.sources import find_source
from schemas.columns import ReadColumns
from schemas.label import Label
from schemas.source import DataSettings
from tests.ingestion.fake_hub import (
    CLASSES,
    COMMIT,
    CSV,
    NAME,
    NEWS,
    OTHER,
    SETTINGS,
    FakeHub,
    error_of,
    go_online,
    pairs,
    parquet,
    read_rows,
)


def test_a_csv_is_read_with_its_rows_as_json(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}}
    content = read_dataset(NEWS, COMMIT, SETTINGS)
    assert (content.kind, content.encoding) == ("hub data set", "utf-8")
    assert list(content.rows) == [
        RawRow("Profit rose.", "positive", '{"sentence": "Profit rose.", "label": "positive"}', part="train"),
        RawRow("Sales fell.", "negative", '{"sentence": "Sales fell.", "label": "negative"}', part="train"),
    ]


def test_classes_become_their_names_and_no_class_is_no_label(hub: FakeHub) -> None:
    table = parquet(sentence=["Up.", "Flat.", "Down.", "Who knows?", None], label=[2, 1, 0, -1, None])
    hub.commits = {COMMIT: {"README.md": CLASSES, "data/train-00000-of-00001.parquet": table}}
    rows = read_rows()
    assert pairs(rows) == [
        ("Up.", "positive"), ("Flat.", "neutral"), ("Down.", "negative"), ("Who knows?", None),
    ]  # fmt: skip
    assert rows[0].raw == '{"sentence": "Up.", "label": 2}'


def test_a_label_map_may_name_the_number_of_a_class(hub: FakeHub) -> None:
    table = parquet(sentence=["Up.", "Flat."], label=[2, 1])
    hub.commits = {COMMIT: {"README.md": CLASSES, "data/train-00000-of-00001.parquet": table}}
    assert pairs(read_rows(label_map={"2": Label.NEGATIVE})) == [("Up.", "2"), ("Flat.", "neutral")]


def test_all_splits_are_read_in_the_order_train_validation_test_and_others(hub: FakeHub) -> None:
    card = b"---\nconfigs:\n- config_name: default\n  data_files:\n" + b"".join(
        f"  - split: {split}\n    path: {split}.parquet\n".encode()
        for split in ("extra", "test", "validation", "train")
    )
    splits = ("train", "validation", "test", "extra")
    files = {f"{split}.parquet": parquet(title=[split], sentiment=[number]) for number, split in enumerate(splits)}
    hub.commits = {COMMIT: {"README.md": card + b"---\n", **files}}
    assert pairs(read_rows()) == [("train", "0"), ("validation", "1"), ("test", "2"), ("extra", "3")]


def test_columns_are_chosen_by_their_values_and_by_the_names_of_classes(hub: FakeHub) -> None:
    rows = b"\n".join(b"DESK COPY %d,%s,0,%d" % (n, b"Profit rose %s" % (b"a" * n), n % 3) for n in range(1, 7))
    classes = CLASSES.replace(b"name: label", b"name: sentiment").replace(
        b"  - name: sentence\n    dtype: string\n",
        b"".join(b"  - name: %s\n    dtype: string\n" % name for name in (b"text", b"headline", b"label")),
    )
    hub.commits = {COMMIT: {"README.md": classes, "news.csv": b"text,headline,label,sentiment\n" + rows}}
    content = read_dataset(NEWS, COMMIT, SETTINGS)
    assert content.columns == ReadColumns("headline", "sentiment", ("text",), ("label",), kept=("text", "label"))
    assert [row.label for row in content.rows] == ["neutral", "positive", "negative"] * 2


def test_columns_named_in_the_settings_are_read(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": b"words,mood\nUp.,positive\n"}}
    assert pairs(read_rows(text_column="words", label_column="mood")) == [("Up.", "positive")]
    assert error_of() == (
        "source 'hf:org/news' has no text column and no label column, its columns are ['words', 'mood']: "
        "name them with --text-column NAME and --label-column NAME; 'mood' may hold the label"
    )


def test_a_copy_serves_without_a_network_and_only_for_its_own_commit(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commits = {COMMIT: {"README.md": CLASSES, "news.parquet": parquet(sentence=["Up."], label=[2])}}
    rows = read_rows()
    go_online(monkeypatch, online=False)
    assert read_rows() == rows
    assert error_of(NEWS, OTHER).startswith("source 'hf:org/news' cannot be fetched from the hub (")


def test_a_folder_of_the_same_name_is_not_the_data_set(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir(parents=True)
    (tmp_path / NAME / "mine.csv").write_bytes(b"sentence,label\nMine.,neutral\n")
    monkeypatch.chdir(tmp_path)
    hub.commits = {COMMIT: {"news.csv": CSV}}
    assert pairs(read_rows())[0] == ("Profit rose.", "positive")


def test_nothing_reaches_the_terminal_and_the_libraries_are_left_as_they_were(
    hub: FakeHub, capfd: pytest.CaptureFixture[str]
) -> None:
    from datasets.utils import are_progress_bars_disabled, enable_progress_bars

    enable_progress_bars()
    level, filters = logging.getLogger("datasets").level, list(warnings.filters)
    hub.commits = {COMMIT: {"news.csv": CSV}}
    read_rows()
    assert capfd.readouterr() == ("", "")
    assert not are_progress_bars_disabled()
    assert logging.getLogger("datasets").level == level
    assert warnings.filters == filters


@pytest.mark.slow
def test_rows_are_streamed(hub: FakeHub) -> None:
    rows = 20_000
    hub.commits = {COMMIT: {"news.parquet": parquet(text=["Profit rose. " * 40] * rows, label=["positive"] * rows)}}
    content = read_dataset(NEWS, COMMIT, SETTINGS)
    tracemalloc.start()
    assert sum(1 for _ in content.rows) == rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000  # the texts alone are 10 MB


def test_a_data_set_is_a_source_that_is_identified_by_its_commit(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}, OTHER: {"news.csv": CSV + b"Flat.,neutral\nWho knows?,mixed\n"}}
    first = read_source(DataSettings(source="hf:org/news"))
    assert (first.source, first.location, first.kind) == (f"hf:org/news@{COMMIT[:12]}", "hf:org/news", "hub data set")
    assert (first.rows_read, len(first.accepted)) == (2, 2)
    assert find_source(DataSettings(source=f"hf:org/news@{COMMIT}")).ingest_id == first.ingest_id
    hub.refs["main"] = OTHER
    later = read_source(DataSettings(source="hf:org/news"))
    assert (later.location, later.rows_read, len(later.accepted)) == ("hf:org/news", 4, 3)
    assert later.ingest_id != first.ingest_id
    [row] = later.rejected.itertuples(index=False)
    assert (row.source, row.row_number, row.reason) == ("hf:org/news", 4, "unknown label 'mixed'")
