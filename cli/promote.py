"""`fintone promote`: promote a cell manually, overriding the gate, or go back."""

from getpass import getuser
from typing import Annotated

import typer

from cli.confirmation import YES, check_answerable, confirm
from cli.options import FINE_TUNE
from cli.output.console import print_lines
from schemas.errors import InputError

LONGEST_NAME = 80


def promote(
    cell: Annotated[str | None, FINE_TUNE] = None,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with the decision.")] = "",
    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature; the cell's lowest if omitted.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Go back to the previous champion.")] = False,  # noqa: FBT002
    by: Annotated[str | None, typer.Option(help="Who decides; it is recorded. Your user name if omitted.")] = None,
    yes: Annotated[bool, YES] = False,  # noqa: FBT002
) -> None:
    """Promote a cell manually, overriding the gate, or go back to the previous champion.

    Shows the figures of both cells and the floors of the gate that are missed, then asks for confirmation. Without a
    terminal, --yes is required.

    Example: fintone promote 3f9a --reason "the gate's test part is too small"
    """
    from operations.floors import describe_proposal
    from operations.promotion import carry_out, propose, propose_roll_back
    from reporting.promotion import describe_champion

    if back == (cell is not None):
        raise typer.BadParameter("give a cell, or --back" + (", not both" if back else ""))
    if back and temperature is not None:
        raise typer.BadParameter("--back keeps the temperature of the previous champion; omit --temperature")
    person = _find_person(by)
    proposal = propose_roll_back(reason, person) if cell is None else propose(cell, reason, person, temperature)
    check_answerable("promote", yes=yes)
    print_lines(describe_proposal(proposal))
    confirm("promote", f"Make cell {proposal.after.cell_id} the champion?", yes=yes)
    carry_out(proposal)
    print_lines(
        [
            ("champion", describe_champion(proposal.after).removeprefix("cell ")),
            ("before", describe_champion(proposal.before).removeprefix("cell ")),
            ("decided by", person),
            ("recorded", "fintone list champions"),
            ("report", f"fintone report --study {proposal.decision.study_id} updates its page"),
        ]
    )


def _find_person(by: str | None) -> str:
    """The name of the person who decides: `by`, else the user name.

    Raises:
        InputError: The name is empty, too long or not one line, or the system has no user name.
    """
    try:
        person = getuser() if by is None else by.strip()
    except (OSError, KeyError) as error:
        raise InputError("--by: this system has no user name; name the person who decides") from error
    if not person or not person.isprintable() or len(person) > LONGEST_NAME:
        raise InputError(f"--by {person[:LONGEST_NAME]!r}: give one line of up to {LONGEST_NAME} characters")
    return person
