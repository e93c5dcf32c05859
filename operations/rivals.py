"""Compares a challenger with its best baseline and with the champion, headline by headline, before it is promoted."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.evaluation import DEFAULT_BASELINES, BaselineSettings
from schemas.listing import list_some

if TYPE_CHECKING:
    from learning.study.comparison import Comparison
    from learning.study.promotion import Rival


def meet_baseline(warehouse: Path, study_id: str, judged: str) -> "Rival | None":
    """Compare a cell with the baseline of its study that is best on the same part; None if the study has none.

    Args:
        warehouse: The DuckDB file.
        study_id: The study.
        judged: The cell's evaluation on the test part of the study's split, or of a fold of it.
    """
    from storage.comparisons import load_best_baseline

    best = load_best_baseline(warehouse, study_id, judged)
    if best is None:
        return None
    other, name = best
    return meet(warehouse, name, judged, other)


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
    from storage.comparisons import load_match

    labels, predicted, other = load_match(warehouse, evaluation_id, other_evaluation_id)
    return compare(labels, predicted, other) if len(labels) else None
