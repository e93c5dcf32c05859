"""Answers to headlines as CSV, JSON lines or Parquet, batch by batch.

A file appears at the end; a stream receives each batch as soon as it is done.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from reporting.csv_rows import CsvRows
from schemas.files import OutputError, appearing_file
from schemas.scoring import ANSWER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "jsonl", "parquet"]
FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
Write = Callable[["pd.DataFrame"], None]


class Stream(Protocol):
    """What answers are written to."""

    def write(self, text: str, /) -> int:
        """Write a text."""

    def writelines(self, texts: Iterable[str], /) -> None:
        """Write texts."""

    def flush(self) -> None:
        """Write what is held back."""


def find_form(output: Path) -> Form:
    """The format of a file, by the ending of its name.

    Raises:
        OutputError: The ending is unknown.
    """
    form = FORMS.get(output.suffix.casefold())
    if form is None:
        raise OutputError(f"output {output}: give a name that ends in .csv, .jsonl or .parquet")
    return form


@contextmanager
def answers_to_file(output: Path, csv_rows: CsvRows, is_kept: Callable[[], bool] = lambda: False) -> Iterator[Write]:
    """Yield a function that takes frames of `ANSWER_COLUMNS` and other columns, the same ones in each frame.

    The file appears at the end of the block.

    Args:
        output: The file.
        csv_rows: Formats the rows of a CSV.
        is_kept: Whether the answers so far become the file if the block raises, as in `appearing_file`.

    Raises:
        OutputError: It cannot be written.
    """
    form = find_form(output)
    with appearing_file(output, is_kept) as unfinished:
        if form == "parquet":
            with _parquet_file(unfinished) as write:
                yield write
        else:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                yield answers_to_stream(file, form, csv_rows)


def answers_to_stream(stream: Stream, form: Literal["csv", "jsonl"], csv_rows: CsvRows) -> Write:
    """A function that writes such frames to a stream, each at once; a CSV begins with a header."""
    is_begun = False

    def write(answers: "pd.DataFrame") -> None:
        nonlocal is_begun
        names = list(answers.columns)
        if form == "csv" and not is_begun:
            stream.write(csv_rows.format(names))
        is_begun = True
        rows = map(_spell, answers.itertuples(index=False, name=None))
        stream.writelines(
            csv_rows.format(map(_as_text, row)) if form == "csv" else _as_json(names, row) for row in rows
        )
        stream.flush()

    return write


def _spell(row: tuple[Any, ...]) -> list[Any]:
    """Round probabilities to seven digits, as many as single precision has. Other columns stay as they are."""
    own, others = row[: len(ANSWER_COLUMNS)], row[len(ANSWER_COLUMNS) :]
    return [*(round(value, 7) if isinstance(value, float) else value for value in own), *others]


def _as_json(names: list[str], row: list[Any]) -> str:
    return json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n"


def _as_text(value: Any) -> Any:
    """A cell as CSV has it: a truth value as JSON spells it."""
    return str(value).lower() if isinstance(value, bool) else value


@contextmanager
def _parquet_file(path: Path) -> Iterator[Write]:
    """Write Parquet; other columns are text, since their type is known only at the end of the source."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []

        def write(answers: "pd.DataFrame") -> None:
            schema = pa.schema([(name, _find_type(name)) for name in answers.columns])
            if not writers:
                writers.append(stack.enter_context(pq.ParquetWriter(path, schema)))
            others = list(answers.columns[len(ANSWER_COLUMNS) :])
            shown = answers.copy()
            for name in others:
                shown[name] = [None if cell is None else str(_as_text(cell)) for cell in answers[name]]
            writers[0].write_table(pa.Table.from_pandas(shown, schema=schema, preserve_index=False))

        yield write


def _find_type(name: str) -> Any:
    import pyarrow as pa

    if name == "row":
        return pa.int64()
    return pa.float64() if name in _FIGURES else pa.string()


_FIGURES = {"p_negative", "p_neutral", "p_positive", "p_unparsed", "confidence", "temperature"}
