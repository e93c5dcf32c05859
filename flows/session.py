"""Where a flow of the command line runs: in this process, on the Prefect server that is set or on a temporary one.

Knows no flow.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


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
