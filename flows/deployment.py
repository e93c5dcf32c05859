"""How a process that runs a flow begins and ends: a command, a user's script, or one that a Prefect worker started."""

import atexit
from contextlib import suppress

from flows.notices import show_notices
from tasks.user_errors import print_in_one_line

SECONDS_TO_CLOSE = 5.0
"""How long Prefect may take to send what it still holds."""


def begin_flow() -> None:
    """Show notices in the log of the flow, and close Prefect when the process ends."""
    close_prefect_at_exit()
    show_notices()


def close_prefect_at_exit() -> None:
    """Close Prefect when this process ends, before what was registered until now ends: the server may be among it."""
    atexit.unregister(close_prefect)
    atexit.register(close_prefect)


def close_prefect() -> None:
    """Let Prefect's background services send what they hold, and stop their thread."""
    from prefect._internal.concurrency.threads import wait_for_global_loop_exit

    with suppress(KeyboardInterrupt):  # who presses Ctrl-C now does not want to wait for that
        wait_for_global_loop_exit(SECONDS_TO_CLOSE)


print_in_one_line()  # from here on, since Prefect checks a flow's parameters before it calls the flow
