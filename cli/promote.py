"""`fintone promote`: promote a cell manually, overriding the gate, or go back."""

from typing import Annotated

import typer

from cli.options import FINE_TUNE
from cli.output.console import print_lines


def promote(
    cell: Annotated[str | None, FINE_TUNE] = None,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with the decision.")] = "",
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature; else its lowest.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Go back to the champion before, instead of a cell.")] = False,  # noqa: FBT002
) -> None:
    """Promote a cell manually, overriding the gate, or go back to the champion before.

    Example: fintone promote 3f9a --reason "the gate's test part is too small"
    """
    from operations.promotion import promote as promote_cell
    from operations.promotion import roll_back

    if back == (cell is not None):
        raise typer.BadParameter("give a cell, or --back" + (", not both" if back else ""))
    if back and temperature is not None:
        raise typer.BadParameter("--back keeps the temperature of the champion before; give no --temperature")
    change = roll_back(reason) if cell is None else promote_cell(cell, reason, temperature)
    before = f"{change.before.cell_id} at temperature {change.before.temperature:g}" if change.before else "none"
    print_lines(
        [
            ("champion", f"{change.after.cell_id} at temperature {change.after.temperature:g}"),
            ("before", before),
            ("recorded", 'fintone sql "FROM champions ORDER BY number DESC"'),
        ]
    )
