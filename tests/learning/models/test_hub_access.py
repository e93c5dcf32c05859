"""The check of the hub over real HTTP: it reports a hub that answers, refuses or is silent, and shows no token."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

TOKEN = "hf_" + "secret" * 6
SCRIPT = """
import json
from dataclasses import asdict
from learning.models.hub_access import check_hub
print(json.dumps(asdict(check_hub())))
"""


class Hub(BaseHTTPRequestHandler):
    """Accepts one token, and fails at `/broken`."""

    def do_GET(self) -> None:
        refused = self.path.endswith("/whoami-v2") and self.headers["authorization"] != f"Bearer {TOKEN}"
        self.send_response(503 if self.path.startswith("/broken") else 401 if refused else 200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def check(home: Path, **environment: str) -> dict[str, str]:
    """Check the hub in a process with this environment, which the hub's library reads on import."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS"))
    }
    root = str(Path(__file__).parents[3])
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**kept, "HF_HOME": str(home), "PYTHONPATH": root, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    assert TOKEN not in result.stdout + result.stderr
    found: dict[str, str] = json.loads(result.stdout)
    return found


def test_a_hub_that_accepts_the_token_is_ok(hub: str, tmp_path: Path) -> None:
    found = check(tmp_path, HF_ENDPOINT=hub, HF_TOKEN=TOKEN)
    assert found["state"] == "ok"
    assert found["message"] == f"{hub} answers and takes the token that is set by HF_TOKEN"


def test_a_token_in_its_file_is_used(hub: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    assert check(tmp_path, HF_ENDPOINT=hub)["message"].endswith(f"the token that is set by {tmp_path / 'token'}")


def test_without_a_token_the_remedy_names_the_variable(hub: str, tmp_path: Path) -> None:
    found = check(tmp_path, HF_ENDPOINT=hub)
    assert (found["state"], found["message"]) == ("note", f"{hub} answers; no token is set")
    assert "set HF_TOKEN" in found["remedy"]


def test_a_refused_token_is_reported_and_not_shown(hub: str, tmp_path: Path) -> None:
    found = check(tmp_path, HF_ENDPOINT=hub, HF_TOKEN="hf_stale" + "secret" * 5)
    assert (found["state"], found["message"]) == ("note", f"{hub} refuses the token that is set by HF_TOKEN")
    assert "secret" not in str(found)


@pytest.mark.parametrize("token", ["secret\x01secret", "geheim-secret-\u00fc"])
def test_a_token_that_cannot_be_sent_is_not_shown(hub: str, tmp_path: Path, token: str) -> None:
    found = check(tmp_path, HF_ENDPOINT=hub, HF_TOKEN=token)
    assert found["state"] == "note"
    assert "secret" not in str(found)


def test_credentials_of_an_endpoint_are_not_shown(hub: str, tmp_path: Path) -> None:
    found = check(tmp_path, HF_ENDPOINT=hub.replace("://", "://user:secret@"))
    assert found["message"].startswith(f"{hub} answers")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("{hub}/broken", "{hub}/broken answers with status 503; no token is set"),
        ("{silent}", "{silent} does not answer (no answer within 3 s); no token is set"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1 does not answer ([Errno 111] Connection refused); no token is set"),
        ("user:secret@host", "HF_ENDPOINT is no address"),
    ],
)
def test_a_hub_that_cannot_be_reached_is_a_note(
    hub: str, silent: str, tmp_path: Path, endpoint: str, message: str
) -> None:
    found = check(tmp_path, HF_ENDPOINT=endpoint.format(hub=hub, silent=silent))
    assert (found["state"], found["message"]) == ("note", message.format(hub=hub, silent=silent))
    assert found["remedy"]


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_is_a_note_and_the_hub_is_not_called(silent: str, tmp_path: Path, switch: str) -> None:
    found = check(tmp_path, HF_ENDPOINT=silent, **{"TRANSFORMERS_OFFLINE": "0", switch: "1"})
    assert found["state"] == "note"
    assert found["message"].startswith(f"offline, as {switch} says")
