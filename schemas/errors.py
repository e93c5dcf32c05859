"""The one base of errors that a user can mend: what was given is wrong, and the message says how to put it right."""


class InputError(ValueError):
    """Bad usage or bad input. The message is one line that names the thing, the value received and the remedy."""
