"""Scores a source batch by batch: known texts are not scored again, and answers are saved as they come.

Runs without Prefect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from operations.chosen_model import ChosenModel
from operations.labelled_answers import LabelledAnswers
from operations.pace import Meter
from operations.score_input import ScoreInput
from operations.worker import run_job
from schemas.data_report import MOST_REASONS, ReasonCount
from schemas.label import PROBABILITIES
from schemas.promotion import Champion
from schemas.score import ScoreSettings
from schemas.scoring import ANSWER_COLUMNS, ScoringCounts, rename_others
from schemas.source import DateOrder
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from ingestion.unlabelled import HeadlineBatch
    from reporting.score_files import Write


FIRST_PART = 256
"""Headlines that are scored before the speed of the model is known."""
SECONDS_OF_A_PART = 60.0
"""Seconds of scoring after which answers are saved: an interruption loses no more."""


@dataclass(frozen=True)
class ScoredSource:
    """A source that was scored, with the results."""

    scoring_id: str
    source: str
    cell_id: str
    counts: ScoringCounts
    answering: str
    """The temperature of the answers, and the model's accuracy there on its own test part."""
    warnings: tuple[str, ...] = ()
    """Reasons not to rely on the answers, a line each."""
    reasons: tuple[ReasonCount, ...] = ()
    """The most common reasons of the rejected rows."""
    evaluation: tuple[str, ...] = ()
    """How the answers compare with the labels of the source, in lines, if that was requested."""
    unevaluated: str | None = None
    """Why none of them was compared, if that was requested."""
    kept: int = 0
    """Answers that are saved, and whose rows are not, since the scoring was interrupted before their batch ended."""


