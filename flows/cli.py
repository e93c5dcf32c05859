"""The command line: each command opens, calls and prints. Errors become one line here and nowhere else.

Loads no heavy library before a command needs it.
"""

import json
import os
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from flows.completion import complete_cell, complete_fine_tune, complete_model, complete_profile, complete_study
from flows.console import SafeConsole, print_lines, stderr, stdout, tell
from flows.notices import show_notices
from flows.own_data import find_rules, tell_rules
from flows.runs import run_ingestion, run_scoring, run_study
from schemas.errors import FailureError, InputError
from schemas.text import show_text

if TYPE_CHECKING:
    from schemas.config import StudyConfig

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
INTERRUPTION = "fintone: interrupted; what was finished is kept, and the same command goes on from there\n"
FINE_TUNE = typer.Argument(
    help="Id of a fine-tuned cell, or its first 4 characters or more.", autocompletion=complete_fine_tune
)

app = typer.Typer(
    name="fintone",
    help="Fine-tune, evaluate and compare financial sentiment models; every number lands in DuckDB.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How `fintone sql` prints its answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Form(StrEnum):
    """How `fintone compare` and `fintone doctor` print their answers."""

    TABLE = "table"
    JSON = "json"


class Stream(StrEnum):
    """How `fintone score` prints its answers."""

    CSV = "csv"
    JSONL = "jsonl"


class JudgedPart(StrEnum):
    """The parts of a split on which cells are evaluated."""

    VALIDATION = "validation"
    TEST = "test"


@app.callback(invoke_without_command=True)
def fintone(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,  # noqa: FBT002
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001, FBT002
) -> None:
    """Fine-tune, evaluate and compare financial sentiment models; every number lands in DuckDB.

    `main` reads --debug itself, so that it may stand anywhere in the line.
    """
    if version:
        from importlib.metadata import version as installed_version

        sys.stdout.write(f"fintone {installed_version('fintone')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(f"{context.get_help()}\n")
        raise typer.Exit(BAD_INPUT)


@app.command()
def run(
    profile: Annotated[
        str, typer.Option(help="The study: demo, desk, desk-pt or paper.", autocompletion=complete_profile)
    ] = "demo",
    data: Annotated[str | None, typer.Option(help="Labelled headlines: `embedded`, a path, or hf:ORG/NAME.")] = None,
    base_model: Annotated[str | None, typer.Option(help="`embedded`, a folder, or ORG/NAME[@REVISION].")] = None,
    learning_rates: Annotated[str | None, typer.Option(help="Peak learning rates, as in 2e-4,1e-3.")] = None,
    epochs: Annotated[str | None, typer.Option(help="Passes over the train part, as in 1,3.")] = None,
    temperatures: Annotated[str | None, typer.Option(help="Sampling temperatures, as in 0.1,1,10.")] = None,
    seed: Annotated[str | None, typer.Option(help="Seed of initialisation, order and dropout.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as in --set lora.r=16; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,  # noqa: FBT002
) -> None:
    """Run a study: ingest, split, fine-tune each cell of the grid, evaluate, print the leaderboard.

    The profile demo keeps every row and splits like the study. With --data of your own it merges copies and keeps near
    copies in one part, like the profile desk; FinancialPhraseBank is treated as the study does.

    Example: fintone run --learning-rates 3e-4,1e-3 --epochs 2
    """
    flags = {
        "data.source": data,
        "grid.learning_rates": learning_rates,
        "grid.epochs": epochs,
        "decoding.temperatures": temperatures,
        "grid.seeds": seed,
    }
    assignments = [*_assign(flags), *(set_ or [])]
    rules = find_rules(profile, assignments)
    config = _build_config(profile, base_model, [*rules, *assignments])
    notes = [tell_rules(rules)] if rules else []
    if dry_run:
        from flows.preview import describe_study

        print_lines([*describe_study(config), *(("note", note) for note in notes)])
    else:
        run_study(config, notes)


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="Labelled headlines: `embedded`, a path, or hf:ORG/NAME.")],
    text_column: Annotated[str | None, typer.Option(help="Column of the headline; else found.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the label; else found.")] = None,
    label_map: Annotated[Path | None, typer.Option(help="YAML or JSON file of word: label.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Text encoding; else detected.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Kind of file, as in json-lines; else found.")] = None,
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
    from flows.label_map import read_label_map

    flags = {
        "data.source": source,
        "data.text_column": text_column,
        "data.label_column": label_column,
        "data.label_map": None if label_map is None else json.dumps(read_label_map(label_map)),
        "data.encoding": encoding,
        "data.format": format_,
        "data.delimiter": delimiter,
        "data.header_row": header_row,
        "data.max_rejected": max_rejected,
    }
    run_ingestion(_build_config("desk", None, [*_assign(flags), *(set_ or [])]).data)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One query; the warehouse is read and never written.")],
    format_: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file instead.")] = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds that the query may take.")] = 60.0,
    memory: Annotated[float, typer.Option(min=0.05, help="Gigabytes of memory that the query may take.")] = 2.0,
    raw: Annotated[bool, typer.Option("--raw", help="In CSV, keep text that a spreadsheet would run.")] = False,  # noqa: FBT002
) -> None:
    """Query the warehouse with SQL.

    Example: fintone sql "SELECT model, temperature, accuracy FROM leaderboard WHERE study_id = latest_study()"
    """
    from flows.results import deliver, render
    from storage.home import Home
    from storage.interruptions import mark_interrupted
    from storage.query import asking
    from tasks.outputs import check_output

    warehouse = Home.from_environment().warehouse
    if output is not None:
        check_output(output)
    mark_interrupted(warehouse)
    with asking(warehouse, statement, timeout, memory, _leave_at_once) as result:
        deliver(render(result, format_.value, raw=raw, note=tell), output)


