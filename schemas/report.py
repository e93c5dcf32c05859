"""What a study found, as tables with the queries that give them: read by storage, shown by reporting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from schemas.comparison import BaselineVerdict
from schemas.data_report import DataReport
from schemas.promotion import Champion
from schemas.split import Repeats, find_repeats


class Table(NamedTuple):
    """The rows that a query gives, and the query itself, for whoever wants the data."""

    sql: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """Each row by the names of its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Chosen:
    """The fine-tuned cell that validation chose, and the temperature at which it is best there."""

    cell_id: str
    name: str
    temperature: float


Role = Literal["chosen", "champion", "champion before", "base", "best baseline"]
"""What a contender is; the champion before is shown where the chosen cell is the champion itself."""


@dataclass(frozen=True)
class Contender:
    """An evaluation on the test headlines of a study that its report compares with others."""

    role: Role
    cell_id: str
    name: str
    temperature: float | None
    evaluation_id: str
    is_of_study: bool
    """Whether the cell is one of the study; a champion may be of an earlier one."""


@dataclass(frozen=True)
class StudyReport:
    """A study with all that its page shows."""

    study_id: str
    profile: str
    status: str
    source: str
    synthetic: bool
    base_model: str
    base_revision: str | None
    snapshot_id: str
    split_id: str
    finished_at: datetime | None
    config: dict[str, Any]
    chosen: Chosen
    act_at: float
    """Confidence from which the desk acts on an answer."""
    contenders: tuple[Contender, ...]
    verdict: BaselineVerdict | None
    decision: dict[str, Any] | None
    """The gate's decision on this study when it was judged: a row of `champions`."""
    champion: Champion | None
    """Who is champion when the report is read."""
    missing: tuple[str, ...]
    data: DataReport
    tables: dict[str, Table]
    abbreviated: Mapping[str, str] = field(default_factory=dict)
    """What values such as `instruction=#2` in names of cells stand for."""
    unanswered: tuple[str, ...] = ()
    """Cells that no run can evaluate, in words."""
    name: str | None = None
    """The readable name of the study."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def repeats(self) -> Repeats | None:
        """The folds or windows of the study."""
        return find_repeats(self.config["split"].get("folds"), self.config["split"].get("windows"))

    @property
    def guessing(self) -> float:
        """Accuracy of guessing among the labels of the study, where each has as many headlines."""
        return 1 / len(set(self.tables["split"].column("label")))


@dataclass(frozen=True)
class Index:
    """What the page of all studies shows."""

    studies: Table
    chosen: Table
    """The cell that stands for each study, with its figures on test, and the gate's decision; see `storage.chosen`."""
    decisions: Table
    champion: Champion | None
    measurements: Table
    """The measurements of `fintone market`, the latest first."""
    market_tests: Table
    """Their tests of the panel and the mean, by `market_id`: rows of `market_reaction`."""
