"""Shows user errors in the Prefect UI as on the command line: once, in one line and without a traceback."""

import logging
import weakref

from prefect.exceptions import ParameterTypeError

from schemas.errors import FailureError, InputError
from schemas.text import show_text

LOGGERS = ("prefect.task_runs", "prefect.flow_runs", "prefect.engine")
"""Where Prefect logs what ended a task, its flow and their process."""


class OneLine(logging.Filter):
    """Reduces the record of such an error to the error's own line, and drops later records of the same error."""

    def __init__(self) -> None:
        """Begin with no error shown."""
        super().__init__()
        self._shown: weakref.ref[BaseException] | None = None  # weak, since an error keeps its frames and all in them

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be logged; its text changes where it carries an error that is shown in one line."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, InputError | FailureError | ParameterTypeError) or hasattr(error, "__notes__"):
            return True  # a note is the traceback of another process, and the error is a bug's
        if self._shown and error is self._shown():
            return False
        self._shown = weakref.ref(error)
        text = str(error)
        if isinstance(error, ParameterTypeError):  # it has a line for each parameter
            text = text.replace("\n - ", " - ")
        record.msg, record.args = show_text(text), ()
        record.exc_info = record.exc_text = None
        return True


def print_in_one_line() -> None:
    """Have Prefect log these errors in a line from now on; a second call changes nothing."""
    for logger in map(logging.getLogger, LOGGERS):
        if not any(isinstance(each, OneLine) for each in logger.filters):
            logger.addFilter(_one_line)


_one_line = OneLine()
"""The only filter of this process, since an error that ends a task ends its flow too."""
