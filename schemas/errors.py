"""The two base classes of errors that are shown in one line: the input is wrong, or the operation failed."""


class InputError(ValueError):
    """Bad usage or bad input. The message is one line that names the thing, the value received and the remedy."""

    details: tuple[str, ...] = ()
    """Lines that show the fault; the command line prints them above the message."""


class FailureError(RuntimeError):
    """The input is valid, but the operation failed. The message is one line that names the thing and the remedy."""
