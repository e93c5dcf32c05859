"""Where a flow of the command line runs: in this process, on the Prefect server that is set or on a temporary one."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from rich.console import Console

from cli.session.proxies import bypass_proxies
from cli.session.temporary_server import TemporaryServer
from schemas.errors import FailureError, InputError
from schemas.redaction import redact

_temporary_server = cache(TemporaryServer)
"""The one of this process; it is not started before a session needs it."""


def forbid_telemetry() -> None:
    """Let neither Prefect nor a server of it that starts here tell of its use; Prefect looks when it is imported."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")


def is_server_set() -> bool:
    """Whether flows have a Prefect server of the user's; Prefect is loaded only where a profile of it may tell."""
    url = os.environ.get("PREFECT_API_URL")
    if url:
        return not _is_temporary(url)
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    if not (os.environ.get("PREFECT_PROFILES_PATH") or (home / "profiles.toml").exists()):
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


class ServerGoneError(FailureError):
    """The Prefect server that is set does not answer, or refuses."""


@contextmanager
def prefect_session(console: Console, told: frozenset[str] = frozenset()) -> Iterator[None]:
    """Show on `console` what flows announce while the block runs, and let Ctrl-C end them promptly.

    Args:
        console: The terminal, or a pipe.
        told: Topics of lines that the caller told before (see `tasks.progress.announce`).

    Raises:
        ProxyError: The environment names a proxy that cannot be used.
        ServerGoneError: The block failed, and the server that is set is no longer, or was never, of use.
    """
    bypass_proxies()
    from prefect.settings import PREFECT_API_URL

    from cli.session.interruption import prompt_interruption
    from cli.session.terminal import show_progress
    from flows.deployment import close_prefect

    server = PREFECT_API_URL.value()
    if server is None:
        console.print("starting a temporary Prefect server, some seconds")
        _start_temporary_server()
    elif not _is_temporary(server):
        console.print(f"Prefect server: {redact(server)}")
    try:
        with show_progress(console, told), prompt_interruption():
            yield
    except (InputError, FailureError):
        raise
    except Exception as error:
        _blame_server(error)
        raise
    finally:
        atexit.register(close_prefect)


def _blame_server(error: Exception) -> None:
    """Raise in place of an error what is wrong with the server that is set, if anything is."""
    from cli.doctor.server import check_server

    found = check_server() if is_server_set() else None
    if found and found.state == "fail":
        raise ServerGoneError(f"{found.told}; {found.remedy}") from error


def _start_temporary_server() -> None:
    """Start one, and let all of Prefect know of it, the threads that look past the settings of a context too."""
    from prefect.context import refresh_global_settings_context

    server = _temporary_server()
    server.start()
    os.environ["PREFECT_API_URL"] = server.url
    refresh_global_settings_context()


def _is_temporary(url: str) -> bool:
    return bool(_temporary_server.cache_info().currsize) and url == _temporary_server().url
