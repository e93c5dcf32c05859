"""What storage tells on its way, as that it waits: a line in the log of the flow at work, else on standard error."""

import logging
import sys

from flows.console import tell

LOGGER = "fintone"


class NoticeHandler(logging.Handler):
    """Shows log records of fintone's own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record as a line."""
        message = record.getMessage()
        if _is_in_run():
            from tasks.progress import announce

            announce(message)
        else:
            tell(message)


def show_notices() -> None:
    """Show what is logged from here on; calling it again changes nothing."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(handler, NoticeHandler) for handler in logger.handlers):
        logger.addHandler(NoticeHandler())
        logger.propagate = False


def _is_in_run() -> bool:
    """Whether a flow or a task is at work here, which has a log of its own."""
    if "prefect.context" not in sys.modules:
        return False
    from prefect.context import FlowRunContext, TaskRunContext

    return bool(FlowRunContext.get() or TaskRunContext.get())
