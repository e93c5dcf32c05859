"""A proxy in the environment is for the network, and never used for a server on this machine."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.doctor.checkup import examine
from cli.session import proxies
from cli.session.proxies import ProxyError, bypass_proxies, find_proxy
from schemas.checkup import Finding

ROOT = Path(__file__).parents[2]
FINTONE = Path(sys.executable).with_name("fintone")
TINY = (
    "split.train_per_class=8",
    "split.test_per_class=6",
    "split.validation_per_class=3",
    "lora.r=2",
    "grid.learning_rates=1e-2",
    "grid.epochs=1",
    "decoding.draws=2",
)


class FakeProxy:
    """A listening proxy that records requests and refuses them all."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def refuse(self) -> None:
                requests.append(self.requestline)
                self.send_error(502)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = refuse  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def proxy() -> Iterator[FakeProxy]:
    fake = FakeProxy()
    threading.Thread(target=fake.server.serve_forever, daemon=True).start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http", "https", "all", "no"):
        for spelling in (f"{name}_proxy", f"{name}_proxy".upper()):
            monkeypatch.setenv(spelling, "")  # what the code sets is undone after the test
            monkeypatch.delenv(spelling)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def check() -> Finding:
    [found] = examine([{"Prefect": "cli.doctor.server:check_server"}])
    return found


@pytest.mark.soak
def test_a_run_never_reaches_its_own_server_through_a_proxy(proxy: FakeProxy, tmp_path: Path) -> None:
    named = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), proxy.address)
    environment = {**os.environ, **named, "NO_PROXY": "example.com", "FINTONE_HOME": str(tmp_path / "home")}
    command = [str(FINTONE), "run", *(f"--set={setting}" for setting in TINY)]
    for arguments in ([*command, "--dry-run"], command):
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "starting a temporary Prefect server" in done.stderr
    assert [line for line in proxy.requests if any(host in line for host in proxies.THIS_MACHINE)] == []


@pytest.mark.parametrize("no_proxy", [None, "", "example.com", "*", "10.0.0.0/8, .corp"])
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_this_machine_is_exempt_and_nothing_else_changes(
    monkeypatch: pytest.MonkeyPatch, variable: str, no_proxy: str | None
) -> None:
    monkeypatch.setenv(variable, "http://proxy:3128")
    if no_proxy is not None:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    before = find_proxy("http://example.com/"), find_proxy("http://elsewhere.org/")
    bypass_proxies()
    bypass_proxies()
    assert [find_proxy(f"http://{host}:4200/api") for host in ("127.0.0.1", "localhost", "[::1]")] == [None] * 3
    assert (find_proxy("http://example.com/"), find_proxy("http://elsewhere.org/")) == before


def test_where_no_proxy_is_named_the_environment_stays_as_it_is() -> None:
    before = dict(os.environ)
    bypass_proxies()
    assert dict(os.environ) == before


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_doctor_reaches_this_machine_past_a_proxy(
    proxy: FakeProxy, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.address.replace("http", scheme))
    assert (check().state, proxy.requests) == ("note", [])


@pytest.mark.slow
def test_doctor_names_the_proxy_through_which_a_remote_server_is_reached(
    proxy: FakeProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.invalid:4200/api")
    found = check()
    assert found.state == "fail"
    assert "through the proxy of HTTP_PROXY: add its host to NO_PROXY" in found.remedy
    assert proxy.requests


@pytest.mark.parametrize("address", ["socks://user:secret@127.0.0.1:1080", "ftp://proxy", "http://proxy:x", "http://"])
def test_an_unusable_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(ProxyError, match=r"^ALL_PROXY .*: not a usable proxy; give ") as raised:
        bypass_proxies()
    assert "secret" not in str(raised.value)


@pytest.mark.slow
def test_doctor_names_an_unusable_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "ftp://user:secret@proxy")
    with pytest.raises(ProxyError) as raised:
        bypass_proxies()
    found = check()
    assert (found.state, f"{found.message}; {found.remedy}") == ("fail", str(raised.value))
