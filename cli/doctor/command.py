"""`fintone doctor`: what works on this machine, what does not, and the remedy."""

from typing import Annotated

import typer

from cli.options import FAILED, Form
from cli.output.console import stderr, stdout


def doctor(
    format_: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
) -> None:
    """Show what works here, what does not, and the remedy; exit code 1 if something that a run needs is broken.

    Example: fintone doctor --format json
    """
    from cli.doctor.checkup import examine
    from cli.doctor.checkup_text import render_findings, render_json
    from cli.output.results import deliver

    with stderr.status("checking, takes some seconds"):
        findings = examine()
    if format_ is Form.JSON:
        deliver([render_json(findings)], None, may_be_file=False)
    else:
        deliver([render_findings(findings, stdout)], None, is_captured=True)
    if any(found.state == "fail" for found in findings):
        raise typer.Exit(FAILED)
