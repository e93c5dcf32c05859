"""The command line: its commands, and the only place where an error becomes a line and an exit code."""

import os
import sys
import traceback
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from typer.exceptions import TyperException

from cli import debugging
from cli.compare import compare
from cli.delete import delete
from cli.doctor.command import doctor
from cli.export import export
from cli.gc import gc
from cli.ingest import ingest
from cli.list import list_things
from cli.market import market
from cli.options import BAD_INPUT, FAILED, INTERRUPTED, describe_interruption
from cli.output.console import StandardOutput, clear_line, print_notice
from cli.profiles import profiles
from cli.promote import promote
from cli.report import report
from cli.run import run
from cli.score import score
from cli.session.interruption import noting_interruption
from cli.session.session import forbid_telemetry
from cli.show import show
from cli.sql import sql
from cli.withdraw import withdraw
from flows.notices import show_notices
from schemas.errors import FailureError, InputError
from schemas.text import show_text, show_undecoded

app = typer.Typer(
    name="fintone",
    help="Fine-tune, evaluate and compare financial sentiment models; every number is stored in DuckDB.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    run,
    profiles,
    ingest,
    show,
    sql,
    compare,
    report,
    export,
    score,
    market,
    promote,
    withdraw,
    delete,
    gc,
    doctor,
):
    app.command()(command)
app.command("list")(list_things)


@app.callback(invoke_without_command=True)
def fintone(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,  # noqa: FBT002
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001, FBT002
) -> None:
    """Fine-tune, evaluate and compare financial sentiment models; every number is stored in DuckDB.

    `main` reads --debug itself, so it may be anywhere on the command line.
    """
    if version:
        from schemas.version import find_version

        sys.stdout.write(f"fintone {find_version()}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(f"{context.get_help()}\n")
        raise typer.Exit(BAD_INPUT)


def main() -> None:
    """Run the command line and end the process with the exit code of the contract: 0, 1 or 2."""
    _replace_closed_streams()
    arguments = sys.argv[1:]
    debug = debugging.is_on = "--debug" in arguments
    show_notices(print_notice)
    forbid_telemetry()
    with noting_interruption() as interrupted:
        code = _run([word for word in arguments if word != "--debug"], interrupted, debug=debug)
    if code == INTERRUPTED:
        clear_line()
        print_notice(describe_interruption(arguments))
    sys.exit(code)


def _replace_closed_streams() -> None:
    """Lead nowhere what is printed to a stream that the caller closed, as some daemons do."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (it stays open)


def _run(words: list[str], interrupted: Event, *, debug: bool) -> int:
    """Run a command and return its exit code; an error is printed as one line, with `debug` below its traceback.

    An unknown error after Ctrl-C counts as the interruption: it is what a library made of it.
    """
    try:
        _check_words(words)
        code = typer.main.get_command(app).main(words, "fintone", standalone_mode=False) or 0
        StandardOutput().flush()
    except TyperException as error:
        path = error.ctx.command_path if getattr(error, "ctx", None) else "fintone"  # type: ignore[attr-defined]
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        code = _fail(f"{message}; see {path} --help", BAD_INPUT, debug=debug)
    except InputError as error:
        for line in error.details:
            print_notice(line)
        code = _fail(str(error), BAD_INPUT, debug=debug)
    except FailureError as error:
        code = _fail(str(error), FAILED, debug=debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except PermissionError as error:
        place = f"{error.filename}: " if error.filename else ""
        code = _fail(f"{place}{error.strerror or error}; ask its owner for access", FAILED, debug=debug)
    except MemoryError:
        code = _fail("out of memory: give fewer rows or a smaller model, or close other programs", FAILED, debug=debug)
    except Exception as error:  # noqa: BLE001 (the edge: any error becomes one line, with --debug below its traceback)
        hint = "" if debug else "; --debug shows more"
        message = f"{type(error).__name__}: {' '.join(str(error).split())}{hint}"
        code = INTERRUPTED if interrupted.is_set() else _fail(message, FAILED, debug=debug)
    return int(code)


def _check_words(words: list[str]) -> None:
    """Refuse an argument that is not UTF-8: no warehouse stores it, be it a name or the path of a file."""
    for word in words:
        if shown := show_undecoded(word):
            raise InputError(f"argument {shown}: is not UTF-8; if it names a file, rename the file")


def _fail(message: str, code: int, *, debug: bool) -> int:
    """Print the current error as one line, with `debug` below its traceback, and return the exit code."""
    if debug:
        sys.stderr.write(show_text(traceback.format_exc(), lines=True))
    sys.stderr.write(f"fintone: {show_text(message)}\n")
    return code
