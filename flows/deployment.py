"""How a process that ran a flow ends: that of the command line, or one that a Prefect worker started."""

import atexit
from contextlib import suppress

SECONDS_TO_CLOSE = 5.0
"""How long Prefect may take to send what it still holds."""


def close_prefect_of_deployment() -> None:
    """If a worker runs the flow in its own process, close Prefect when that process ends."""
    from prefect.runtime import deployment

    if deployment.id:
        atexit.register(close_prefect)


def close_prefect() -> None:
    """Let Prefect's background services send what they hold, and stop their thread. To be run at exit.

    Prefect leaves that thread to the end of the process. It then holds on to the modules of the flow while the
    interpreter is taken down, and DuckDB's binding lists all its types on standard error as leaked.
    """
    from prefect._internal.concurrency.threads import wait_for_global_loop_exit

    with suppress(KeyboardInterrupt):  # who presses Ctrl-C now does not want to wait for that
        wait_for_global_loop_exit(SECONDS_TO_CLOSE)
