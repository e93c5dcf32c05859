"""`fintone list`: the studies, cells and champions of a home, with their ids."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import FORMAT, Format
from cli.output.console import find_screen, print_lines, print_notice


class Things(StrEnum):
    """What can be listed."""

    STUDIES = "studies"
    CELLS = "cells"
    CHAMPIONS = "champions"


def list_things(
    things: Annotated[Things, typer.Argument(help="What to list.")] = Things.STUDIES,
    format_: Annotated[Format | None, FORMAT] = None,
    output: Annotated[Path | None, typer.Option(help="Write the list to this file instead.")] = None,
) -> None:
    """List studies, cells or champions with their ids, names, figures and sizes, the latest first.

    Example: fintone list cells --format json
    """
    from cli.output.formats import choose_format
    from cli.output.results import deliver, render
    from operations.catalogue import LISTS, describe_home
    from operations.outputs import check_output

    check_output(output)
    format_ = choose_format(format_, output, Format)
    deliver(render(LISTS[things.value](), format_.value, note=print_notice, screen=find_screen(output)), output)
    if format_ is Format.TABLE and output is None:
        print_lines(describe_home())
