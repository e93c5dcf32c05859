"""`fintone delete`: a study and everything that only it uses."""

from typing import Annotated

import typer

from cli.completion import complete_study
from cli.confirmation import YES, check_answerable, confirm
from cli.output.console import print_lines


def delete(
    study: Annotated[
        str,
        typer.Argument(help="Id of a study, its beginning, or its name.", autocompletion=complete_study),
    ],
    yes: Annotated[bool, YES] = False,  # noqa: FBT002
) -> None:
    """Delete a study: its cells, figures, predictions, adapters, checkpoints and report, except what others share.

    The study of the champion is never deleted. Without a terminal, --yes is required.

    Example: fintone delete 37c1
    """
    from operations.deletion import carry_out, describe_deletion, propose_deletion

    deletion = propose_deletion(study)
    check_answerable("delete", yes=yes)
    print_lines(describe_deletion(deletion))
    confirm("delete", f"Delete study {deletion.study_id}?", yes=yes)
    carry_out(deletion)
    print_lines([("done", f"study {deletion.study_id} is deleted")])
