"""`fintone doctor` on a Prefect server that answers, on addresses without one, and without an address."""

import socket
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from httpx import HTTPStatusError, Request, Response
from prefect.context import root_settings_context
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console

from cli.doctor.checkup import examine
from cli.doctor.server import _judge_version, check_server
from cli.session.session import NoHomeError, ServerGoneError, is_server_set, prefect_session
from schemas.checkup import Finding
from schemas.errors import InputError


@pytest.fixture(autouse=True)
def own_prefect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of Prefect without profiles, and a process that finds this project."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return tmp_path / "prefect"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def check() -> Finding:
    """The finding of a process that starts now."""
    with root_settings_context():
        return check_server()


def check_in_a_process() -> Finding:
    """The finding of doctor, whose checks have a process each, since a process reads Prefect's profiles only once."""
    [found] = examine([{"Prefect": "cli.doctor.server:check_server"}])
    return found


def test_a_server_that_answers_is_reported_with_its_version(
    session_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", session_server.replace("://", "://user:secret@"))
    found = check()
    assert found.state == "ok"
    assert found.message.startswith("server 3.")
    assert found.message.endswith(f" answers at {session_server}")


def test_an_address_without_its_api_is_a_failure(session_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", session_server.removesuffix("/api"))
    found = check()
    assert found.state == "fail"
    assert "answers with status 404" in found.message
    assert "such as http://127.0.0.1:4200/api" in found.remedy


def test_a_closed_port_is_a_failure_and_shows_no_credential(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"http://user:secret@127.0.0.1:{closed_port}/api")
    found = check()
    assert found.state == "fail"
    assert found.message.startswith(f"no Prefect server answers at http://127.0.0.1:{closed_port}/api (")
    assert "unset PREFECT_API_URL" in found.remedy
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("name", "text", "is_set"),
    [
        ("prefect.toml", '[api]\nurl = "http://127.0.0.1:1/api"', True),
        (".env", "PREFECT_API_URL=http://127.0.0.1:1/api", True),
        ("pyproject.toml", '[tool.prefect.api]\nurl = "http://127.0.0.1:1/api"', True),
        ("pyproject.toml", '[project]\ndependencies = ["prefect"]', False),
    ],
)
def test_a_server_that_a_file_of_the_folder_sets_is_set(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_set: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with root_settings_context():
        assert not is_server_set()
    Path(name).write_text(text)
    with root_settings_context():
        assert is_server_set() == is_set


def test_for_a_user_without_a_home_no_server_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user whom the system does not know
    assert not is_server_set()
    with pytest.raises(NoHomeError, match=r"^HOME: is not set"), prefect_session(Console(file=StringIO())):
        pass


@pytest.mark.slow
def test_the_remedy_removes_the_address_from_where_it_is_set(
    closed_port: int, own_prefect: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{closed_port}/api"
    own_prefect.mkdir()
    profile = own_prefect / "profiles.toml"
    profile.write_text(f'active = "desk"\n[profiles.desk]\nPREFECT_API_URL = "{url}"\n')
    unset = "`prefect config unset -y PREFECT_API_URL`: runs then start a temporary one"
    assert check_in_a_process().remedy.endswith(f", or {unset}")
    monkeypatch.setenv("PREFECT_API_URL", url)
    assert check_in_a_process().remedy.endswith(f", or unset PREFECT_API_URL and {unset}")
    monkeypatch.delenv("PREFECT_API_URL")
    profile.unlink()
    monkeypatch.chdir(tmp_path)
    Path("prefect.toml").write_text(f'[api]\nurl = "{url}"\n')
    assert "or api.url, out of .env, prefect.toml or pyproject.toml in this folder" in check_in_a_process().remedy


def test_doctor_does_not_wait_for_a_silent_server(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{silent_port}/api")
    monkeypatch.setattr("cli.doctor.server.PATIENCE", 0.5)
    assert check().message == f"no Prefect server answers at http://127.0.0.1:{silent_port}/api (timed out)"


def test_an_invalid_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "user:secret@host/api")
    found = check()
    assert (found.state, found.message) == ("fail", "PREFECT_API_URL is not an address")


def test_without_a_server_doctor_notes_that_a_run_starts_one(own_prefect: Path) -> None:
    found = check()
    assert (found.state, found.message) == ("note", "no server is set; a run starts a temporary one, some seconds")
    assert not (own_prefect / "prefect.db").exists()


def test_a_temporary_server_without_a_folder_is_a_failure(own_prefect: Path) -> None:
    own_prefect.write_text("x")
    found = check()
    assert found.state == "fail"
    assert found.message.endswith(f"PREFECT_HOME {own_prefect} is a file")


def test_a_session_shows_no_credential() -> None:
    shown = StringIO()
    with temporary_settings({PREFECT_API_URL: "http://user:secret@host/api"}), prefect_session(Console(file=shown)):
        pass
    assert shown.getvalue() == "Prefect server: http://***@host/api\n"


def fail_in_a_session(url: str, error: Exception) -> None:
    with temporary_settings({PREFECT_API_URL: url}), prefect_session(Console(file=StringIO())):
        raise error


def test_a_run_that_fails_without_its_server_says_so(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{closed_port}/api")
    with pytest.raises(
        ServerGoneError, match=r"^no Prefect server answers at .*; start it, .* or unset PREFECT_API_URL"
    ):
        fail_in_a_session(f"http://127.0.0.1:{closed_port}/api", RuntimeError("Failed to reach API"))
    with pytest.raises(InputError, match="a source"):
        fail_in_a_session(f"http://127.0.0.1:{closed_port}/api", InputError("a source"))


def test_a_run_that_fails_while_its_server_answers_keeps_its_own_error(
    session_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", session_server)
    with pytest.raises(RuntimeError, match="a bug"):
        fail_in_a_session(session_server, RuntimeError("a bug"))


@pytest.mark.parametrize(
    ("server", "state"), [("3.8.8", "ok"), ("3.9.0", "ok"), ("3.8.7", "note"), ("2.20.0", "fail"), ("4.0.0", "fail")]
)
def test_versions_are_compared_as_prefect_does(server: str, state: str) -> None:
    found = _judge_version("http://host/api", server, "3.8.8")
    assert found.state == state
    assert bool(found.remedy) == (state != "ok")


@pytest.mark.parametrize(("status", "raised"), [(500, ServerGoneError), (503, ServerGoneError), (409, HTTPStatusError)])
def test_a_run_whose_server_fails_is_told_that_it_was_the_server(
    session_server: str, monkeypatch: pytest.MonkeyPatch, status: int, raised: type[Exception]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", session_server)
    answer = Response(status, request=Request("POST", f"{session_server}/logs/"))
    with pytest.raises(HTTPStatusError) as caught:
        answer.raise_for_status()
    error = PrefectHTTPStatusError.from_httpx_error(caught.value)
    message = f"^the Prefect server failed with status {status}; its log says why; what is finished is kept$"
    with pytest.raises(raised, match=message if raised is ServerGoneError else "409"):
        fail_in_a_session(session_server, error)
