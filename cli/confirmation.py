"""Questions before something is changed for good, and who is asked."""

import sys

import typer

from schemas.errors import FailureError, InputError

YES = typer.Option("--yes", "-y", help="Do not ask.")


def check_answerable(command: str, *, yes: bool) -> None:
    """Make sure that somebody can be asked, or need not be.

    Raises:
        InputError: Standard input or output is no terminal, and --yes is not given.
    """
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(f"{command}: nobody can be asked here, since this is not a terminal; add --yes")


def confirm(command: str, question: str, *, yes: bool) -> None:
    """Ask on the terminal, unless --yes is given.

    Raises:
        FailureError: The answer is no.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question)
    except typer.Abort:  # the input ended
        agreed = False
    if not agreed:
        raise FailureError(f"{command}: not confirmed, and nothing is changed")
