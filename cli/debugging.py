"""Whether `--debug` is given, which shows tracebacks, also of errors that end only a part of a command."""

is_on = False
"""Set by `cli.main`, once per process."""