@app.command()
def compare(
    cell: Annotated[
        str, typer.Argument(help="Id of a cell, or its first 4 characters or more.", autocompletion=complete_cell)
    ],
    other: Annotated[str, typer.Argument(help="Id of the cell to compare it with.", autocompletion=complete_cell)],
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature; else each that both have.")] = None,
    part: Annotated[
        JudgedPart, typer.Option(help="Part of the split; validation chooses, test judges.")
    ] = JudgedPart.TEST,
    flips: Annotated[int, typer.Option(min=0, help="Headlines to show that the two predict otherwise.")] = 10,
    format_: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file instead.")] = None,
) -> None:
    """Compare two cells on the same headlines: which is better, how sure that is, what flipped.

    Example: fintone compare 3f9a c204 --temperature 0.1
    """
    from flows.comparison import compare_cells
    from flows.comparison_text import describe_comparison, render_json
    from flows.results import deliver
    from storage.home import Home
    from tasks.outputs import check_output

    if output is not None:
        check_output(output)
    compared = compare_cells(
        Home.from_environment().warehouse, cell, other, part=part.value, temperature=temperature, most_flips=flips
    )
    if format_ is Form.JSON:
        deliver([render_json(compared)], output)
        return
    console = stdout if output is None else SafeConsole(highlight=False, color_system=None)
    with console.capture() as captured:
        for lines in describe_comparison(compared):
            print_lines(lines, console)
            console.print()
        console.print("all that flipped:")
        console.print(f'  fintone sql "{compared.query}"', soft_wrap=True, markup=False)
    deliver([captured.get()], output)


@app.command()
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
    from storage.home import Home
    from storage.interruptions import mark_interrupted
    from storage.warehouse import prepare_to_read
    from tasks.masks import complete_masks
    from tasks.outputs import check_output
    from tasks.report import write_report

    home = Home.from_environment()
    if output is not None:
        check_output(output)
    prepare_to_read(home.warehouse)
    mark_interrupted(home.warehouse)
    if home.warehouse.exists():
        complete_masks(home.warehouse)
    page = write_report(study, output)
    print_lines([("report", str(page)), ("charts", f"{page.parent / 'charts'}: SVG and PNG")])


@app.command()
def export(
    cell: Annotated[str, FINE_TUNE],
    output: Annotated[Path, typer.Option(help="A new folder for the model.")],
    merge: Annotated[bool, typer.Option("--merge", help="Write whole weights instead of an adapter.")] = False,  # noqa: FBT002
) -> None:
    """Export a cell as a PEFT adapter, or as whole weights, with a model card; checked against the ledger.

    Example: fintone export 3f9a --output news-model --merge
    """
    from tasks.export import export_cell
    from tasks.outputs import check_output

    check_output(output)
    print_lines(export_cell(cell, output, merge=merge))


