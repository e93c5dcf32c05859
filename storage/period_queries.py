"""The query of a report that shows accuracy by the time of publication."""

from collections.abc import Sequence

from schemas.report import Chosen, Contender

MOST_PERIODS = 14
"""Most points of a line, if longer periods make it fewer."""
FEW = 10
"""Headlines of a point below which, on average, longer periods are better, as long as there are two of them."""


def period_query(study_id: str, chosen: Chosen, contenders: Sequence[Contender]) -> str:
    """Accuracy by period: of the leading cell, the base and the best baseline on test, and of the leading cell since.

    Periods are the shortest with which at most `MOST_PERIODS` have headlines, on average at least `FEW` each. The query
    has no rows where all headlines are of one week.

    Args:
        study_id: The study.
        chosen: The cell that validation chose.
        contenders: That cell, then its rivals.
    """
    lead = _is_of(*_find_lead(chosen, contenders))
    rivals = (contender for contender in contenders if contender.role in {"base", "best baseline"})
    on_test = " OR ".join([lead, *(_is_of(rival.cell_id, rival.temperature) for rival in rivals)])
    return (
        "WITH every AS (FROM accuracy_over_time WHERE (origin = 'test' AND "  # noqa: S608 (our own ids)
        f"study_id = '{study_id}' AND ({on_test})) OR (origin = 'scored' AND {lead} AND decoding_id = "
        f"(SELECT decoding_id FROM studies WHERE study_id = '{study_id}'))), "
        "fitting AS (SELECT period FROM every GROUP BY period HAVING count(DISTINCT begins) > 1 "
        f"ORDER BY greatest(count(DISTINCT begins), {MOST_PERIODS}), avg(n) < {FEW}, "
        "list_position(['week', 'month', 'quarter', 'year'], period) LIMIT 1) "
        "SELECT origin, kind, period, begins, n, accuracy, accuracy_low, accuracy_high, temperature, cell_id "
        "FROM every SEMI JOIN fitting USING (period) "
        "ORDER BY origin = 'scored', list_position(['fine-tuned', 'base', 'baseline'], kind), begins"
    )


def _find_lead(chosen: Chosen, contenders: Sequence[Contender]) -> tuple[str, float | None]:
    """The cell whose accuracy is followed: the champion, if the study has it; else the cell that was chosen."""
    champions = [rival for rival in contenders if rival.role == "champion" and rival.is_of_study]
    return next(((rival.cell_id, rival.temperature) for rival in champions), (chosen.cell_id, chosen.temperature))


def _is_of(cell_id: str, temperature: float | None) -> str:
    at = "IS NULL" if temperature is None else f"= {temperature:g}"
    return f"(cell_id = '{cell_id}' AND temperature {at})"
