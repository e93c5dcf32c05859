"""A data set of the hub: named, resolved to a commit, read through the real library, or refused in one line.

The hub is a server of the test's own, which answers as the real one does.
"""

import hashlib
import io
import json
import threading
import tracemalloc
import warnings
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.hub_dataset import HubReference, parse_reference, read_dataset, resolve_commit
from ingestion.ingest import read_source
from ingestion.rows import RawRow
from ingestion.sources import find_source
from schemas.columns import ReadColumns
from schemas.errors import InputError
from schemas.label import Label
from schemas.source import DataSettings

NAME = "org/news"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
NEWS = HubReference(NAME)
SETTINGS = DataSettings(source="hf:org/news")
CSV = b"sentence,label\nProfit rose.,positive\nSales fell.,negative\n"
CLASSES = b"""---
dataset_info:
  features:
  - name: sentence
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': negative
          '1': neutral
          '2': positive
---
"""
TWO_CONFIGS = b"""---
configs:
- config_name: agree
  data_files: agree.csv
- config_name: all
  data_files: all.csv
---
"""


class FakeHub:
    """One data set with the files of each commit, the meaning of each branch, and what the hub refuses."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.refs = {"main": COMMIT}
        self.gated = False
        self.asked: list[str] = []

    def answer(self, path: str, *, recursive: bool) -> tuple[HTTPStatus, str, bytes, dict[str, str]]:
        """Status, error code, body and headers."""
        kind, _, rest = path.removeprefix("/").partition(f"datasets/{NAME}")
        parts = rest.strip("/").split("/")
        if not rest and kind != "api/":
            return HTTPStatus.NOT_FOUND, "RepoNotFound", b"", {}
        if self.gated and (not kind or parts == ["auth-check"]):
            return HTTPStatus.FORBIDDEN, "GatedRepo", b"", {}
        revision = unquote(parts[1]) if len(parts) > 1 else "main"
        commit = self.refs.get(revision, revision)
        if parts != ["auth-check"] and commit not in self.commits:
            return HTTPStatus.NOT_FOUND, "RevisionNotFound", b"", {}
        if kind == "api/":
            return HTTPStatus.OK, "", json.dumps(self._api(parts, commit, recursive=recursive)).encode(), {}
        return self._file(commit, "/".join(parts[2:]))

    def _api(self, parts: list[str], commit: str, *, recursive: bool) -> Any:
        if parts[0] == "tree":
            return list(self._list_tree("/".join(parts[2:]), commit, recursive=recursive))
        return {"id": NAME, "sha": commit, "siblings": []}

    def _list_tree(self, folder: str, commit: str, *, recursive: bool) -> Iterator[dict[str, Any]]:
        folders: set[str] = set()
        for name, content in self.commits[commit].items():
            parent = name.rpartition("/")[0]
            if parent != folder and parent.startswith(folder) and parent not in folders:
                folders.add(parent)
                yield {"type": "directory", "path": parent, "oid": "0" * 40}
            if parent == folder or (recursive and parent.startswith(folder)):
                oid = hashlib.sha1(content).hexdigest()
                yield {"type": "file", "path": name, "size": len(content), "oid": oid}

    def _file(self, commit: str, name: str) -> tuple[HTTPStatus, str, bytes, dict[str, str]]:
        headers = {"X-Repo-Commit": commit}
        content = self.commits[commit].get(name)
        if content is None:
            return HTTPStatus.NOT_FOUND, "EntryNotFound", b"", headers
        return HTTPStatus.OK, "", content, {**headers, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """The hub, with the caches of the libraries in a folder of the test's own."""
    from datasets import config
    from huggingface_hub import constants

    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            fake.asked.append(f"{self.command} {path}")
            status, code, body, headers = fake.answer(path, recursive="recursive=True" in query)
            self.send_response(status)
            for header, value in {**headers, **({"X-Error-Code": code} if code else {})}.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    for module, name in ((constants, "ENDPOINT"), (config, "HF_ENDPOINT")):
        monkeypatch.setattr(module, name, f"http://127.0.0.1:{server.server_port}")
    template = f"http://127.0.0.1:{server.server_port}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(config, "DOWNLOADED_DATASETS_PATH", tmp_path / "datasets" / "downloads")
    monkeypatch.setattr(config, "HF_UPDATE_DOWNLOAD_COUNTS", False)
    go_online(monkeypatch, online=True)
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def go_online(monkeypatch: pytest.MonkeyPatch, *, online: bool) -> None:
    from datasets import config
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", not online)
    monkeypatch.setattr(config, "HF_HUB_OFFLINE", not online)


