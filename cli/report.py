"""`fintone report`: the page of a study, its charts and the published figures."""

from pathlib import Path
from typing import Annotated

import typer

from cli.completion import complete_study
from cli.output.console import print_lines


def report(
    study: Annotated[
        str | None,
        typer.Option(help="Id of a study, or its first characters; else the last.", autocompletion=complete_study),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A folder; else the study's own in the home.")] = None,
) -> None:
    """Write a study's report: one page that opens offline, its charts for a paper, and the published figures.

    Example: fintone report --output report
    """
    from operations.masks import complete_masks
    from operations.outputs import check_output
    from operations.report import write_report
    from storage.home import Home
    from storage.interruptions import mark_interrupted
    from storage.warehouse import prepare_to_read

    home = Home.from_environment()
    if output is not None:
        check_output(output)
    prepare_to_read(home.warehouse)
    mark_interrupted(home.warehouse)
    if home.warehouse.exists():
        complete_masks(home.warehouse)
    page = write_report(study, output)
    print_lines([("report", str(page)), ("charts", f"{page.parent / 'charts'}: SVG and PNG")])
