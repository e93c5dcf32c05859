"""A local server that answers as the Hugging Face hub does, and helpers of the tests of its data sets."""

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.hub_dataset import HubReference, read_dataset
from ingestion.rows import RawRow
from schemas.errors import InputError
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


class FakeHub:
    """One data set with the files of each commit, the meaning of each branch, and what the hub refuses."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.refs = {"main": COMMIT}
        self.gated = False
        self.requests: list[str] = []

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


@contextmanager
def serve(fake: FakeHub) -> Iterator[str]:
    """Answer requests for the fake hub on a port of this machine; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            fake.requests.append(f"{self.command} {path}")
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
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def go_online(monkeypatch: pytest.MonkeyPatch, *, online: bool) -> None:
    """Give the libraries a network, or none."""
    from datasets import config
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", not online)
    monkeypatch.setattr(config, "HF_HUB_OFFLINE", not online)


def parquet(**columns: list[Any]) -> bytes:
    """A Parquet file of these columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def read_rows(reference: HubReference = NEWS, commit: str = COMMIT, **settings: Any) -> list[RawRow]:
    """The rows of a data set of the fake hub."""
    return list(read_dataset(reference, commit, SETTINGS.model_copy(update=settings)).rows)


def pairs(rows: list[RawRow]) -> list[tuple[str | None, str | None]]:
    """Text and label of each row."""
    return [(row.text, row.label) for row in rows]


def error_of(reference: HubReference = NEWS, commit: str = COMMIT) -> str:
    """The message with which a data set is refused, which must be one line."""
    with pytest.raises(InputError) as caught:
        read_rows(reference, commit)
    return one_line(caught.value)


def one_line(error: Exception) -> str:
    """The message of an error, which must be one line."""
    message = str(error)
    assert len(message.splitlines()) == 1
    return message