def parquet(**columns: list[Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def read(reference: HubReference = NEWS, commit: str = COMMIT, **settings: Any) -> list[RawRow]:
    return list(read_dataset(reference, commit, SETTINGS.model_copy(update=settings)).rows)


def pairs(rows: list[RawRow]) -> list[tuple[str | None, str | None]]:
    return [(row.text, row.label) for row in rows]


def error_of(reference: HubReference = NEWS, commit: str = COMMIT) -> str:
    with pytest.raises(InputError) as caught:
        read(reference, commit)
    return one_line(caught.value)


def one_line(error: Exception) -> str:
    message = str(error)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("hf:org/news", NEWS),
        ("hf:org/news:agree", HubReference(NAME, "agree")),
        ("hf:org/news@v1", HubReference(NAME, None, "v1")),
        ("hf:org/news:two words@refs/convert/parquet", HubReference(NAME, "two words", "refs/convert/parquet")),
        ("news.csv", None),
        ("embedded", None),
    ],
)
def test_a_source_on_the_hub_is_told_by_its_prefix(source: str, reference: HubReference | None) -> None:
    assert parse_reference(source) == reference
    assert reference is None or str(reference) == source


@pytest.mark.parametrize("source", ["hf:", "hf:news", "hf://datasets/a/b", "hf:org/news:", "hf:org/news@", "hf:a/b/c"])
def test_another_form_is_refused(source: str) -> None:
    with pytest.raises(InputError, match="names no data set of the hub: write hf:ORG/NAME, hf:ORG/NAME:CONFIG or") as e:
        parse_reference(source)
    assert repr(source) in one_line(e.value)


def test_a_name_that_the_hub_does_not_allow_is_refused(hub: FakeHub) -> None:
    with pytest.raises(InputError, match="source 'hf:org/a--b' names no data set of the hub"):
        resolve_commit(HubReference("org/a--b"))


@pytest.mark.parametrize(("revision", "commit"), [(None, COMMIT), ("main", COMMIT), ("refs/pr/1", OTHER)])
def test_a_revision_is_resolved_by_one_call(hub: FakeHub, revision: str | None, commit: str) -> None:
    hub.commits = {COMMIT: {}, OTHER: {}}
    hub.refs["refs/pr/1"] = OTHER
    assert resolve_commit(HubReference(NAME, None, revision)) == commit
    assert len([path for path in hub.asked if "/datasets/" in path]) == 1


def test_a_whole_commit_is_itself_without_a_call(hub: FakeHub) -> None:
    assert resolve_commit(HubReference(NAME, None, OTHER)) == OTHER
    assert hub.asked == []


