"""Answers to headlines as CSV, JSON lines or Parquet, batch by batch.

A file appears at the end; what goes to a stream is there as soon as its batch is done.
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
    """The form that the name of a file asks for.

    Raises:
        OutputError: It is none that is known.
    """
    form = FORMS.get(output.suffix.casefold())
    if form is None:
        raise OutputError(f"output {output}: give a name that ends in .csv, .jsonl or .parquet")
    return form


@contextmanager
def answers_to_file(output: Path, csv_rows: CsvRows, is_kept: Callable[[], bool] = lambda: False) -> Iterator[Write]:
    """Lend a function that takes frames of `ANSWER_COLUMNS` and other columns, the same ones in each frame.

    At the end of the block they are the file.

    Args:
        output: The file.
        csv_rows: Formats the rows of a CSV.
        is_kept: Whether the answers until then become the file where the block raises, as in `appearing_file`.

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
    """Seven digits of a probability: what arithmetic in single precision holds. Other columns stay as they are."""
    own, others = row[: len(ANSWER_COLUMNS)], row[len(ANSWER_COLUMNS) :]
    return [*(round(value, 7) if isinstance(value, float) else value for value in own), *others]


def _as_json(names: list[str], row: list[Any]) -> str:
    return json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n"


def _as_text(value: Any) -> Any:
    """A cell as CSV has it: a truth value as JSON spells it."""
    return str(value).lower() if isinstance(value, bool) else value


@contextmanager
def _parquet_file(path: Path) -> Iterator[Write]:
    """Other columns are text: what type they have as a whole shows only at the end of the source."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []

        def write(answers: "pd.DataFrame") -> None:
            schema = pa.schema([(name, _find_type(name)) for name in answers.columns])
            if not writers:
                writers.append(stack.enter_context(pq.ParquetWriter(path, schema)))
            others = list(answers.columns[len(ANSWER_COLUMNS) :])
            told = answers.copy()
            for name in others:
                told[name] = [None if cell is None else str(_as_text(cell)) for cell in answers[name]]
            writers[0].write_table(pa.Table.from_pandas(told, schema=schema, preserve_index=False))

        yield write


def _find_type(name: str) -> Any:
    import pyarrow as pa

    if name == "row":
        return pa.int64()
    return pa.float64() if name in _FIGURES else pa.string()


_FIGURES = {"p_negative", "p_neutral", "p_positive", "p_unparsed", "confidence", "temperature"}
