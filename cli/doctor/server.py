"""Check the Prefect server that runs would use: the one that is set, or a temporary one."""

import os
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from cli.session.proxies import bypass_proxies, find_proxy
from schemas.checkup import Finding
from schemas.reasons import describe_reason
from schemas.redaction import show_address

PATIENCE = 5.0
"""Seconds that a server may take to answer."""
REFUSED = (401, 403)
VARIABLE = "PREFECT_API_URL"
EXAMPLE = "http://127.0.0.1:4200/api"


def check_server() -> Finding:
    """Check that the server that is set answers and has a suitable version, or that a temporary one can start."""
    from prefect.settings import PREFECT_API_URL

    bypass_proxies()
    url = PREFECT_API_URL.value()
    if not url:
        return _check_temporary_server()
    address = show_address(url)
    if address is None:
        return Finding(
            "Prefect", "fail", "PREFECT_API_URL is not an address", f"give one such as {EXAMPLE}, {_or_unset()}"
        )
    found, proxy = _check_set_server(address), find_proxy(address)
    if found.state == "fail" and proxy:
        remedy = f"it is reached through the proxy of {proxy}: add its host to NO_PROXY; or {found.remedy}"
        return replace(found, remedy=remedy)
    return found


def _or_unset() -> str:
    """Describe how to do without the server that is set: how to remove its address from each place that sets it."""
    from prefect.context import get_settings_context
    from prefect.settings import PREFECT_API_URL

    ways = []
    if os.environ.get(VARIABLE):
        ways.append(f"unset {VARIABLE}")
    if PREFECT_API_URL in get_settings_context().profile.settings:
        ways.append(f"`prefect config unset -y {VARIABLE}`")
    ways = ways or [f"take {VARIABLE}, or api.url, out of .env, prefect.toml or pyproject.toml in this folder"]
    return f"or {' and '.join(ways)}: runs then start a temporary one"


def _check_temporary_server() -> Finding:
    from prefect.settings import PREFECT_HOME

    from storage.checkup import find_refusal

    refused = find_refusal(Path(PREFECT_HOME.value()))
    if refused:
        message = f"no server is set, and a temporary one cannot store its data: PREFECT_HOME {refused}"
        return Finding("Prefect", "fail", message, "name a folder that you may write to")
    failure = _try_this_machine()
    if failure:
        message = f"no server is set, and a temporary one on this machine cannot be reached ({failure})"
        return Finding("Prefect", "fail", message, "let programs connect to 127.0.0.1; a firewall may forbid it")
    message = "no server is set; a run starts a temporary one, some seconds"
    remedy = f"for its UI and schedules: `prefect server start`, and set PREFECT_API_URL={EXAMPLE}"
    return Finding("Prefect", "note", message, remedy)


def _try_this_machine() -> str | None:
    """Why Prefect's client cannot reach a server on this machine, such as for a firewall; None if it can."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/api"
        try:
            with (
                temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
                get_client({"timeout": PATIENCE}, sync_client=True) as client,
            ):
                error = client.api_healthcheck()
        finally:
            server.shutdown()
    return None if error is None else describe_reason(error)


class _Health(BaseHTTPRequestHandler):
    """Answers as a healthy Prefect server does."""

    def do_GET(self) -> None:
        """Answer any request."""
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _check_set_server(address: str) -> Finding:
    """Query the server that is set, which is shown as `address`."""
    from prefect.client.base import ServerType
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    remedy = f"start it, as `prefect server start` does, {_or_unset()}"
    try:
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client({"timeout": PATIENCE}, sync_client=True) as client,
        ):
            client.read_flows(limit=1)  # what a run needs: its database, and permission to read it
            if client.server_type == ServerType.CLOUD:
                return Finding("Prefect", "ok", f"Prefect Cloud answers at {address}")
            return _judge_version(address, client.api_version(), client.client_version())
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        remedy = f"give the address of a server's API, such as {EXAMPLE}, {_or_unset()}"
        if status in REFUSED:
            remedy = f"set PREFECT_API_AUTH_STRING or PREFECT_API_KEY as the server requires, {_or_unset()}"
        return Finding("Prefect", "fail", f"{address} answers with status {status}", remedy)
    except Exception as error:  # noqa: BLE001 (errors of a transport, or from the answer of another kind of server)
        reason = describe_reason(error)
        return Finding("Prefect", "fail", f"no Prefect server answers at {address} ({reason})", remedy)


def _judge_version(address: str, server: str, client: str) -> Finding:
    """Compare versions as Prefect's client does when a flow starts: another major version is refused."""
    from packaging.version import Version

    message = f"server {server} answers at {address}"
    theirs, ours = Version(server), Version(client)
    if theirs.major != ours.major:
        remedy = f"run a server of version {ours.major}, {_or_unset()}"
        return Finding("Prefect", "fail", f"{message}, and this is Prefect {client}", remedy)
    if theirs < ours:
        return Finding("Prefect", "note", f"{message}, older than Prefect {client} here", f"update it to {client}")
    return Finding("Prefect", "ok", message)
