"""`fintone ingest`: load labelled headlines into the warehouse and account for every row."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import assign, build_from_options
from cli.output.console import print_lines, print_notice, print_query, stderr, stdout
from cli.reading import build_recalling, recall_reading, with_reading_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.source import DataSettings


@with_reading_options
def ingest(
    source: Annotated[str, typer.Argument(help="Labelled headlines: `embedded`, a path, or hf:ORG/NAME.")],
    reading: "Sequence[str]" = (),
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any data setting, as in --set data.conflicts=majority.")
    ] = None,
    *,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Read a known source again, for what an older version did not read, such as dates."
        ),
    ] = False,
) -> None:
    """Ingest labelled headlines: validate every row, merge copies, group near copies, record rejected rows.

    Example: fintone ingest headlines.csv --text-column title --label-map words.yaml
    """
    from ingestion.columns import MissingColumnError
    from schemas.overrides import refuse_conflicts, refuse_others

    build = build_recalling if again else build_from_options
    assignments = [*assign({"data.source": source}), *reading, *(set_ or [])]
    refuse_conflicts(assignments)
    refuse_others(assignments, "data.")
    config = build("desk", [], assignments)
    try:
        run_ingestion(config.data, again=again)
    except MissingColumnError as error:
        remembered = recall_reading(config.data.model_dump(exclude_unset=True))
        if again or not remembered:
            raise
        raise MissingColumnError(f"{error}; it was ingested with other settings: --again reads it with those") from None


def run_ingestion(data: "DataSettings", *, again: bool) -> None:
    """Ingest in this process, or as a flow run if a Prefect server is set."""
    from cli.output.account import describe_ingestion
    from cli.session.session import is_server_set, prefect_session
    from storage.data_report import load_data_report
    from storage.home import Home

    if is_server_set():
        with prefect_session(stderr):
            from flows.ingest import ingest

            ingested = ingest(data, again)
    else:
        from operations.intake import ingest_and_save

        ingested = ingest_and_save(data, print_notice, again=again)
    report = load_data_report(Home.from_environment().warehouse, ingested.ingest_id)
    lines, queries = describe_ingestion(report, ingested.source, is_new=ingested.is_new)
    print_lines(lines)
    for shown, query in queries:
        stdout.print(f"\n{shown}:")
        print_query(query)
