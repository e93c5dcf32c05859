"""Compares a challenger with its best baseline and with the champion, headline by headline, before it is promoted."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.evaluation import DEFAULT_BASELINES, BaselineSettings
from schemas.listing import list_some
from schemas.promotion import Champion

if TYPE_CHECKING:
    from learning.study.comparison import Comparison
    from learning.study.promotion import Rival


def meet_baseline(warehouse: Path, study_id: str, challenger: Champion, judged: str) -> "Rival | None":
    """Compare a cell with the best baseline of its study; None if the study has none.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        challenger: The cell.
        judged: The cell's evaluation on test.
    """
    from learning.study.identity import evaluation_id
    from storage.comparisons import load_verdicts

    verdicts = load_verdicts(warehouse, study_id, challenger.cell_id)
    if challenger.temperature not in verdicts:
        return None
    verdict = verdicts[challenger.temperature]
    other = evaluation_id(verdict.baseline_cell_id, "test", None, None)
    return meet(warehouse, verdict.baseline, judged, other)


def describe_left_out(settings: BaselineSettings) -> str | None:
    """The default baselines that a study leaves out, and what the gate compared with; None if it leaves none out."""
    from learning.baselines.registry import spell_out

    names = list(dict.fromkeys(spell_out(settings.names)))
    missing = [name for name in DEFAULT_BASELINES if name not in names]
    if not missing:
        return None
    present = [*names, *([f"embeddings of {settings.embedding_model}"] if settings.embedding_model else [])]
    compared = f"the baselines {list_some(present)} only" if present else "no baseline"
    return f"compared with {compared}, as baselines.names leaves out {list_some(missing)}"


def meet(warehouse: Path, name: str, judged: str, other: str) -> "Rival":
    """Compare an evaluation with a rival's; if they share no headline, the result holds the reason."""
    from learning.study.promotion import Rival

    compared = _compare(warehouse, judged, other)
    return Rival(name, compared, None if compared else "it was trained on every one of these test headlines")


def _compare(warehouse: Path, evaluation_id: str, other_evaluation_id: str) -> "Comparison | None":
    """Compare two evaluations; None if they share no headline."""
    from learning.study.comparison import compare
    from storage.champions import load_match

    labels, predicted, other = load_match(warehouse, evaluation_id, other_evaluation_id)
    return compare(labels, predicted, other) if len(labels) else None
