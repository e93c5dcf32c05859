"""`fintone list`: the studies, cells and champions of a home, with their ids."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import FORMAT, Format
from cli.output.console import find_screen, print_lines, print_notice


def list_things(
    things: Annotated[Literal["studies", "cells", "champions"], typer.Argument(help="What to list.")] = "studies",
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
    deliver(render(LISTS[things](), format_.value, note=print_notice, screen=find_screen(output)), output)
    if format_ is Format.TABLE and output is None:
        print_lines(describe_home())
