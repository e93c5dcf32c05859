"""What a flow does differently where a Prefect worker runs it in a process of its own, and how such a process ends."""

import atexit
import os
import sys


def mute_exit_of_deployment() -> None:
    """Where a worker runs the flow in a process of its own, let that process end as `mute_exit` lets it."""
    from prefect.runtime import deployment

    if deployment.id:
        atexit.register(mute_exit)


def mute_exit() -> None:
    """From here on, let nothing reach the terminal: what libraries say while the process ends is for nobody.

    To be run at exit: Prefect tells that its temporary server stops, and DuckDB's binding lists what Prefect's threads
    still hold. Does nothing where another program has put its own stream in place of standard error.
    """
    sys.stderr.flush()
    own = sys.__stderr__
    if own is not None and sys.stderr is own:
        os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())
