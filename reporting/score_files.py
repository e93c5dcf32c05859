"""Answers to headlines as CSV, JSON lines or Parquet, batch by batch.

A file appears whole or not at all; what goes to a stream is there as soon as its batch is done.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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
    """The form that the name of a file asks for.

    Raises:
        OutputError: It is none that is known.
    """
    form = FORMS.get(output.suffix.casefold())
    if form is None:
        raise OutputError(f"output {output}: give a name that ends in .csv, .jsonl or .parquet")
    return form


@contextmanager
def answers_to_file(output: Path, csv_rows: CsvRows) -> Iterator[Write]:
    """Lend a function that takes frames of `ANSWER_COLUMNS`; at the end of the block they are the file.

    Args:
        output: The file.
        csv_rows: Formats the rows of a CSV.

    Raises:
        OutputError: It cannot be written.
    """
    form = find_form(output)
    with appearing_file(output) as unfinished:
        if form == "parquet":
            with _parquet_file(unfinished) as write:
                yield write
        else:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                yield answers_to_stream(file, form, csv_rows)


def answers_to_stream(stream: Stream, form: Literal["csv", "jsonl"], csv_rows: CsvRows) -> Write:
    """A function that writes frames of `ANSWER_COLUMNS` to a stream, each at once; a CSV begins with a header."""
    heads = [ANSWER_COLUMNS] if form == "csv" else []
    render = csv_rows.format if form == "csv" else _as_json

    def write(answers: "pd.DataFrame") -> None:
        if heads:
            stream.write(csv_rows.format(heads.pop()))
        rows = answers[list(ANSWER_COLUMNS)].itertuples(index=False, name=None)
        stream.writelines(render(_spell(row)) for row in rows)
        stream.flush()

    return write


def _spell(row: tuple[Any, ...]) -> list[Any]:
    """Seven digits of a probability: what arithmetic in single precision holds."""
    return [round(value, 7) if isinstance(value, float) else value for value in row]


def _as_json(row: list[Any]) -> str:
    return json.dumps(dict(zip(ANSWER_COLUMNS, row, strict=True)), ensure_ascii=False) + "\n"


@contextmanager
def _parquet_file(path: Path) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            (name, pa.int64() if name == "row" else pa.string() if name in _STRINGS else pa.float64())
            for name in ANSWER_COLUMNS
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda answers: writer.write_table(
            pa.Table.from_pandas(answers[list(ANSWER_COLUMNS)], schema=schema, preserve_index=False)
        )


_STRINGS = {"text", "label", "model", "version"}
