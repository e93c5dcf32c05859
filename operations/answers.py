"""Scores the headlines of a source into the warehouse and a file, batch by batch, in bounded memory.

Runs without Prefect. A text that the model has answered before is not scored again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from operations.chosen_model import ChosenModel
from operations.judged import choose_decoding, find_judged_temperature
from operations.models import load_model
from operations.score_input import ScoreInput, open_input
from operations.scoring_run import ScoredSource, ScoringRun
from reporting.csv_rows import CsvRows
from schemas.data_report import describe_reasons
from schemas.errors import InputError
from schemas.listing import count
from schemas.promotion import CHAMPION, Champion
from schemas.score import ScoreSettings
from schemas.scoring import ScoringCounts
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from reporting.score_files import Write


class NoScorerError(InputError):
    """There is no model to score with."""


class NothingEvaluatedError(InputError):
    """No answer can be compared with a label."""


def choose_model(settings: ScoreSettings) -> ChosenModel:
    """Choose the champion or a named cell, at a given temperature or the one at which the gate judges it.

    It must have been evaluated at that temperature: then its accuracy is known, and drift can be measured.

    Raises:
        InputError: There is no champion, or no such cell; it has no adapter, was not judged at the temperature, or its
            base model is gone.
    """
    from storage.cells import find_cell
    from storage.champions import load_champion
    from storage.warehouse import reading_together

    home, named = Home.from_environment(), settings.model
    with reading_together(home.warehouse):
        champion = load_champion(home.warehouse)
        if named == CHAMPION and champion is None:
            raise NoScorerError(
                "champion: no cell has been promoted yet; name a cell (`model`, on the command line --model), or use "
                "`fintone promote`"
            )
        cell = find_cell(home.warehouse, named)
    model = load_model(home, cell)  # it may write
    is_champion = champion is not None and champion.cell_id == cell.record.cell_id
    with reading_together(home.warehouse):
        lowest = find_judged_temperature(home.warehouse, cell, settings.temperature)
        judged_at = champion.temperature if champion is not None and is_champion else lowest
        temperature = settings.temperature or judged_at
        decoding = choose_decoding(home.warehouse, Champion(cell.record.cell_id, temperature))
    truncates = model.truncates if settings.too_long is None else settings.too_long == "truncate"
    return ChosenModel(model, temperature, decoding, judged_at, truncates)


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
    """Score the headlines of a source; each batch is saved to the warehouse and passed to `write`.

    Args:
        settings: The source and how it is read.
        chosen: The model that scores.
        write: Takes first a frame without rows, then one with the answers of each batch; its columns are
            `schemas.scoring.ANSWER_COLUMNS` and the other columns of the source.
        on_rows: Receives how many rows are done, their total (None for a stream), and the speed in words.
        notify: Receives lines: how the source is read, before it is scored, and that the model is loading.
        look: Receives the id of a stream's scoring after each batch.
        on_interrupt: Receives the results so far, if there are any, on Ctrl-C or a signal to end.

    Raises:
        InputError: The source cannot be read, or has nothing that can be scored.
    """
    with _open_as_in_study(settings, chosen, notify) as (settings_used, source):
        for line in source.describe():
            notify(line)
        _check_labels(settings_used, source)
        scoring = ScoringRun(source, settings_used, chosen, write, on_rows, notify)
        try:
            scoring.run(look if source.rows is None else lambda _: None)
        except Exception:
            raise
        except BaseException:
            if scoring.counts.rows_read or scoring.kept:
                on_interrupt(scoring.result())
            raise
        return scoring.result()


@contextmanager
def _open_as_in_study(
    settings: ScoreSettings, chosen: ChosenModel, notify: Callable[[str], None]
) -> Iterator[tuple[ScoreSettings, ScoreInput]]:
    """Open a source with the model's study's settings where they fit; yields the settings that were used, too."""
    from ingestion.columns import MissingColumnError
    from ingestion.streams import STREAM

    settings, note = chosen.with_context(settings)
    if note:
        notify(note)
    settings_used, note = chosen.as_in_study(settings, columns=settings.source != STREAM)
    with ExitStack() as opened:
        model = chosen.model
        read = partial(
            open_input,
            scorer=chosen.scorer,
            truncates=chosen.truncates,
            by_instrument=model.names_instrument,
            likely_order=model.date_order,
        )
        try:
            source = opened.enter_context(read(settings_used))
        except MissingColumnError:
            if settings.source == STREAM:  # what was read of it is gone
                raise
            settings_used, note = chosen.as_in_study(settings, columns=False)
            source = opened.enter_context(read(settings_used))
        if note:
            notify(note)
        yield settings_used, source


def _check_labels(settings: ScoreSettings, source: ScoreInput) -> None:
    """Check that a source that was read whole has a known label, if its answers are to be evaluated.

    Raises:
        NothingEvaluatedError: It has none.
    """
    from operations.labelled_answers import LabelledAnswers

    if not settings.evaluate or not source.rows or source.labels is None:
        return
    labelled = LabelledAnswers(settings.reading)
    labelled.count_unknown(source.labels)
    if not any(labelled.list_labels(source.labels)):
        raise NothingEvaluatedError(f"source {settings.source!r}: {labelled.explain_nothing()}")


@contextmanager
def answers_file(
    settings: ScoreSettings, csv_rows: CsvRows, notify: Callable[[str], None] = lambda _: None
) -> Iterator["Write | None"]:
    """Yield a function that writes answers to a file, which appears at the end of the block; None without an output.

    A stream cannot be read twice: if the block raises, the file has its answers so far, and a line reports this.
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
            notify(f"{output}: has the answers until here; the next run replaces the file")
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
    """Yield a function that keeps the results of an interrupted scoring; the end of the block reports them.

    The file of answers, which the block writes, is then complete: the process may be killed during the report.
    """
    kept: list[ScoredSource] = []
    try:
        yield kept.append
    finally:
        for scored in kept:
            report_end(scored)


