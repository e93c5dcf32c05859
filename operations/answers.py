"""Headlines without labels are answered into the warehouse and into a file, batch by batch, in bounded memory.

Runs without Prefect. What the model said before of a text is not asked again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from operations.models import load_model
from operations.score_input import ScoreInput, open_input
from operations.scoring_run import ChosenModel, ScoredSource, ScoringRun
from reporting.csv_rows import CsvRows
from schemas.data_report import describe_reasons
from schemas.errors import InputError
from schemas.scoring import ScoringCounts
from schemas.source import ScoreSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from reporting.score_files import Write

CHAMPION = "champion"


class NoScorerError(InputError):
    """There is no model to score with."""


class NothingEvaluatedError(InputError):
    """No answer can be compared with a label."""


def choose_model(settings: ScoreSettings) -> ChosenModel:
    """The champion or a named cell, at the temperature at which the gate judged it, or would; or at another one.

    It must have been evaluated at that temperature, so that its accuracy is known and drift can be told.

    Raises:
        InputError: There is no champion, or no such cell; it has no adapter, was never judged so, or its base is gone.
    """
    from storage.cells import find_cells, load_judged_temperatures
    from storage.champions import load_champion

    home, named = Home.from_environment(), settings.model
    champion = load_champion(home.warehouse)
    if named == CHAMPION:
        if champion is None:
            raise NoScorerError(
                "champion: no cell has been promoted yet; name a cell with --model, or use `fintone promote`"
            )
        named = champion.cell_id
    [cell] = find_cells(home.warehouse, [named])
    model = load_model(home, cell)
    judged = load_judged_temperatures(home.warehouse, cell.record.cell_id)
    if not judged:
        raise NoScorerError(f"cell {cell.record.cell_id} is {cell.status} and was never judged: run its study")
    if settings.temperature is not None and settings.temperature not in judged:
        told = ", ".join(f"{temperature:g}" for temperature in judged)
        raise NoScorerError(f"temperature {settings.temperature:g}: cell {cell.record.cell_id} was judged at {told}")
    is_champion = champion is not None and champion.cell_id == cell.record.cell_id
    judged_at = champion.temperature if champion is not None and is_champion else judged[0]
    truncates = model.truncates if settings.too_long is None else settings.too_long == "truncate"
    return ChosenModel(model, settings.temperature or judged_at, judged_at, truncates)


def score_source(
    settings: ScoreSettings,
    chosen: ChosenModel,
    write: "Write | None" = None,
    on_rows: Callable[[int, int | None, str], None] = lambda *_: None,
    notify: Callable[[str], None] = lambda _: None,
    *,
    look: Callable[[str], object] = lambda _: None,
    on_interrupt: Callable[[ScoredSource], object] = lambda _: None,
) -> ScoredSource:
    """Score the headlines of a source; they are in the warehouse batch by batch, and given to `write`.

    Args:
        settings: The source and how it is read.
        chosen: Who scores.
        write: Takes first a frame without rows, then one with the answers of each batch; its columns are
            `schemas.scoring.ANSWER_COLUMNS` and the other columns of the source.
        on_rows: Receives how many rows are done, of how many (None of a stream), and something more.
        notify: Is given what is read of the source, line by line, before it is scored, and that the model is loading.
        look: Is given the scoring of a stream after each batch.
        on_interrupt: Is given what was scored until Ctrl-C, or a signal to end.

    Raises:
        InputError: The source cannot be read, or has nothing that can be scored.
    """
    with _open_as_in_study(settings, chosen, notify) as (own, source):
        for line in source.describe():
            notify(line)
        _check_labels(own, source)
        scoring = ScoringRun(source, own, chosen, write, on_rows, notify)
        try:
            scoring.run(look if source.rows is None else lambda _: None)
        except Exception:
            raise
        except BaseException:
            on_interrupt(scoring.result())
            raise
        return scoring.result()


@contextmanager
def _open_as_in_study(
    settings: ScoreSettings, chosen: ChosenModel, notify: Callable[[str], None]
) -> Iterator[tuple[ScoreSettings, ScoreInput]]:
    """Lend a source, read as the model's study read its own where that fits, and the settings by which it is read."""
    from ingestion.columns import MissingColumnError
    from ingestion.streams import STREAM

    settings, told = chosen.with_context(settings)
    if told:
        notify(told)
    own, told = chosen.as_in_study(settings, columns=settings.source != STREAM)
    with ExitStack() as opened:
        asked = {"truncates": chosen.truncates, "by_instrument": chosen.model.names_instrument}
        try:
            source = opened.enter_context(open_input(own, chosen.scorer, **asked))
        except MissingColumnError:
            own, told = chosen.as_in_study(settings, columns=False)
            source = opened.enter_context(open_input(own, chosen.scorer, **asked))
        if told:
            notify(told)
        yield own, source


