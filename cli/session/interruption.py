"""Ctrl-C while a flow runs."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SENDERS = ("prefect.events.clients", "prefect._internal.concurrency", "EventsWorker")
"""Loggers that list each event which Prefect could not send to a server that is gone."""


@contextmanager
def prompt_interruption() -> Iterator[None]:
    """Let Ctrl-C end the block within seconds, as a `KeyboardInterrupt`.

    Prefect's client tries for a minute and more to tell of the end of each run, where the server does not answer, and
    would then raise its own error in place of the interruption. The temporary server does not get the signal.
    """
    from prefect.settings import get_current_settings

    interrupted = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        get_current_settings().client.max_retries = 0  # for the rest of the process, and so is what follows
        logging.raiseExceptions = False  # Prefect would tell that its log cannot be sent
        for name in SENDERS:
            logging.getLogger(name).disabled = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except BaseException:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