def format_counts(scored: ScoredSource) -> str:
    """The counts of a scored source, in a line."""
    counts = scored.counts
    copies = counts.rows_read - counts.rows_rejected - counts.headlines_scored - counts.headlines_known
    repeated = f"{count(copies, 'copy', 'copies')}, " if copies else ""
    return (
        f"{scored.source}: {count(counts.rows_read, 'row')} read, {count(counts.headlines_scored, 'headline')} scored, "
        f"{counts.headlines_known:,} known before, {repeated}{count(counts.rows_unparsed, 'answer')} unparsed, "
        f"{_describe_truncated(counts)}{count(counts.rows_rejected, 'row')} rejected{describe_reasons(scored.reasons)}"
    )


def _describe_truncated(counts: ScoringCounts) -> str:
    return f"{counts.rows_truncated:,} truncated to what the model takes, " if counts.rows_truncated else ""


def describe_result(scored: ScoredSource) -> list[str]:
    """The results of a scored source, in lines: its counts, the temperature, warnings and the evaluation.

    Of a scoring that was interrupted before a batch of rows was finished, only what is kept is told.
    """
    noun = "more answer" if scored.counts.rows_read else "answer"
    kept = [f"{scored.source}: kept {count(scored.kept, noun)} for the next run"] if scored.kept else []
    if kept and not scored.counts.rows_read:
        return kept
    return [
        format_counts(scored),
        f"{scored.source}: answered {scored.answering}",
        *scored.warnings,
        *scored.evaluation,
        *kept,
    ]


def check_evaluated(scored: ScoredSource) -> None:
    """Check that answers were compared with labels, if that was requested.

    Raises:
        NothingEvaluatedError: No row has a known label.
    """
    if scored.unevaluated:
        raise NothingEvaluatedError(f"source {scored.source!r}: {scored.unevaluated}")
