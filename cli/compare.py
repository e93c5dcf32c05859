"""`fintone compare`: two cells on the same headlines."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.completion import complete_cell
from cli.options import FORMAT, Form
from cli.output.console import print_lines, print_query


def compare(
    cell: Annotated[
        str,
        typer.Argument(help="Id of a cell, its first 4 characters or more, or its name.", autocompletion=complete_cell),
    ],
    other: Annotated[
        str, typer.Argument(help="The cell to compare it with, in the same way.", autocompletion=complete_cell)
    ],
    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature; all that both have if omitted.")
    ] = None,
    part: Annotated[
        Literal["validation", "test"], typer.Option(help="Part of the split; validation chooses, test judges.")
    ] = "test",
    flips: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="How many headlines with different predictions to show.")
    ] = 10,
    format_: Annotated[Form | None, FORMAT] = None,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file instead.")] = None,
) -> None:
    """Compare two cells on the same headlines: which is better, how sure that is, what flipped.

    Example: fintone compare 3f9a c204 --temperature 0.1
    """
    from cli.output.comparison_text import describe_comparison, render_json
    from cli.output.formats import choose_format
    from cli.output.results import deliver, delivering_lines
    from operations.comparison import compare_cells
    from operations.outputs import check_output
    from storage.home import Home
    from storage.warehouse import migrate_to_read

    check_output(output)
    format_ = choose_format(format_, output, Form)
    warehouse = Home.from_environment().warehouse
    migrate_to_read(warehouse)
    compared = compare_cells(warehouse, cell, other, part=part, temperature=temperature, most_flips=flips)
    if format_ is Form.JSON:
        deliver([render_json(compared)], output)
        return
    with delivering_lines(output) as console:
        for lines in describe_comparison(compared):
            print_lines(lines, console)
            console.print()
        console.print("all headlines that flipped:")
        print_query(compared.query, console)
