"""Ctrl-C and signals to terminate while a flow or a scoring runs."""

import atexit
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType

from cli.options import INTERRUPTED, describe_interruption
from cli.output.console import stderr

SENDERS = ("prefect.events.clients", "prefect._internal.concurrency", "EventsWorker")
"""Loggers that list each event that Prefect could not send to a server that is gone."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_TO_END = 9.0
"""From the signal to the end of the process: for a checkpoint, and for what Prefect has to send."""


@contextmanager
def noting_interruption() -> Iterator[Event]:
    """Yield an event that Ctrl-C sets in the block, since a library may replace a `KeyboardInterrupt` by its own error.

    Where Ctrl-C is ignored, as in the background of a shell script, it stays so.
    """
    interrupted = Event()

    def interrupt(_: int, __: FrameType | None) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupted
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def prompt_interruption() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the block, as a `KeyboardInterrupt`, and the process within `SECONDS_TO_END`.

    Under `nohup` SIGHUP stays ignored.

    If the server does not answer, Prefect's client tries for more than a minute to report the end of each run, and
    would then raise its own error in place of the interruption. The temporary server does not receive the signal.
    """
    interrupted = Event()

    def interrupt(number: int, _: FrameType | None) -> None:
        interrupted.set()
        if number == signal.SIGHUP:
            _leave_closed_terminal()
        _give_up_on_server()
        raise KeyboardInterrupt

    heeded = [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        with _ending_in_time(interrupted):
            yield
    except BaseException:
        if interrupted.is_set():
            atexit.register(_leave)
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _give_up_on_server() -> None:
    """Until the process ends, keep Prefect from retrying a server that does not answer, and from logging that."""
    if "prefect" not in sys.modules:
        return
    from prefect.settings import get_current_settings

    get_current_settings().client.max_retries = 0  # of the running task, whose context has its own settings
    logging.raiseExceptions = False
    for name in SENDERS:
        logging.getLogger(name).disabled = True


def _leave_closed_terminal() -> None:
    """Stop writing to a terminal that was closed: an error would replace the interruption."""
    for number in (1, 2):
        state = select.poll()
        state.register(number, 0)
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in state.poll(0)):
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a descriptor is needed)
                os.dup2(nowhere.fileno(), number)


@contextmanager
def _ending_in_time(interrupted: Event) -> Iterator[None]:
    """End the process some seconds after a signal in the block, whatever delays it and whoever handles the signal.

    While a flow runs, Prefect handles SIGTERM itself, so the event is set here. If the process ends this way, its study
    and its cell may still be recorded as running; the next command records them as interrupted.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    Thread(target=_end_after_signal, args=(ours, interrupted), daemon=True).start()
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()  # ends the thread if no signal came


def _end_after_signal(numbers: socket.socket, interrupted: Event) -> None:
    """Read the numbers of signals, and end the process some seconds after one of `SIGNALS`."""
    with numbers:
        while received := numbers.recv(1):
            if received[0] in SIGNALS:
                interrupted.set()
                _give_up_on_server()
                time.sleep(SECONDS_TO_END)
                stderr.show_cursor(True)
                sys.stderr.write(f"{describe_interruption(sys.argv[1:])}\n")
                _leave()


def _leave() -> None:
    """End the process without shutting down the interpreter, which takes seconds on a busy machine."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
