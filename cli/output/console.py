"""Where commands print: results to standard output, progress and notices to standard error."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from cli.output.screen import GAP, Screen
from schemas.errors import InputError
from schemas.files import OutputError
from schemas.listing import count
from schemas.text import show_text

SECONDS_BETWEEN_LINES = 10.0
"""How often progress is printed as a line where there is no terminal for a bar."""

colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"


class SafeConsole(Console):
    """A console for any text: control characters, and those that its encoding lacks, are escaped."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render as rich does."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=self._escape(segment.text))

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError as error:
            if self.file is not sys.stdout:
                raise
            raise _explain_refusal(error) from error

    def _escape(self, text: str) -> str:
        return show_text(text, lines=True).encode(self.encoding, "backslashreplace").decode(self.encoding)


if not os.environ.get("COLUMNS", "").strip("0"):
    os.environ.pop("COLUMNS", None)  # rich would print lines of no width
stdout = SafeConsole(highlight=False, color_system=colours)
stderr = SafeConsole(stderr=True, highlight=False, color_system=colours)


def find_screen(output: Path | None = None) -> Screen | None:
    """The room on the terminal; None if standard output is not a terminal or the output goes to a file."""
    return Screen(stdout.width) if output is None and sys.stdout.isatty() else None


def print_lines(lines: list[tuple[str, str]], console: Console = stdout) -> None:
    """Print (subject, description) lines in two columns; the second is broken only between words."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    indent = max((cell_len(subject) for subject, _ in lines), default=0) + GAP
    for subject, description in lines:
        first, *others = _break(show_text(description), console.width - indent)
        console.print(Text(set_cell_size(subject, indent), "bold") + Text(first), soft_wrap=True)
        for line in others:
            console.print(Text(" " * indent + line), soft_wrap=True)


def clear_line() -> None:
    """Remove what stands in the last line of a terminal, such as the progress bar of a query that was interrupted."""
    if stderr.is_terminal and not stderr.is_dumb_terminal:
        sys.stderr.write("\r\x1b[K")


def print_notice(message: str) -> None:
    """Print a line to standard error."""
    print_text(show_text(message), stderr)


def print_text(text: str, console: Console = stdout, *, indent: int = 0) -> None:
    """Print a paragraph; on a terminal it is broken only between words.

    A word that is longer than a line, such as a path, is left to the terminal, so that it can be copied whole.

    Args:
        text: The paragraph.
        console: Where it is printed.
        indent: Columns by which the lines after the first are indented.
    """
    width = console.width - indent if console.is_terminal else None
    for number, line in enumerate(_break(text, width)):
        margin = " " * indent if number else ""
        console.print(f"{margin}{line}", markup=False, highlight=False, soft_wrap=True)


def _break(text: str, width: int | None) -> list[str]:
    """Break a paragraph into lines, only between words; one line if there is no width."""
    from rich.cells import cell_len

    if width is None:
        return [text]
    first, *words = re.findall(r"^\s*\S*|\s+\S+", text)
    lines = [first]
    for word in words:
        if cell_len(lines[-1] + word) <= width:
            lines[-1] += word
        else:
            lines.append(word.lstrip())
    return lines


def print_query(query: str, console: Console = stdout) -> None:
    """Print a command that queries the warehouse; if it is broken between words it can still be copied."""
    print_text(f'  fintone sql "{query}"', console)


class UndeliverableError(InputError):
    """Standard output cannot represent the answer."""


class StandardOutput:
    """Standard output for data: control characters never reach a terminal; a pipe or a file gets every character.

    Its methods raise an `OutputError` if the system refuses what is written, and a `BrokenPipeError` if nobody reads.
    """

    def __init__(self, *, is_escaped: bool = False, may_be_file: bool = True) -> None:
        """Provide it to a command.

        Args:
            is_escaped: Texts are escaped already, and the escape codes left in them are styles of our own.
            may_be_file: Whether the command has `--output`.
        """
        self.is_escaped, self.may_be_file = is_escaped, may_be_file

    def write(self, text: str) -> int:
        """Write a text.

        Raises:
            UndeliverableError: The encoding of standard output lacks a character.
        """
        shown = text if self.is_escaped or not sys.stdout.isatty() else show_text(text, lines=True)
        try:
            return sys.stdout.write(shown)
        except UnicodeEncodeError as error:
            sign, other = ascii(error.object[error.start]), ", or use --output" if self.may_be_file else ""
            raise UndeliverableError(
                f"standard output: its encoding {error.encoding} has no {sign}; set PYTHONIOENCODING=utf-8{other}"
            ) from error
        except OSError as error:
            raise _explain_refusal(error) from error

    def writelines(self, texts: Iterable[str]) -> None:
        """Write texts."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Write buffered text."""
        try:
            sys.stdout.flush()
        except OSError as error:
            raise _explain_refusal(error) from error


def _explain_refusal(error: OSError) -> OSError | OutputError:
    """The error to raise if standard output was not written, as on a full disk; itself if a pipe was closed."""
    if isinstance(error, BrokenPipeError):
        return error
    return OutputError(f"standard output: cannot be written ({error.strerror}); free disk space, or give another place")


@contextmanager
def score_progress(console: Console) -> Iterator[Callable[[int, int | None, str], None]]:
    """Provide a function that shows how many rows are done: a bar on a terminal, else a line now and then."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.completed:,} rows {task.fields[detail]}", markup=False),
        BarColumn(bar_width=20),
        TimeRemainingColumn(compact=True),
    )
    shown = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("", total=None, detail="")

        def show(done: int, total: int | None, detail: str) -> None:
            nonlocal shown
            bar.update(row, completed=done, total=total, detail=detail)
            if not console.is_terminal and time.monotonic() - shown > SECONDS_BETWEEN_LINES:
                shown = time.monotonic()
                of_all = f" of {total:,}" if total else ""
                rate = f", {detail}" if detail else ""
                console.print(f"{count(done, 'row')}{of_all}{rate}", markup=False, highlight=False, soft_wrap=True)

        yield show
