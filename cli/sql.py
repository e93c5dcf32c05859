"""`fintone sql`: a query on the warehouse, which it reads and never writes."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from cli import debugging
from cli.options import FAILED, FORMAT, INTERRUPTED, Format, describe_interruption
from cli.output.console import clear_line, find_screen, print_notice
from schemas.text import show_text


def sql(
    statement: Annotated[str, typer.Argument(help="One query; the warehouse is read and never written.")],
    format_: Annotated[Format | None, FORMAT] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file instead.")] = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds that the query may take.")] = 60.0,
    memory: Annotated[float, typer.Option(min=0.05, help="Gigabytes of memory that the query may take.")] = 2.0,
    raw: Annotated[bool, typer.Option("--raw", help="In CSV, do not change text that looks like a formula.")] = False,  # noqa: FBT002
) -> None:
    """Query the warehouse with SQL. A table on a terminal is cut to its width and 40 rows; a pipe gets everything.

    Example: fintone sql "SELECT model, temperature, accuracy FROM leaderboard WHERE study_id = latest_study()"
    """
    from cli.output.formats import choose_format
    from cli.output.results import deliver, render
    from operations.outputs import check_output
    from storage.home import Home
    from storage.interruptions import mark_interrupted
    from storage.query import asking

    warehouse = Home.from_environment().warehouse
    check_output(output)
    format_ = choose_format(format_, output, Format)
    mark_interrupted(warehouse)
    with asking(warehouse, statement, timeout, memory, _leave_at_once) as result:
        deliver(render(result, format_.value, raw=raw, note=print_notice, screen=find_screen(output)), output)


def _leave_at_once(reason: BaseException) -> None:
    """End the process at once, since a library may not return: after Ctrl-C, or with the line of an error."""
    is_interrupted = isinstance(reason, KeyboardInterrupt)
    if debugging.is_on:
        sys.stderr.write(show_text("".join(traceback.format_exception(reason)), lines=True))
    clear_line()
    line = describe_interruption(("sql",)) if is_interrupted else f"fintone: {show_text(str(reason))}"
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED if is_interrupted else FAILED)
