"""How a process that ran a flow ends: one of the command line, or one of a Prefect worker's own."""

import atexit
from contextlib import suppress

SECONDS_TO_CLOSE = 5.0
"""That Prefect has to send what it still holds."""


def close_prefect_of_deployment() -> None:
    """Where a worker runs the flow in a process of its own, close Prefect when that process ends."""
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
