"""The findings of a checkup as text: lines for people, JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.output.results import show, to_json
from schemas.checkup import Finding

STYLES = {"ok": "green", "note": "yellow", "fail": "bold red"}


def render_findings(findings: Sequence[Finding], console: Console) -> str:
    """Render a row for each finding, with its remedy, and a last line that says whether a run can work.

    Args:
        findings: In the order in which they are shown.
        console: Its width and colours are used; nothing is printed.
    """
    table = Table(box=None, show_header=False, pad_edge=False)
    for column in ("state", "subject"):
        table.add_column(column, no_wrap=True)
    table.add_column(overflow="fold")
    for found in findings:
        description = Text(show(found.message))
        if found.remedy:
            description.append(f"\n-> {show(found.remedy)}", style="dim" if found.state == "ok" else "")
        table.add_row(Text(found.state, style=STYLES[found.state]), Text(found.subject, style="bold"), description)
    with console.capture() as captured:
        console.print(table)
        console.print(f"\n{_conclude(findings)}")
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())  # rich pads with spaces


def _conclude(findings: Sequence[Finding]) -> str:
    broken = [found.subject for found in findings if found.state == "fail"]
    if not broken:
        return "nothing that a run needs is broken"
    return f"fix this before a run: {', '.join(broken)}"


def render_json(findings: Sequence[Finding]) -> str:
    """Render a list of objects with `subject`, `state`, `message` and `remedy`, and a line break."""
    return to_json([asdict(found) for found in findings], indent=2) + "\n"