class ScoringRun:
    """A source that is being scored."""

    def __init__(
        self,
        source: ScoreInput,
        settings: ScoreSettings,
        chosen: ChosenModel,
        write: "Write | None",
        on_rows: Callable[[int, int | None, str], None],
        notify: Callable[[str], None],
    ) -> None:
        self.source, self.settings, self.chosen = source, settings, chosen
        self.write, self.on_rows, self.notify = write, on_rows, notify
        self.counts, self.meter, self.is_loaded = ScoringCounts(), Meter(), False
        self.kept = 0
        self.warehouse = Home.from_environment().warehouse
        self.others = rename_others(source.columns.kept)
        self.date_order: DateOrder | None = None
        self.labelled = LabelledAnswers(settings.reading) if settings.evaluate else None

    def run(self, look: Callable[[str], object]) -> None:
        """Score all of it, and call `look` after each batch."""
        import pandas as pd

        from storage.locks import holding
        from storage.scores import finish_scoring, start_scoring

        source, settings, scoring_id = self.source, self.settings, self.source.scoring_id
        with holding(self.warehouse, "scoring", scoring_id):  # another process may score the same source
            start_scoring(
                self.warehouse,
                scoring_id,
                source.name,
                source.location,
                self.chosen.scorer,
                text_column=source.columns.text,
                unparsed=settings.unparsed,
                timezone=settings.reading.timezone,
            )
            if self.write is not None:
                self.write(pd.DataFrame(columns=[*ANSWER_COLUMNS, *self.others.values()]))  # even where nothing follows
            for batch in source.batches:
                self.score_batch(batch)
                self.show(0)
                look(scoring_id)
            finish_scoring(self.warehouse, scoring_id)

    def result(self) -> ScoredSource:
        """The results so far."""
        from operations.answer_warnings import warn_of_answers
        from operations.judged import describe_answering, load_judged
        from storage.data_report import load_reasons
        from storage.warehouse import reading_together

        scoring_id, chosen = self.source.scoring_id, self.chosen
        cell_id = chosen.model.card.cell_id
        with reading_together(self.warehouse):
            judged = load_judged(self.warehouse, Champion(cell_id, chosen.temperature))
            warnings = tuple(warn_of_answers(scoring_id, chosen.model, self.counts, judged))
            reasons = load_reasons(self.warehouse, scoring_id, MOST_REASONS)
        return ScoredSource(
            scoring_id,
            self.source.name,
            cell_id,
            self.counts,
            describe_answering(chosen.temperature, chosen.judged_at, judged),
            warnings,
            reasons,
            tuple(self.labelled.describe()) if self.labelled else (),
            self.labelled.explain_nothing() if self.labelled and self.counts.rows_read else None,
            self.kept,
        )

    def score_batch(self, batch: "HeadlineBatch") -> None:
        """Score the unknown texts of a batch, save the whole batch, and write its answers."""
        self.note_order(batch)
        import pandas as pd

        from storage.scores import load_scores, save_batch
        from storage.splits import load_parts_of
        from storage.warehouse import reading_together

        scorer, counts = self.chosen.scorer, self.counts
        texts = batch.headlines.drop_duplicates("text_id")
        split_id = self.chosen.model.split_id  # splits stay, also where the study of the cell is deleted meanwhile
        with reading_together(self.warehouse):
            known = load_scores(self.warehouse, scorer, texts["text_id"].tolist())
            parts_of = load_parts_of(self.warehouse, split_id, batch.headlines["trained_id"].tolist())
        unknown = texts[~texts["text_id"].isin(known["text_id"])]
        answered, too_long = self.answer_in_parts(unknown, batch.rows)
        if not self.chosen.truncates:
            too_long += known.loc[known["is_truncated"], "text_id"].tolist()
            known = known[~known["is_truncated"]]
        refused = batch.headlines[batch.headlines["text_id"].isin(too_long)]
        rejected = pd.concat([batch.rejected, _refuse(refused)]).sort_values("row_number")
        rejected = rejected.assign(source=self.source.name)
        rows = batch.headlines[~batch.headlines["row_number"].isin(refused["row_number"])]
        answers = pd.concat([known, answered.drop(columns="text")])
        described = _describe_answers(rows.merge(answers, on="text_id"), self.settings.unparsed)
        self.counts = ScoringCounts(
            counts.rows_read + batch.rows,
            counts.rows_rejected + len(rejected),
            counts.headlines_scored + len(answered),
            counts.headlines_known + len(known),
            counts.rows_answered + len(rows),
            counts.rows_unparsed + int(described["is_unparsed"].sum()),
            counts.rows_truncated + int(described["is_truncated"].sum()),
            counts.dates_unread + batch.unread_dates,
        )
        labels = self.labelled.list_labels(rows["word"]) if self.labelled else [None] * len(rows)
        parts = rows["trained_id"].map(parts_of)
        saved = rows[["row_number", "text_id", "published_at", "instrument"]].assign(
            true_label=pd.Series(labels, index=rows.index, dtype="str"),
            in_sample=parts == "train",
            part=parts.astype("str").where(parts.notna()),
        )
        save_batch(self.warehouse, self.source.scoring_id, scorer, answered, saved, rejected, self.counts)
        self.kept = 0
        if self.write is not None and len(rows):
            self.write(self.as_answers(described))
        if self.labelled:
            self.labelled.add(described.merge(saved[["row_number", "true_label", "in_sample"]], on="row_number"))

    def note_order(self, batch: "HeadlineBatch") -> None:
        """Warn of dates that show another order of day and month than those before them in a stream."""
        before, now = self.date_order, batch.date_order
        if before and now and before != now:
            self.notify(
                f"warning: {self.source.name}: from row {self.counts.rows_read + 1:,} on dates are read as {now}, and "
                f"those before were read as {before}: if that is wrong, give --date-order and send all of it again"
            )
        self.date_order = now or before

    def as_answers(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Rows as a file of answers has them, with the other columns of the source."""
        import pandas as pd

        named = rows.sort_values("row_number").rename(columns={"row_number": "row"})
        card, temperature = self.chosen.model.card, self.chosen.temperature
        answers = named.assign(model=card.base_model, version=card.cell_id, temperature=temperature)
        cells = {
            column: pd.Series([others.get(name) for others in answers["others"]], index=answers.index, dtype="object")
            for name, column in self.others.items()
        }
        return answers[list(ANSWER_COLUMNS)].assign(**cells)

    def answer_in_parts(self, texts: "pd.DataFrame", rows: int) -> tuple["pd.DataFrame", list[str]]:
        """The answers of a batch, as `answer` gives them; those of a slow model are saved after each minute or so."""
        import pandas as pd

        from storage.scores import save_answers

        frames: list[pd.DataFrame] = []
        too_long: list[str] = []
        done = 0
        while done < len(texts) or not frames:
            rate = self.meter.rate(0.0)
            size = FIRST_PART if rate is None else max(1, int(SECONDS_OF_A_PART / rate))
            part = texts.iloc[done : done + size]
            answered, refused = self.answer(part, partial(self.take, done, len(texts), rows))
            frames, too_long, done = [*frames, answered], [*too_long, *refused], done + len(part)
            if done < len(texts):
                save_answers(self.warehouse, self.chosen.scorer, answered)
                self.kept += len(answered)
        return pd.concat(frames), too_long

    def answer(self, texts: "pd.DataFrame", on_headlines: Callable[[int], None]) -> tuple["pd.DataFrame", list[str]]:
        """The answers, as `storage.scores.save_batch` takes them; and the ids of texts too long to have one."""
        import numpy as np

        from learning.worker.jobs import AnsweringJob

        model, decoding = self.chosen.model, self.chosen.decoding
        fits = has_answer = np.ones(0, dtype=bool)
        probabilities = np.empty((0, len(PROBABILITIES)))
        if len(texts):
            self.report_loading()
            cuts = (self.chosen.temperature, decoding.top_k, decoding.top_p)
            shown = (
                texts["context"].tolist(),
                [instrument if isinstance(instrument, str) else None for instrument in texts["instrument"]],
            )
            questions, truncate = model.ask(tuple(texts["text"]), *shown), self.chosen.truncates
            job = AnsweringJob(model.base, model.fine_tune, questions, model.prompt, *cuts, truncate)
            result = run_job(job, on_headlines)
            self.meter.stop("model")
            fits, has_answer, probabilities = result.fits, result.answered, result.probabilities
        columns = {name: probabilities[:, column] for column, name in enumerate(PROBABILITIES)}
        answered = texts.loc[has_answer, ["text_id", "text"]].assign(is_truncated=~fits[has_answer], **columns)
        return answered, texts.loc[~has_answer, "text_id"].tolist()

    def report_loading(self) -> None:
        """Report once that the model is loading."""
        if not self.is_loaded:
            self.is_loaded = True
            card = self.chosen.model.card
            self.notify(f"loading {card.base_model}, fine-tuned as cell {card.cell_id}")

    def take(self, before: int, texts: int, rows: int, done: int) -> None:
        """Record how many texts of a part are scored, and show how many rows of the batch are done."""
        self.meter.update("model", done)
        if before + done < texts:
            self.show(rows * (before + done) // texts)

    def show(self, rows: int) -> None:
        """Show how many rows are done, including those of the current batch, and how fast."""
        rate = self.meter.rate(0.0)
        self.on_rows(self.counts.rows_read + rows, self.source.rows, f"{1 / rate:,.0f} headlines/s" if rate else "")


def _describe_answers(rows: "pd.DataFrame", unparsed: Literal["label", "neutral"]) -> "pd.DataFrame":
    """Rows with their probabilities, and what follows from these: label, confidence and is_unparsed."""
    from learning.study.unparsed import answer, is_unparsed

    probabilities = rows[list(PROBABILITIES)].to_numpy(dtype=float)
    labels, confidence = answer(probabilities, unparsed)
    return rows.assign(label=labels, confidence=confidence, is_unparsed=is_unparsed(probabilities))


def _refuse(headlines: "pd.DataFrame") -> "pd.DataFrame":
    """Headlines that the model cannot take, as rejected rows."""
    rows = headlines[["row_number"]].assign(reason="longer than the model takes", raw=headlines["text"])
    return rows[["row_number", "reason", "raw"]]
