"""The two bases of errors that are shown in one line: what the user gave is wrong, or what was asked for failed."""


class InputError(ValueError):
    """Bad usage or bad input. The message is one line that names the thing, the value received and the remedy."""

    details: tuple[str, ...] = ()
    """What shows the fault, in lines that the command line prints above the message."""


class FailureError(RuntimeError):
    """The input is sound, and yet it failed. The message is one line that names the thing and the remedy."""
