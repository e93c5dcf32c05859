"""Shows the messages that storage logs, such as that it waits: in the log of the flow, or on standard error."""

import logging
import sys
from collections.abc import Callable

from schemas.text import show_text

LOGGER = "fintone"


class NoticeHandler(logging.Handler):
    """Shows the log records of fintone."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        """Show a record with `notify` if no flow is running."""
        super().__init__()
        self._notify = notify

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record as a line."""
        message = record.getMessage()
        if _is_in_run():
            from tasks.progress import announce

            announce(message, record.levelno)
        else:
            self._notify(message)


def show_notices(notify: Callable[[str], None] | None = None) -> None:
    """Show what is logged from now on; a second call changes nothing.

    Args:
        notify: Shows a line if no flow is running; on standard error if not given.
    """
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(handler, NoticeHandler) for handler in logger.handlers):
        logger.addHandler(NoticeHandler(notify or _print_to_standard_error))
        logger.propagate = False


def _is_in_run() -> bool:
    """Whether this code runs in a flow or a task, which has its own log."""
    if "prefect.context" not in sys.modules:
        return False
    from prefect.context import FlowRunContext, TaskRunContext

    return bool(FlowRunContext.get() or TaskRunContext.get())


def _print_to_standard_error(message: str) -> None:
    sys.stderr.write(f"{show_text(message)}\n")
