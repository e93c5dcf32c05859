"""A model of the hub: pinned by its commit, taken from the copy on this machine, or refused in one line.

The hub is a server of the test's own, which answers as the real one does.
"""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import filter_repo_objects

from learning.kinds.resolution import FINITE, check_weights, resolve_base_model
from learning.models.base_model import ResolvedModel
from learning.models.hub import HUB_FILES, NOT_READ, check_hub_model
from schemas.errors import InputError

NAME = "org/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Hub = Callable[[HTTPStatus, str], None]


@pytest.fixture
def asked() -> list[str]:
    """The paths for which the hub is asked."""
    return []


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> Iterator[Hub]:
    """Sets the status and the error code with which the hub answers everything."""
    answer = {"status": HTTPStatus.NOT_FOUND, "code": "RepoNotFound"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(answer["status"])
            self.send_header("X-Error-Code", answer["code"])
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"error": answer["code"]}).encode())

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield lambda status, code: answer.update(status=status, code=code)
    server.shutdown()
    server.server_close()
    thread.join()


def error_of(models: Path, revision: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        resolve_base_model(NAME, revision, models)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"base model {NAME}: ")


def keep_copy(models: Path, tiny_folder: Path) -> Path:
    """Lay out a copy of the model as the hub's own client does."""
    snapshot, blobs = (models / "models--org--model" / name for name in (f"snapshots/{COMMIT}", "blobs"))
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for number, file in enumerate(tiny_folder.iterdir()):
        blob = shutil.copyfile(file, blobs / f"{number:040x}")
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    refs = models / "models--org--model" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT, encoding="utf-8")
    return snapshot


def test_what_is_not_read_is_not_fetched() -> None:
    read = [
        *("config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "1_Pooling/config.json"),
        *("tokenizer.json", "vocab.txt", "merges.txt", "spm.model", "sentencepiece.bpe.model", "chat_template.jinja"),
    ]
    other = [
        *("consolidated.safetensors", "original/consolidated.00.safetensors", "original/tokenizer.model"),
        *("onnx/config.json", "openvino/openvino_config.json", "pytorch_model.bin", "model.gguf", "modeling.py"),
    ]
    kept = filter_repo_objects([*read, *other], allow_patterns=HUB_FILES, ignore_patterns=NOT_READ)
    assert list(kept) == read


def test_without_a_network_a_model_that_is_not_here_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    beginning = (
        "no folder here, and the hub is not called because of HF_HUB_OFFLINE: unset it, or give a folder "
        f"({tmp_path} has "
    )
    assert error_of(tmp_path) == f"{beginning}no copy)"
    with pytest.raises(InputError) as caught:
        check_hub_model(NAME, None, tmp_path)
    assert str(caught.value) == f"base model {NAME}: {beginning}no copy)"


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_without_a_network_a_copy_on_this_machine_is_enough(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, revision: str | None
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    snapshot = keep_copy(tmp_path, tiny_folder)
    model = resolve_base_model(NAME, revision, tmp_path)
    assert (model.name, model.folder, model.revision) == (NAME, snapshot, COMMIT)


def test_the_hub_is_not_asked_for_a_commit_that_was_checked_here(
    tmp_path: Path, tiny_folder: Path, hub: Hub, asked: list[str]
) -> None:
    snapshot = keep_copy(tmp_path, tiny_folder)

    def asks(revision: str) -> bool:
        asked.clear()
        assert resolve_base_model(NAME, revision, tmp_path) == ResolvedModel(NAME, snapshot, COMMIT)
        return bool(asked)

    assert asks(COMMIT)
    check_weights(ResolvedModel(NAME, snapshot, COMMIT), tmp_path)
    assert not asks(COMMIT)
    assert asks("main")  # it may have a newer commit
    (tmp_path / FINITE / COMMIT).write_text("")  # as an older version left it
    assert asks(COMMIT)
    check_weights(ResolvedModel(NAME, snapshot, COMMIT), tmp_path)
    assert not asks(COMMIT)
    (snapshot / "generation_config.json").unlink()
    assert asks(COMMIT)


def test_weights_are_checked_also_where_that_cannot_be_recorded(tmp_path: Path, tiny_folder: Path) -> None:
    (tmp_path / FINITE).touch()  # a file in place of the folder refuses what is written also to root
    check_weights(ResolvedModel(NAME, tiny_folder, COMMIT), tmp_path)


def test_a_copy_that_lacks_its_weights_is_refused(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    snapshot = keep_copy(tmp_path, tiny_folder)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no \*\.safetensors; give a folder that holds the weights"):
        resolve_base_model(NAME, None, tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (
            HTTPStatus.NOT_FOUND,
            "RepoNotFound",
            "is not on the hub, or private; check it or set HF_TOKEN; nor is it a folder here",
        ),
        (HTTPStatus.UNAUTHORIZED, "RepoNotFound", "is not on the hub, or private; check it or set HF_TOKEN"),
        (HTTPStatus.FORBIDDEN, "GatedRepo", "is gated; accept its terms on the hub and set HF_TOKEN to a token"),
        (HTTPStatus.NOT_FOUND, "RevisionNotFound", "has no revision 'v9'; give a commit, branch or tag"),
    ],
)
def test_a_refusal_of_the_hub_is_explained(
    tmp_path: Path, hub: Hub, status: HTTPStatus, code: str, message: str
) -> None:
    hub(status, code)
    assert error_of(tmp_path, "v9").startswith(message)


def test_a_lost_connection_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up() -> None:
        server.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        thread = threading.Thread(target=hang_up)
        thread.start()
        message = error_of(tmp_path)
        thread.join()
    assert message.startswith("cannot be fetched from the hub (")
    assert "), nor is it a folder here; " in message
    assert message.endswith("give a local folder, or try again")
