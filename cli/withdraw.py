"""`fintone withdraw`: delete answers that another adapter gave in a cell's name."""

from typing import Annotated

from cli.options import FINE_TUNE
from cli.output.console import print_lines


def withdraw(cell: Annotated[str, FINE_TUNE]) -> None:
    """Withdraw stored answers of a cell that its adapter did not give, or that nobody knows which adapter gave.

    Example: fintone withdraw 3f9a
    """
    from operations.withdrawal import withdraw_answers

    print_lines(withdraw_answers(cell))
