"""`fintone score`: labels for new headlines."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.completion import complete_model
from cli.output.console import score_progress, stderr, tell
from reporting.csv_rows import CsvRows
from schemas.formats import FORMATS

if TYPE_CHECKING:
    from typing import Literal

    from reporting.score_files import Write
    from schemas.source import ScoreSettings
    from storage.home import Home


class Stream(StrEnum):
    """How `fintone score` prints its answers."""

    CSV = "csv"
    JSONL = "jsonl"


def score(
    source: Annotated[
        str, typer.Argument(help="Headlines without labels: a path, hf:ORG/NAME, or - for standard input.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="`champion`, or a cell's id, its first 4 characters or more, or its name.",
            autocompletion=complete_model,
        ),
    ] = "champion",
    temperature: Annotated[float | None, typer.Option(help="Of the probabilities; else the nearest to 1.")] = None,
    output: Annotated[str | None, typer.Option(help="A file: .csv, .jsonl or .parquet; else standard output.")] = None,
    format_: Annotated[
        Stream | None, typer.Option("--format", help="Form of standard output; csv if not given.")
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the headline; else found.")] = None,
    source_format: Annotated[str | None, typer.Option(help=f"Kind of file: {', '.join(FORMATS)}; else found.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Text encoding; else detected.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Character between the fields of a CSV; else found.")] = None,
    header_row: Annotated[int | None, typer.Option(help="Line that names the columns; else found.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="In CSV, keep text that a spreadsheet would run.")] = False,  # noqa: FBT002
    unparsed: Annotated[
        str, typer.Option(help="For an answer that is no label: `label` calls it unparsed, `neutral` neutral.")
    ] = "label",
    too_long: Annotated[
        str | None,
        typer.Option(help="A headline longer than the model takes: `reject` or `truncate`; else as the model's study."),
    ] = None,
    drift_tolerance: Annotated[float, typer.Option(help="Shift of a share or of confidence that is told.")] = 0.1,
) -> None:
    """Label headlines with the champion: a label, probabilities and the model's version for each, to SQL and a file.

    Example: fintone score headlines.csv --output answers.parquet
    """
    from schemas.profiles import check_settings
    from schemas.source import ScoreSettings

    if output is not None and format_ is not None:
        raise typer.BadParameter("--format is of standard output: the name of --output says what the file is")
    values = {
        "source": source,
        "model": model,
        "temperature": temperature,
        "output": output,
        "text_column": text_column,
        "format": source_format,
        "encoding": encoding,
        "delimiter": delimiter,
        "header_row": header_row,
        "unparsed": unparsed,
        "too_long": too_long,
        "drift_tolerance": drift_tolerance,
        "raw": raw,
    }
    run_scoring(check_settings(ScoreSettings, values), None if format_ is None else format_.value)


def run_scoring(settings: "ScoreSettings", form: "Literal['csv', 'jsonl'] | None") -> None:
    """Score in this process; where a Prefect server is set, as a flow run that its UI shows.

    Answers go to standard output where they go to no file; then `form` says how.
    """
    from cli.session.session import is_server_set, prefect_session
    from operations.answers import answers_file, choose_model, score_source, tell_counts, tell_unparsed
    from operations.worker import close_worker, start_worker
    from storage.home import Home
    from storage.warehouse import prepare_warehouse

    home = Home.from_environment()
    if home.warehouse.exists():
        prepare_warehouse(home.warehouse)
    chosen = choose_model(settings)  # what is wrong with it is told before anything starts
    if settings.output is not None and is_server_set():
        with prefect_session(stderr):
            from flows.score import score

            score(settings)
        return
    start_worker()
    try:
        csv_rows = CsvRows(raw=settings.raw)
        with answers_file(settings, csv_rows) as to_file, score_progress(stderr) as show:
            write = to_file or _answers_to_stdout(form or "csv", csv_rows)
            scored = score_source(settings, chosen, write, show, tell)
    finally:
        close_worker()
    tell(tell_counts(scored))
    csv_rows.tell(tell)
    warning = tell_unparsed(scored)
    if warning:
        tell(warning)
    _tell_drift(home, scored.scoring_id, settings.drift_tolerance)


def _answers_to_stdout(form: "Literal['csv', 'jsonl']", csv_rows: "CsvRows") -> "Write":
    from cli.output.console import StandardOutput
    from reporting.score_files import answers_to_stream

    return answers_to_stream(StandardOutput(), form, csv_rows)


def _tell_drift(home: "Home", scoring_id: str, tolerance: float) -> None:
    from reporting.verdict import tell_drift
    from storage.scores import load_drift

    for line in tell_drift(load_drift(home.warehouse, scoring_id), tolerance):
        tell(line)
