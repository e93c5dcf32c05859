"""Where a flow of the command line runs: in this process, on the Prefect server that is set or on a temporary one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from rich.console import Console

from cli.session.proxies import bypass_proxies
from cli.session.temporary_server import SHOWS_WHY, TemporaryServer, describe_full_disk
from schemas.errors import FailureError, InputError
from schemas.redaction import redact

FAULTS_OF_SERVERS = 500
"""The least HTTP status by which a server reports a fault of its own."""
_temporary_server = cache(TemporaryServer)
"""The temporary server of this process; it is started only when a session needs it."""


def forbid_telemetry() -> None:
    """Turn off the telemetry of Prefect and of servers that start here; Prefect reads these variables on import."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")


def is_server_set() -> bool:
    """Whether the user has set a Prefect server; Prefect is imported only if one of its files may set one."""
    url = os.environ.get("PREFECT_API_URL")
    if url:
        return not _is_temporary(url)
    try:
        home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    except RuntimeError:  # a user whom the system does not know, without HOME
        return _is_configured_here()
    profiles = os.environ.get("PREFECT_PROFILES_PATH") or (home / "profiles.toml").exists()
    if not (profiles or _is_configured_here()):
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def _is_configured_here() -> bool:
    """Whether a file in the working folder may have settings of Prefect, which reads three of them."""
    marks = {"prefect.toml": "", ".env": "PREFECT_", "pyproject.toml": "tool.prefect"}
    readable = [Path(name) for name in marks if Path(name).is_file() and os.access(name, os.R_OK)]
    return any(marks[path.name] in path.read_text("utf-8", "replace") for path in readable)


class NoHomeError(InputError):
    """The user has no home folder, which Prefect needs."""


def check_users_home() -> None:
    """Check what Prefect's import needs.

    Raises:
        NoHomeError: HOME is not set, and the system does not know the user, as in some containers.
    """
    try:
        Path.home()
    except RuntimeError:
        raise NoHomeError("HOME: is not set, and the system does not know this user; set it to a folder") from None


class ServerGoneError(FailureError):
    """The Prefect server of a run does not answer, refuses, or fails."""


@contextmanager
def prefect_session(console: Console, printed_topics: frozenset[str] = frozenset()) -> Iterator[None]:
    """Show on `console` what flows announce while the block runs, and let Ctrl-C end them promptly.

    Args:
        console: The terminal, or a pipe.
        printed_topics: Topics of lines that the caller has already printed (see `tasks.progress.announce`).

    Raises:
        ProxyError: The environment names a proxy that cannot be used.
        NoHomeError: Prefect has no folder for its files.
        ServerGoneError: The block failed since the server failed, or the server that is set cannot be used.
    """
    bypass_proxies()
    check_users_home()
    from prefect.settings import PREFECT_API_URL

    from cli.session.interruption import prompt_interruption
    from cli.session.terminal import show_progress
    from flows.deployment import close_prefect_at_exit

    server = PREFECT_API_URL.value()
    if server is None:
        console.print("starting a temporary Prefect server, some seconds")
        _start_temporary_server()
    elif not _is_temporary(server):
        console.print(f"Prefect server: {redact(server)}")
    try:
        with show_progress(console, printed_topics), prompt_interruption():
            yield
    except (InputError, FailureError):
        raise
    except Exception as error:
        _blame_server(error)
        raise
    finally:
        close_prefect_at_exit()


def check_set_server() -> str | None:
    """What is wrong with the server that is set; None if events will reach it, at the latest at exit."""
    bypass_proxies()
    from cli.doctor.server import check_server
    from flows.deployment import close_prefect_at_exit

    found = check_server()
    if found.state == "fail":
        return f"{found.message}; {found.remedy}"
    close_prefect_at_exit()
    return None


def _blame_server(error: Exception) -> None:
    """Raise a `ServerGoneError` in place of an error if something is wrong with the server."""
    unusable = (check_set_server() if is_server_set() else None) or _explain_status(error)
    if unusable:
        raise ServerGoneError(unusable) from error


def _explain_status(error: Exception) -> str | None:
    """Tells that a server failed at a request, as one whose disk is full does; None if that is not the error."""
    from prefect.exceptions import PrefectHTTPStatusError

    if not isinstance(error, PrefectHTTPStatusError) or error.response.status_code < FAULTS_OF_SERVERS:
        return None
    which, cause = "the Prefect server", "; its log says why"
    if not is_server_set():
        which, cause = "the temporary Prefect server", describe_full_disk() or SHOWS_WHY
    return f"{which} failed with status {error.response.status_code}{cause}; what is finished is kept"


def _start_temporary_server() -> None:
    """Start a server and point all of Prefect to it, including threads that ignore the settings of a context."""
    from prefect.context import refresh_global_settings_context

    server = _temporary_server()
    server.start()
    os.environ["PREFECT_API_URL"] = server.url
    refresh_global_settings_context()


def _is_temporary(url: str) -> bool:
    return bool(_temporary_server.cache_info().currsize) and url == _temporary_server().url
