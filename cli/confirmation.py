"""Confirmation on the terminal before a lasting change."""

import sys

import typer

from schemas.errors import FailureError, InputError

YES = typer.Option("--yes", "-y", help="Do not ask for confirmation.")


def check_answerable(command: str, *, yes: bool) -> None:
    """Check that confirmation is possible or not needed.

    Raises:
        InputError: Standard input or output is not a terminal, and --yes is not given.
    """
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(f"{command}: cannot ask for confirmation, since this is not a terminal; add --yes")


def confirm(command: str, question: str, *, yes: bool) -> None:
    """Ask for confirmation on the terminal, unless --yes is given.

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
