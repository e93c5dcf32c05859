"""Whether `--debug` is given: tracebacks are shown, also of errors that end only a part of a command."""

is_on = False
"""Set by `cli.main`, once for the process."""