def test_without_a_network_a_revision_means_what_it_meant_last(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commits = {COMMIT: {}}
    assert resolve_commit(NEWS) == COMMIT
    go_online(monkeypatch, online=False)
    assert resolve_commit(NEWS) == COMMIT
    with pytest.raises(InputError) as caught:
        resolve_commit(HubReference(NAME, None, "v1"))
    assert one_line(caught.value).startswith("source 'hf:org/news@v1' cannot be fetched from the hub (")
    assert one_line(caught.value).endswith("this machine has no copy; try again with a network, or give a file")


def test_what_the_hub_does_not_have_cannot_be_resolved(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {}}
    with pytest.raises(
        InputError, match="source 'hf:org/gone' is not on the hub, or private; check it or set HF_TOKEN"
    ):
        resolve_commit(HubReference("org/gone"))
    with pytest.raises(InputError, match="'hf:org/news@v9' has no revision 'v9'; give a commit, branch or tag"):
        resolve_commit(HubReference(NAME, None, "v9"))


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
    rows = read()
    assert pairs(rows) == [
        ("Up.", "positive"), ("Flat.", "neutral"), ("Down.", "negative"), ("Who knows?", None),
    ]  # fmt: skip
    assert rows[0].raw == '{"sentence": "Up.", "label": 2}'


def test_a_label_map_may_name_the_number_of_a_class(hub: FakeHub) -> None:
    table = parquet(sentence=["Up.", "Flat."], label=[2, 1])
    hub.commits = {COMMIT: {"README.md": CLASSES, "data/train-00000-of-00001.parquet": table}}
    assert pairs(read(label_map={"2": Label.NEGATIVE})) == [("Up.", "2"), ("Flat.", "neutral")]


def test_all_splits_are_read_train_validation_test_and_others(hub: FakeHub) -> None:
    card = b"---\nconfigs:\n- config_name: default\n  data_files:\n" + b"".join(
        f"  - split: {split}\n    path: {split}.parquet\n".encode()
        for split in ("extra", "test", "validation", "train")
    )
    splits = ("train", "validation", "test", "extra")
    files = {f"{split}.parquet": parquet(title=[split], sentiment=[number]) for number, split in enumerate(splits)}
    hub.commits = {COMMIT: {"README.md": card + b"---\n", **files}}
    assert pairs(read()) == [("train", "0"), ("validation", "1"), ("test", "2"), ("extra", "3")]


def test_columns_go_by_their_values_and_by_the_names_of_classes(hub: FakeHub) -> None:
    rows = b"\n".join(b"DESK COPY %d,%s,0,%d" % (n, b"Profit rose %s" % (b"a" * n), n % 3) for n in range(1, 7))
    classes = CLASSES.replace(b"name: label", b"name: sentiment").replace(
        b"  - name: sentence\n    dtype: string\n",
        b"".join(b"  - name: %s\n    dtype: string\n" % name for name in (b"text", b"headline", b"label")),
    )
    hub.commits = {COMMIT: {"README.md": classes, "news.csv": b"text,headline,label,sentiment\n" + rows}}
    content = read_dataset(NEWS, COMMIT, SETTINGS)
    assert content.columns == ReadColumns("headline", "sentiment", ("text",), ("label",), kept=("text", "label"))
    assert [row.label for row in content.rows] == ["neutral", "positive", "negative"] * 2


def test_columns_go_by_the_settings(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": b"words,mood\nUp.,positive\n"}}
    assert pairs(read(text_column="words", label_column="mood")) == [("Up.", "positive")]
    assert error_of() == (
        "source 'hf:org/news' has no text column and no label column, its columns are ['words', 'mood']: "
        "name them with --text-column NAME and --label-column NAME; 'mood' may hold the label"
    )


def test_one_of_several_configs_must_be_named(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"README.md": TWO_CONFIGS, "agree.csv": CSV, "all.csv": CSV + b"Flat.,neutral\n"}}
    assert error_of() == (
        "source 'hf:org/news' has several configs, its configs are ['agree', 'all']: "
        "name one as hf:org/news:CONFIG@REVISION"
    )
    assert error_of(HubReference(NAME, "al", "main")) == (
        "source 'hf:org/news:al@main' has no config 'al', its configs are ['agree', 'all']: "
        "name one as hf:org/news:CONFIG@main"
    )
    assert pairs(read(HubReference(NAME, "all")))[2:] == [("Flat.", "neutral")]


def test_a_loading_script_is_never_run(hub: FakeHub, tmp_path: Path) -> None:
    script = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    hub.commits = {COMMIT: {"news.py": script, "README.md": b"# News\n"}}
    assert error_of().startswith(
        "source 'hf:org/news' needs a loading script, and code of a data set is never run: give"
    )
    assert not (tmp_path / "ran").exists()


def test_a_broken_file_is_told(hub: FakeHub, capfd: pytest.CaptureFixture[str]) -> None:
    hub.commits = {COMMIT: {"news.parquet": b"PAR1 and then nothing"}}
    assert error_of().startswith(f"source 'hf:org/news' cannot be read at commit {COMMIT} (")
    assert capfd.readouterr() == ("", "")


def test_files_of_no_known_kind_are_told(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"README.md": b"# News\n", "news.exe": b"MZ"}}
    assert "has no file of a kind that is known at commit" in error_of()