@app.command()
def score(
    source: Annotated[
        str, typer.Argument(help="Headlines without labels: a path, hf:ORG/NAME, or - for standard input.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="`champion`, or a cell's id, or its first 4 characters or more.", autocompletion=complete_model
        ),
    ] = "champion",
    temperature: Annotated[float | None, typer.Option(help="Of the probabilities; else the nearest to 1.")] = None,
    output: Annotated[str | None, typer.Option(help="A file: .csv, .jsonl or .parquet; else standard output.")] = None,
    format_: Annotated[
        Stream | None, typer.Option("--format", help="Form of standard output; csv if not given.")
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the headline; else found.")] = None,
    source_format: Annotated[str | None, typer.Option(help="Kind of source, as in lines or json; else found.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Text encoding; else detected.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Character between the fields of a CSV; else found.")] = None,
    header_row: Annotated[int | None, typer.Option(help="Line that names the columns; else found.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="In CSV, keep text that a spreadsheet would run.")] = False,  # noqa: FBT002
    unparsed: Annotated[
        str, typer.Option(help="For an answer that is no label: `label` calls it unparsed, `neutral` neutral.")
    ] = "label",
    drift_tolerance: Annotated[float, typer.Option(help="Shift of a share or of confidence that is told.")] = 0.1,
) -> None:
    """Label headlines with the champion: a label, probabilities and the model's version for each, to SQL and a file.

    Example: fintone score headlines.csv --output answers.parquet
    """
    from schemas.config import ScoreSettings
    from schemas.profiles import check_settings

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
        "drift_tolerance": drift_tolerance,
        "raw": raw,
    }
    run_scoring(check_settings(ScoreSettings, values), None if format_ is None else format_.value)


@app.command()
def promote(
    cell: Annotated[str | None, FINE_TUNE] = None,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with the decision.")] = "",
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature; else its lowest.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Go back to the champion before, instead of a cell.")] = False,  # noqa: FBT002
) -> None:
    """Make a cell champion against or before the gate's word, or go back to the champion before.

    Example: fintone promote 3f9a --reason "the gate's test part is too small"
    """
    from flows.promotion import promote as promote_cell
    from flows.promotion import roll_back

    if back == (cell is not None):
        raise typer.BadParameter("give a cell, or --back" + (", not both" if back else ""))
    if back and temperature is not None:
        raise typer.BadParameter("--back keeps the temperature of the champion before; give no --temperature")
    change = roll_back(reason) if cell is None else promote_cell(cell, reason, temperature)
    before = f"{change.before.cell_id} at temperature {change.before.temperature:g}" if change.before else "none"
    print_lines(
        [
            ("champion", f"{change.after.cell_id} at temperature {change.after.temperature:g}"),
            ("before", before),
            ("recorded", 'fintone sql "FROM champions ORDER BY number DESC"'),
        ]
    )


@app.command()
def withdraw(cell: Annotated[str, FINE_TUNE]) -> None:
    """Withdraw stored answers of a cell that its adapter did not give, or that nobody knows which adapter gave.

    Example: fintone withdraw 3f9a
    """
    from tasks.withdrawal import withdraw_answers

    print_lines(withdraw_answers(cell))


@app.command()
def doctor(
    format_: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
) -> None:
    """Say what works here, what does not, and how to mend it; exit code 1 if it is something that a run needs.

    Example: fintone doctor --format json
    """
    from flows.checkup import examine
    from flows.checkup_text import render_findings, render_json
    from flows.results import deliver

    with stderr.status("looking, some seconds"):
        findings = examine()
    deliver(
        [render_json(findings) if format_ is Form.JSON else render_findings(findings, stdout)], None, may_be_file=False
    )
    if any(found.state == "fail" for found in findings):
        raise typer.Exit(FAILED)


def main() -> None:
    """Run the command line and end the process with the exit code of the contract: 0, 1 or 2."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"]
    show_notices()
    try:
        code = typer.main.get_command(app).main(words, "fintone", standalone_mode=False) or 0
        sys.stdout.flush()
    except TyperException as error:
        path = error.ctx.command_path if getattr(error, "ctx", None) else "fintone"  # type: ignore[attr-defined]
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        _end(f"{message}; see {path} --help", BAD_INPUT, debug=debug)
    except InputError as error:
        _end(str(error), BAD_INPUT, debug=debug)
    except FailureError as error:
        _end(str(error), FAILED, debug=debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except MemoryError:
        _end("out of memory: give fewer rows or a smaller model, or close other programs", FAILED, debug=debug)
    except Exception as error:  # noqa: BLE001 (the edge: whatever went wrong is one line, or a traceback with --debug)
        hint = "" if debug else "; --debug shows more"
        _end(f"{type(error).__name__}: {' '.join(str(error).split())}{hint}", FAILED, debug=debug)
    if code == INTERRUPTED:
        from flows.terminal import mute_exit

        sys.stderr.write(INTERRUPTION)
        mute_exit()
    sys.exit(code)


def _end(message: str, code: int, *, debug: bool) -> None:
    """Print an error as one line, below its traceback where that was asked for, and leave."""
    if debug:
        sys.stderr.write(show_text(traceback.format_exc(), lines=True))
    sys.stderr.write(f"fintone: {show_text(message)}\n")
    sys.exit(code)


def _leave_at_once(reason: BaseException) -> None:
    """End the process where a library does not let go of it: after Ctrl-C, or with the line of an error."""
    is_interrupted = isinstance(reason, KeyboardInterrupt)
    sys.stderr.write(INTERRUPTION if is_interrupted else f"fintone: {show_text(str(reason))}\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED if is_interrupted else FAILED)


def _assign(flags: dict[str, str | None]) -> list[str]:
    """The flags that were given, as `any.setting=value`."""
    return [f"{name}={value}" for name, value in flags.items() if value is not None]


def _build_config(profile: str, base_model: str | None, assignments: list[str]) -> "StudyConfig":
    from schemas.overrides import apply_overrides
    from schemas.paths import local_path
    from schemas.profiles import build_config, load_profile

    values = load_profile(profile)
    if base_model is not None:
        is_local = local_path("base model", base_model).exists()
        name, _, revision = (base_model, "", "") if is_local else base_model.partition("@")
        values["base_model"] = {**values["base_model"], "name": name, "revision": revision or None}
    return build_config(apply_overrides(values, assignments))
