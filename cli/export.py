"""`fintone export`: the model of a cell as files for use outside fintone."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import FINE_TUNE
from cli.output.console import print_lines


def export(
    cell: Annotated[str, FINE_TUNE],
    output: Annotated[Path, typer.Option(help="A new folder for the model.")],
    merge: Annotated[bool, typer.Option("--merge", help="Write whole weights instead of an adapter.")] = False,  # noqa: FBT002
) -> None:
    """Export a cell as a PEFT adapter or whole weights, with a model card; its answers are checked against the ledger.

    Example: fintone export 3f9a --output news-model --merge
    """
    from operations.export import export_cell
    from operations.outputs import check_output

    check_output(output)
    print_lines(export_cell(cell, output, merge=merge))
