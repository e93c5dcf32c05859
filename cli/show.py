"""`fintone show`: what an id or a name refers to, and what is known about it."""

from typing import Annotated

import typer

from cli.completion import complete_id
from cli.options import Form


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="An id, its first 4 characters or more, the name of a study or a cell, or `champion`.",
            autocompletion=complete_id,
        ),
    ],
    format_: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
) -> None:
    """Show what an id or a name refers to: a study, a cell, a snapshot, the champion, or anything else with an id.

    Example: fintone show champion
    """
    from cli.output.results import deliver
    from cli.output.shown_text import print_shown, render_json
    from operations.show import show as find_and_show

    shown = find_and_show(name)
    if format_ is Form.JSON:
        deliver([render_json(shown)], None, may_be_file=False)
        return
    print_shown(shown)
