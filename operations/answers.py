"""Headlines without labels are answered into the warehouse and into a file, batch by batch, in bounded memory.

Runs without Prefect. What the model said before of a text is not asked again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from operations.models import CellModel, load_model
from operations.score_input import ScoreInput, open_input
from operations.worker import run_job
from reporting.csv_rows import CsvRows
from schemas.data_report import MOST_REASONS, ReasonCount, describe_reasons
from schemas.errors import InputError
from schemas.scoring import ANSWER_COLUMNS, ScoringCounts
from schemas.source import ScoreSettings
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from ingestion.unlabelled import HeadlineBatch
    from reporting.score_files import Write
    from storage.scores import Scorer

CHAMPION = "champion"


class NoScorerError(InputError):
    """There is no model to score with."""


@dataclass(frozen=True)
class ChosenModel:
    """A fine-tuned cell, ready to score, at its temperature."""

    model: CellModel
    temperature: float
    truncates: bool = False
    """Whether headlines that are too long for it are truncated; else their rows are rejected."""

    @property
    def scorer(self) -> "Scorer":
        """What its scores are known by."""
        from learning.study.identity import decoding_id
        from storage.scores import Scorer

        own = (self.model.card.cell_id, self.temperature, decoding_id(self.model.decoding))
        return Scorer(*own, self.model.adapter_hash)


@dataclass(frozen=True)
class ScoredSource:
    """A source that was scored, and what came of it."""

    scoring_id: str
    source: str
    cell_id: str
    counts: ScoringCounts
    max_unparsed_rate: float
    reasons: tuple[ReasonCount, ...] = ()
    """The commonest of the rejected rows."""


def choose_model(settings: ScoreSettings) -> ChosenModel:
    """The champion or a named cell, at a temperature that it was judged at, so that drift can be told.

    Raises:
        InputError: There is no champion, or no such cell; it has no adapter, was never judged so, or its base is gone.
    """
    from storage.cells import find_cells, load_judged_temperatures
    from storage.champions import load_champion

    home, named = Home.from_environment(), settings.model
    if named == CHAMPION:
        champion = load_champion(home.warehouse)
        if champion is None:
            raise NoScorerError(
                "champion: there is none yet; name a cell with --model, or make one champion with `fintone promote`"
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
    nearest = min(judged, key=lambda temperature: abs(log(temperature)))
    truncates = model.truncates if settings.too_long is None else settings.too_long == "truncate"
    return ChosenModel(model, settings.temperature or nearest, truncates)


def score_source(
    settings: ScoreSettings,
    chosen: ChosenModel,
    write: "Write | None" = None,
    on_rows: Callable[[int, int | None, str], None] = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> ScoredSource:
    """Score the headlines of a source; they are in the warehouse batch by batch, and given to `write`.

    Args:
        settings: The source and how it is read.
        chosen: Who scores.
        write: Takes the answers of each batch, as a frame of `schemas.scoring.ANSWER_COLUMNS`.
        on_rows: Is told how many rows are done, of how many (None of a stream), and something more.
        tell: Is given what is read of the source, line by line, before it is scored.

    Raises:
        InputError: The source cannot be read, or has nothing that can be scored.
    """
    import pandas as pd

    with open_input(settings, chosen.scorer, truncates=chosen.truncates) as source:
        for line in source.describe():
            tell(line)
        if write is not None:
            write(pd.DataFrame(columns=list(ANSWER_COLUMNS)))  # a header, even where nothing follows
        return _score_all(source, settings, chosen, write, on_rows)


def _score_all(
    source: ScoreInput,
    settings: ScoreSettings,
    chosen: ChosenModel,
    write: "Write | None",
    on_rows: Callable[[int, int | None, str], None],
) -> ScoredSource:
    from storage.data_report import load_reasons
    from storage.locks import holding
    from storage.scores import finish_scoring, start_scoring

    warehouse, scoring_id = Home.from_environment().warehouse, source.scoring_id
    with holding(warehouse, "scoring", scoring_id):  # another process may score the same source
        start_scoring(
            warehouse,
            scoring_id,
            source.name,
            source.location,
            chosen.scorer,
            text_column=source.columns.text,
            unparsed=settings.unparsed,
        )
        counts, start = ScoringCounts(), time.monotonic()
        for batch in source.batches:
            counts = _score_batch(source, chosen, batch, counts, settings.unparsed, write)
            rate = counts.headlines_scored / (time.monotonic() - start)
            on_rows(counts.rows_read, source.rows, f"{rate:,.0f} headlines/s")
        finish_scoring(warehouse, scoring_id)
    reasons = load_reasons(warehouse, scoring_id, MOST_REASONS)
    bound = chosen.model.max_unparsed_rate
    return ScoredSource(scoring_id, source.name, chosen.model.card.cell_id, counts, bound, reasons)


def _score_batch(
    source: ScoreInput,
    chosen: ChosenModel,
    batch: "HeadlineBatch",
    counts: ScoringCounts,
    unparsed: Literal["label", "neutral"],
    write: "Write | None",
) -> ScoringCounts:
    """Score what is not known of a batch, save all of it, and give it out; the counts with it."""
    import pandas as pd

    from storage.scores import load_scores, save_batch

    warehouse, scorer = Home.from_environment().warehouse, chosen.scorer
    texts = batch.headlines.drop_duplicates("text_id")
    known = load_scores(warehouse, scorer, texts["text_id"].tolist())
    unknown = texts[~texts["text_id"].isin(known["text_id"])]
    answered, too_long = _answer(chosen, unknown)
    if not chosen.truncates:
        too_long += known.loc[known["is_truncated"], "text_id"].tolist()
        known = known[~known["is_truncated"]]
    refused = batch.headlines[batch.headlines["text_id"].isin(too_long)]
    rejected = pd.concat([batch.rejected, _refuse(refused)]).sort_values("row_number").assign(source=source.name)
    rows = batch.headlines[~batch.headlines["row_number"].isin(refused["row_number"])]
    told = _tell_answers(rows.merge(pd.concat([known, answered.drop(columns="text")]), on="text_id"), unparsed)
    counts = ScoringCounts(
        counts.rows_read + batch.rows,
        counts.rows_rejected + len(rejected),
        counts.headlines_scored + len(answered),
        counts.headlines_known + len(known),
        counts.rows_answered + len(rows),
        counts.rows_unparsed + int(told["is_unparsed"].sum()),
        counts.rows_truncated + int(told["is_truncated"].sum()),
    )
    save_batch(warehouse, source.scoring_id, scorer, answered, rows[["row_number", "text_id"]], rejected, counts)
    if write is not None and len(rows):
        write(_as_answers(told, chosen))
    return counts


def _answer(chosen: ChosenModel, texts: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """The answers, as `storage.scores.save_batch` takes them; and the ids of texts that have none, being too long."""
    import numpy as np

    from learning.worker.jobs import AnsweringJob
    from storage.scores import PROBABILITIES

    model, decoding = chosen.model, chosen.model.decoding
    fits = has_answer = np.ones(0, dtype=bool)
    probabilities = np.empty((0, len(PROBABILITIES)))
    if len(texts):
        cuts = (chosen.temperature, decoding.top_k, decoding.top_p)
        asked, truncate = tuple(texts["text"]), chosen.truncates
        job = AnsweringJob(model.base, model.adapter, asked, model.prompt, *cuts, model.adapter_hash, truncate)
        said = run_job(job, lambda _: None)
        fits, has_answer, probabilities = said.fits, said.answered, said.probabilities
    columns = {name: probabilities[:, column] for column, name in enumerate(PROBABILITIES)}
    answered = texts.loc[has_answer, ["text_id", "text"]].assign(is_truncated=~fits[has_answer], **columns)
    return answered, texts.loc[~has_answer, "text_id"].tolist()


def _tell_answers(rows: "pd.DataFrame", unparsed: Literal["label", "neutral"]) -> "pd.DataFrame":
    """Rows with their probabilities, and what follows from these: label, confidence and is_unparsed."""
    from learning.study.unparsed import answer, is_unparsed
    from storage.scores import PROBABILITIES

    probabilities = rows[list(PROBABILITIES)].to_numpy(dtype=float)
    labels, confidence = answer(probabilities, unparsed)
    return rows.assign(label=labels, confidence=confidence, is_unparsed=is_unparsed(probabilities))


def _refuse(headlines: "pd.DataFrame") -> "pd.DataFrame":
    """Headlines that the model cannot take, as rejected rows."""
    rows = headlines[["row_number"]].assign(reason="longer than the model takes", raw=headlines["text"])
    return rows[["row_number", "reason", "raw"]]


def _as_answers(rows: "pd.DataFrame", chosen: ChosenModel) -> "pd.DataFrame":
    named = rows.sort_values("row_number").rename(columns={"row_number": "row"})
    card = chosen.model.card
    return named.assign(model=card.base_model, version=card.cell_id, temperature=chosen.temperature)


@contextmanager
def answers_file(settings: ScoreSettings, csv_rows: CsvRows) -> Iterator["Write | None"]:
    """What writes answers to a file that appears at the end of the block; nothing where there is none to write."""
    if settings.output is None:
        yield None
        return
    output = Path(settings.output)
    from operations.outputs import check_output
    from reporting.score_files import answers_to_file

    check_output(output, settings.source)
    with answers_to_file(output, csv_rows) as write:
        yield write


def tell_counts(scored: ScoredSource) -> str:
    """What came of a source, in a line."""
    counts = scored.counts
    return (
        f"{scored.source}: {counts.rows_read:,} rows read, {counts.headlines_scored:,} headlines scored, "
        f"{counts.headlines_known:,} known before, {counts.rows_unparsed:,} answers unparsed, {_tell_truncated(counts)}"
        f"{counts.rows_rejected:,} rows rejected{describe_reasons(scored.reasons)}"
    )


def _tell_truncated(counts: ScoringCounts) -> str:
    return f"{counts.rows_truncated:,} truncated to what the model takes, " if counts.rows_truncated else ""


def tell_unparsed(scored: ScoredSource) -> str | None:
    """That more answers are no label than the study of the cell allows, if they are."""
    counts = scored.counts
    if counts.rows_unparsed <= scored.max_unparsed_rate * counts.rows_answered:
        return None
    share = counts.rows_unparsed / counts.rows_answered
    return (
        f"warning: {counts.rows_unparsed:,} of {counts.rows_answered:,} answers ({share:.1%}) are no label, more than "
        f"promotion.max_unparsed_rate {scored.max_unparsed_rate:g} allows; do not rely on this model for such headlines"
    )