def test_a_card_that_points_out_of_its_commit_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(CSV)
    card = f"---\nconfigs:\n- config_name: default\n  data_files: {tmp_path}/mine.csv\n---\n"
    hub.commits = {COMMIT: {"README.md": card.encode()}}
    assert "(Data files don't belong to org/news" in error_of()


def test_what_the_hub_refuses_to_read_is_told(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}}
    assert error_of(NEWS, OTHER) == f"source 'hf:org/news' has no revision '{OTHER}'; give a commit, branch or tag"
    gone = HubReference("org/gone")
    assert error_of(gone) == "source 'hf:org/gone' is not on the hub, or private; check it or set HF_TOKEN"
    hub.gated = True
    assert error_of() == (
        "source 'hf:org/news' is gated; accept its terms on the hub and set HF_TOKEN to a token that may read it"
    )


def test_a_copy_serves_without_a_network_and_only_for_its_own_commit(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commits = {COMMIT: {"README.md": CLASSES, "news.parquet": parquet(sentence=["Up."], label=[2])}}
    rows = read()
    go_online(monkeypatch, online=False)
    assert read() == rows
    assert error_of(NEWS, OTHER).startswith("source 'hf:org/news' cannot be fetched from the hub (")


def test_a_copy_of_another_commit_never_stands_in(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}, OTHER: {"news.py": b"", "README.md": b""}}
    read()
    assert error_of(NEWS, OTHER) == (
        f"source 'hf:org/news' cannot be read at commit {OTHER}, and the copy on this machine is of commit {COMMIT}: "
        "give that one as @REVISION"
    )


def test_a_folder_of_the_same_name_is_not_the_data_set(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir(parents=True)
    (tmp_path / NAME / "mine.csv").write_bytes(b"sentence,label\nMine.,neutral\n")
    monkeypatch.chdir(tmp_path)
    hub.commits = {COMMIT: {"news.csv": CSV}}
    assert pairs(read())[0] == ("Profit rose.", "positive")


def test_nothing_reaches_the_terminal_and_the_libraries_are_left_as_they_were(
    hub: FakeHub, capfd: pytest.CaptureFixture[str]
) -> None:
    import logging

    from datasets.utils import are_progress_bars_disabled, enable_progress_bars

    enable_progress_bars()
    level = logging.getLogger("datasets").level
    hub.commits = {COMMIT: {"news.csv": CSV}}
    read()
    assert capfd.readouterr() == ("", "")
    assert not are_progress_bars_disabled()
    assert logging.getLogger("datasets").level == level
    assert warnings.filters[0][0] == "error"


def test_rows_are_streamed(hub: FakeHub) -> None:
    rows = 20_000
    hub.commits = {COMMIT: {"news.parquet": parquet(text=["Profit rose. " * 40] * rows, label=["positive"] * rows)}}
    content = read_dataset(NEWS, COMMIT, SETTINGS)
    tracemalloc.start()
    assert sum(1 for _ in content.rows) == rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000  # the texts alone are 10 MB


def test_a_data_set_is_a_source_known_by_its_commit(hub: FakeHub) -> None:
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
