"""The entry point of `fintone`: Ctrl-C ends it without a traceback while the commands are imported, too."""

import signal
import sys


def main() -> None:
    """Run the command line; see `cli.main`."""
    try:
        from cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
