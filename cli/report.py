"""`fintone report`: the page of a study, its charts and the published figures."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from cli.completion import complete_study
from cli.output.console import print_lines, print_notice


def report(
    study: Annotated[
        str | None,
        typer.Option(
            help="Id of a study, its beginning, or its name; the last if omitted.",
            autocompletion=complete_study,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; the study's own in the home if omitted.")
    ] = None,
    act_at: Annotated[
        float,
        typer.Option(help="Least confidence at which you act on an answer, with at most two decimals."),
    ] = 0.9,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,  # noqa: FBT002
) -> None:
    """Write a study's report: one page that opens offline, its charts for a paper, and the published figures.

    In the home, the page of all studies and champions, reports/index.html, is written too.

    Example: fintone report --open
    """
    from operations.homes import home_to_read
    from operations.masks import complete_masks
    from operations.outputs import check_output
    from operations.report import write_report

    check_output(output)
    home = home_to_read()
    if home.warehouse.exists():
        complete_masks(home.warehouse)
    page = write_report(study, output, act_at)
    lines = [("report", str(page)), ("charts", f"{page.parent / 'charts'}: SVG and PNG")]
    print_lines(lines if output is not None else [*lines, ("all studies", str(home.report_index))])
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        print_notice(f"browser: none could open {page}; open it by hand, or set BROWSER to a browser's command")
