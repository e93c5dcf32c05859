"""`fintone ingest`: labelled headlines into the warehouse, and an account of every row."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import assign, build_config
from cli.output.console import print_lines, stderr, stdout, tell
from schemas.formats import LABELLED_FORMATS

if TYPE_CHECKING:
    from schemas.source import DataSettings


def ingest(
    source: Annotated[str, typer.Argument(help="Labelled headlines: `embedded`, a path, or hf:ORG/NAME.")],
    text_column: Annotated[str | None, typer.Option(help="Column of the headline; else found.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the label; else found.")] = None,
    label_columns: Annotated[
        str | None, typer.Option(help="Several columns that hold the label: annotators, or one for each label.")
    ] = None,
    label_map: Annotated[Path | None, typer.Option(help="YAML or JSON file of word: label.")] = None,
    thresholds: Annotated[
        str | None, typer.Option(help="The label is a score: -0.1,0.1 is negative below, positive above.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Text encoding; else detected.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"Kind of file: {', '.join(LABELLED_FORMATS)}; else found.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Character between the fields of a CSV; else found.")] = None,
    header_row: Annotated[str | None, typer.Option(help="Line that names the columns; else found.")] = None,
    max_rejected: Annotated[str | None, typer.Option(help="Share of rows that may be rejected, 0 to 1.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any data setting, as in --set data.conflicts=majority.")
    ] = None,
) -> None:
    """Ingest labelled headlines: validate every row, merge copies, group near copies, keep what is rejected.

    Example: fintone ingest headlines.csv --text-column title --label-map words.yaml
    """
    from cli.label_map import read_label_map

    flags = {
        "data.source": source,
        "data.text_column": text_column,
        "data.label_column": label_column,
        "data.label_columns": label_columns,
        "data.thresholds": thresholds,
        "data.label_map": None if label_map is None else json.dumps(read_label_map(label_map)),
        "data.encoding": encoding,
        "data.format": format_,
        "data.delimiter": delimiter,
        "data.header_row": header_row,
        "data.max_rejected": max_rejected,
    }
    run_ingestion(build_config("desk", [], [*assign(flags), *(set_ or [])]).data)


def run_ingestion(data: "DataSettings") -> None:
    """Ingest in this process; where a Prefect server is set, as a flow run that its UI shows."""
    from cli.output.account import describe_ingestion
    from cli.session.session import is_server_set, prefect_session
    from storage.data_report import load_data_report
    from storage.home import Home

    if is_server_set():
        with prefect_session(stderr):
            from flows.ingest import ingest

            ingested = ingest(data)
    else:
        from operations.intake import take_in

        ingested = take_in(data, tell)
    report = load_data_report(Home.from_environment().warehouse, ingested.ingest_id)
    lines, queries = describe_ingestion(report, is_new=ingested.is_new)
    print_lines(lines)
    for shown, query in queries:
        stdout.print(f"\n{shown}:")
        stdout.print(f'  fintone sql "{query}"', soft_wrap=True, markup=False)
