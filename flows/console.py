"""Where commands print: what they answer to standard output, what they tell on their way to standard error."""

import os
from typing import Literal

from rich.console import Console

colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
stdout = Console(highlight=False, color_system=colours)
stderr = Console(stderr=True, highlight=False, color_system=colours)


def print_lines(lines: list[tuple[str, str]], console: Console = stdout) -> None:
    """Print (subject, description) lines in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for subject, description in lines:
        table.add_row(subject, Text(description))
    console.print(table)


def tell(message: str) -> None:
    """Print a line to standard error."""
    stderr.print(message, markup=False, soft_wrap=True)
