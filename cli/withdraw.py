"""`fintone withdraw`: delete stored answers of a cell that another adapter gave."""

from typing import Annotated

from cli.options import FINE_TUNE
from cli.output.console import print_lines


def withdraw(cell: Annotated[str, FINE_TUNE]) -> None:
    """Delete a cell's stored answers that were given by another adapter or by an unknown one.

    Example: fintone withdraw 3f9a
    """
    from operations.withdrawal import withdraw_answers

    print_lines(withdraw_answers(cell))