def _check_labels(settings: ScoreSettings, source: ScoreInput) -> None:
    """Check that some label of a source that was read whole is known, where answers are compared with it.

    Raises:
        NothingEvaluatedError: None is.
    """
    from operations.labelled_answers import LabelledAnswers

    if not settings.evaluate or source.labels is None:
        return
    labelled = LabelledAnswers(settings.reading)
    labelled.count_unknown(source.labels)
    if not any(labelled.list_labels(source.labels)):
        raise NothingEvaluatedError(f"source {settings.source!r}: {labelled.explain_nothing()}")


@contextmanager
def answers_file(
    settings: ScoreSettings, csv_rows: CsvRows, notify: Callable[[str], None] = lambda _: None
) -> Iterator["Write | None"]:
    """What writes answers to a file that appears at the end of the block; nothing where there is none to write.

    A stream cannot be given again: where the block raises, the file has what was answered of it, and a line says so.
    """
    if settings.output is None:
        yield None
        return
    output, has_rows = Path(settings.output), False
    from ingestion.streams import STREAM
    from operations.outputs import check_output
    from reporting.score_files import answers_to_file

    def is_kept() -> bool:
        if has_rows and settings.source == STREAM:
            notify(f"{output}: has what was answered until here; the next run replaces the file")
            return True
        return False

    check_output(output, settings.source)
    with answers_to_file(output, csv_rows, is_kept) as write:

        def note_and_write(answers: "pd.DataFrame") -> None:
            nonlocal has_rows
            has_rows = has_rows or len(answers) > 0  # before, since a signal may come between two lines
            write(answers)

        yield note_and_write


@contextmanager
def reporting_interruption(report_end: Callable[[ScoredSource], object]) -> Iterator[Callable[[ScoredSource], object]]:
    """Lend a function that keeps what was scored until an interruption; at the end of the block it is told.

    The file of answers, within the block, is then there: telling takes time, and the process may be killed meanwhile.
    """
    kept: list[ScoredSource] = []
    try:
        yield kept.append
    finally:
        for scored in kept:
            report_end(scored)


def format_counts(scored: ScoredSource) -> str:
    """What came of a source, in a line."""
    counts = scored.counts
    return (
        f"{scored.source}: {counts.rows_read:,} rows read, {counts.headlines_scored:,} headlines scored, "
        f"{counts.headlines_known:,} known before, {counts.rows_unparsed:,} answers unparsed, "
        f"{_describe_truncated(counts)}{counts.rows_rejected:,} rows rejected{describe_reasons(scored.reasons)}"
    )


def _describe_truncated(counts: ScoringCounts) -> str:
    return f"{counts.rows_truncated:,} truncated to what the model takes, " if counts.rows_truncated else ""


def describe_result(scored: ScoredSource) -> list[str]:
    """What came of a source, in lines: its rows, at which temperature it was answered, what to beware of."""
    return [
        format_counts(scored),
        f"{scored.source}: answered {scored.answering}",
        *scored.warnings,
        *scored.evaluation,
    ]


def check_evaluated(scored: ScoredSource) -> None:
    """Check that answers were compared with labels, where that was asked for.

    Raises:
        NothingEvaluatedError: No row has a label that is known.
    """
    if scored.unevaluated:
        raise NothingEvaluatedError(f"source {scored.source!r}: {scored.unevaluated}")
