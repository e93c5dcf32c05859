"""The model of a scoring, and how its study read what it is given."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations.models import CellModel
from schemas.evaluation import DecodingSettings
from schemas.listing import cut
from schemas.score import ScoreSettings, list_reading
from schemas.source import INSTEAD

if TYPE_CHECKING:
    from storage.scores import Scorer


@dataclass(frozen=True)
class ChosenModel:
    """A fine-tuned cell, ready to score, at its temperature."""

    model: CellModel
    temperature: float
    decoding: DecodingSettings
    """The decoding settings with which it was judged at this temperature."""
    judged_at: float
    """The temperature at which the gate judged it, or would."""
    truncates: bool = False
    """Whether headlines that are too long for it are truncated; else their rows are rejected."""

    def with_context(self, settings: ScoreSettings) -> tuple[ScoreSettings, str | None]:
        """The settings of a scoring with the column of the context, and a note for the user.

        Without a named column, that of the model's study is read; for a model without a context, none is read.
        """
        column, study_column = settings.context_column, self.model.context_column
        if study_column is None and column:
            note = f"{settings.source}: context column {column!r} is not read, the model was trained without a context"
            return settings.model_copy(update={"context_column": None}), note
        if study_column is not None and column is None:
            return settings.model_copy(update={"context_column": study_column}), None
        return settings, None

    def as_in_study(self, settings: ScoreSettings, *, columns: bool = True) -> tuple[ScoreSettings, str | None]:
        """The settings of a scoring, completed with those of the model's study, and a line that lists the latter.

        Settings that were given for this source take precedence. The file format is never taken from the study, since
        this file may have another one.

        Args:
            settings: The settings that were given for this source.
            columns: Whether the names of columns are taken from the study, too.
        """
        given = {name for name, value in settings if value is not None}
        given |= {other for name in given for other in INSTEAD.get(name, ())}
        names = list_reading(evaluate=settings.evaluate) - {"encoding", "format", "delimiter", "header_row"} - given
        remembered = ((name, value) for name, value in self.model.reading.items() if name in names)
        taken = {name: value for name, value in remembered if columns or "column" not in name}
        if not taken:
            return settings, None
        listed = ", ".join(f"{name}={cut(json.dumps(value, ensure_ascii=False))}" for name, value in taken.items())
        return (
            ScoreSettings.model_validate({**settings.model_dump(exclude_unset=True), **taken}),
            f"{settings.source}: read as in the model's study, {listed}; options change that",
        )

    @property
    def scorer(self) -> "Scorer":
        """The identity under which its scores are stored."""
        from learning.study.identity import decoding_id
        from storage.scores import Scorer

        identity = (self.model.card.cell_id, self.temperature, decoding_id(self.decoding))
        return Scorer(*identity, self.model.fine_tune.files_hash)
