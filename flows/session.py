"""Where a flow of the command line runs: in this process, on the Prefect server that is set or on a temporary one.

Knows no flow.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


def is_server_set() -> bool:
    """Whether flows have a Prefect server of the user's; Prefect is loaded only where a profile of it may tell."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    if not (os.environ.get("PREFECT_PROFILES_PATH") or (home / "profiles.toml").exists()):
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


@contextmanager
def prefect_session(console: Console) -> Iterator[None]:
    """Show on `console` what flows announce while the block runs, and let Ctrl-C end them promptly."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    from prefect.settings import PREFECT_API_URL

    from flows.interruption import prompt_interruption
    from flows.terminal import mute_exit, show_progress

    server = PREFECT_API_URL.value()
    console.print(f"Prefect server: {server}" if server else "starting a temporary Prefect server, some seconds")
    try:
        with show_progress(console), prompt_interruption():
            yield
    finally:
        atexit.register(mute_exit)
