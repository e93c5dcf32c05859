"""`fintone score`: labels for new headlines."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Model, Temperature
from cli.output.console import StandardOutput, print_notice, score_progress, stderr
from cli.reading import (
    DateOrder,
    Delimiter,
    Encoding,
    InstrumentColumn,
    PublishedAtColumn,
    TextColumn,
    Timezone,
    describe_recalled,
    recall_reading,
)
from reporting.csv_rows import CsvRows
from schemas.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operations.drift import DriftWatch
    from operations.scoring_run import ScoredSource
    from reporting.score_files import Write
    from schemas.score import ScoreSettings
    from schemas.scoring import Drift, FreshAccuracy


def score(
    source: Annotated[
        str, typer.Argument(help="Headlines without labels: a path, hf:ORG/NAME, or - for standard input.")
    ],
    model: Model = "champion",
    temperature: Temperature = None,
    output: Annotated[
        str | None, typer.Option(help="Output file: .csv, .jsonl or .parquet; standard output if omitted.")
    ] = None,
    format_: Annotated[
        Literal["csv", "jsonl"] | None, typer.Option("--format", help="Format of standard output; csv if omitted.")
    ] = None,
    text_column: TextColumn = None,
    published_at_column: PublishedAtColumn = None,
    instrument_column: InstrumentColumn = None,
    timezone: Timezone = None,
    date_order: DateOrder = None,
    context_column: Annotated[
        str | None,
        typer.Option(help="Column of text to show before each headline; that of the model's study if omitted."),
    ] = None,
    source_format: Annotated[
        str | None, typer.Option(help=f"Kind of file: {', '.join(FORMATS)}; detected if omitted.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header_row: Annotated[int | None, typer.Option(help="Line that names the columns; detected if omitted.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="In CSV, do not change text that looks like a formula.")] = False,  # noqa: FBT002
    unparsed: Annotated[
        str,
        typer.Option(help="What to call an answer that is not a label: `label` for unparsed, `neutral` for neutral."),
    ] = "label",
    too_long: Annotated[
        str | None,
        typer.Option(
            help="For headlines that are too long: `reject` or `truncate`; as in the model's study if omitted."
        ),
    ] = None,
    evaluate: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--evaluate", help="Compare the answers with the labels of the source: accuracy, macro-F1."),
    ] = False,
    label_column: Annotated[
        str | None, typer.Option(help="For --evaluate: column of the label; detected if omitted.")
    ] = None,
    label_columns: Annotated[
        str | None, typer.Option(help="For --evaluate: several columns that hold the label, as a,b,c.")
    ] = None,
    label_map: Annotated[
        Path | None, typer.Option(help="For --evaluate: YAML or JSON file of `word: label`; or {word: label, ...}.")
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(help="For --evaluate: `-0.1,0.1` makes scores below -0.1 negative, above 0.1 positive."),
    ] = None,
    drift_tolerance: Annotated[
        float,
        typer.Option(help="Drift is reported where the whole 95 % interval of a difference is beyond this."),
    ] = 0.1,
) -> None:
    """Label headlines with the champion, or with another cell.

    Each headline gets a label, probabilities and the model's version, in a file or on standard output, and in SQL.

    Example: fintone score headlines.csv --output answers.parquet
    """
    from cli.label_map import read_label_map
    from schemas.profiles import check_settings
    from schemas.score import ScoreSettings

    if output is not None and format_ is not None:
        raise typer.BadParameter(
            "--format is for standard output; the format of a file follows from the name in --output"
        )
    if not evaluate and (label_column or label_columns or label_map or thresholds):
        raise typer.BadParameter("options for labels of the source need --evaluate: add it")
    values = {
        "source": source,
        "model": model,
        "temperature": temperature,
        "output": output,
        "text_column": text_column,
        "published_at_column": published_at_column,
        "instrument_column": instrument_column,
        "timezone": timezone,
        "date_order": date_order,
        "context_column": context_column,
        "format": source_format,
        "encoding": encoding,
        "delimiter": delimiter,
        "header_row": header_row,
        "unparsed": unparsed,
        "too_long": too_long,
        "drift_tolerance": drift_tolerance,
        "raw": raw,
        "evaluate": evaluate,
        "label_column": label_column,
        "label_columns": None if label_columns is None else label_columns.split(","),
        "thresholds": None if thresholds is None else thresholds.split(","),
        "label_map": None if label_map is None else read_label_map(str(label_map)),
    }
    requested = {name: value for name, value in values.items() if value is not None}
    recalled = _recall(requested)
    run_scoring(check_settings(ScoreSettings, {**recalled, **requested}), format_)


def _recall(requested: "Mapping[str, Any]") -> dict[str, Any]:
    """The settings with which the source was last ingested; prints them."""
    from schemas.score import list_reading

    if requested["source"] == "-":
        return {}
    names = list_reading(evaluate=requested["evaluate"])
    recalled = {name: value for name, value in recall_reading(requested).items() if name in names}
    if recalled:
        print_notice(describe_recalled(requested["source"], recalled))
    return recalled


def run_scoring(settings: "ScoreSettings", form: "Literal['csv', 'jsonl'] | None") -> None:
    """Score in this process, or as a flow run if a Prefect server is set and answers go to a file.

    Without an output file, answers go to standard output in the format `form`.
    """
    from cli.session.interruption import prompt_interruption
    from cli.session.session import is_server_set, prefect_session
    from operations.accuracy_watch import watch_accuracy
    from operations.answers import answers_file, check_evaluated, choose_model, reporting_interruption, score_source
    from operations.drift import DriftWatch
    from operations.homes import home_to_change
    from operations.worker import close_worker, start_worker

    home = home_to_change()
    chosen = choose_model(settings)  # its errors are reported before anything starts
    if settings.output is not None and is_server_set():
        with prefect_session(stderr):
            from flows.score import score

            score(settings)
        return
    csv_rows = CsvRows(raw=settings.raw)
    send = partial(_send_drift, settings, chosen.scorer.cell_id)
    watch = DriftWatch(home.warehouse, settings.drift_tolerance, print_notice, send)
    end = partial(_print_end, csv_rows, watch)
    start_worker()
    try:
        with (
            prompt_interruption(),
            reporting_interruption(end) as keep,
            answers_file(settings, csv_rows, print_notice) as to_file,
            score_progress(stderr) as show,
        ):
            write = to_file or _answers_to_stdout(form or "csv", csv_rows)
            scored = score_source(settings, chosen, write, show, print_notice, look=watch.look, on_interrupt=keep)
    finally:
        close_worker()
    end(scored)
    if settings.evaluate:
        send_drop = partial(_send_drop, scored)
        watch_accuracy(home.warehouse, scored.scoring_id, print_notice, send_drop)
    check_evaluated(scored)


def _answers_to_stdout(form: "Literal['csv', 'jsonl']", csv_rows: "CsvRows") -> "Write":
    from reporting.score_files import answers_to_stream

    return answers_to_stream(StandardOutput(), form, csv_rows)


def _print_end(csv_rows: "CsvRows", watch: "DriftWatch", scored: "ScoredSource") -> None:
    """Print the result for a source, or for the part of it that was scored."""
    from operations.answers import describe_result

    for line in describe_result(scored):
        print_notice(line)
    csv_rows.report(print_notice)
    watch.end(scored.scoring_id)


def _send_drift(settings: "ScoreSettings", cell_id: str, scoring_id: str, drifted: "Sequence[Drift]") -> None:
    """Send the drift event to the Prefect server that is set; print a line if it does not answer."""
    if _has_server("drift"):
        from tasks.scoring import emit_drift

        emit_drift(scoring_id, settings.source, cell_id, settings.drift_tolerance, drifted)


def _send_drop(scored: "ScoredSource", drop: "FreshAccuracy") -> bool:
    """Send the event of a drop of accuracy; whether it was sent."""
    if not _has_server("the drop"):
        return False
    from tasks.scoring import emit_drop

    return emit_drop(scored.scoring_id, scored.source, scored.cell_id, drop)


def _has_server(subject: str) -> bool:
    """Whether a Prefect server is set and answers; prints a line if it is set but does not answer."""
    from cli.session.session import check_set_server, is_server_set

    if not is_server_set():
        return False
    unusable = check_set_server()
    if unusable:
        print_notice(f"the event of {subject} is not sent: {unusable}")
    return not unusable
