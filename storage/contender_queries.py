"""The queries of a report that compare the chosen cell with the champion, the base and the best baseline."""

from collections.abc import Iterable, Sequence

from schemas.report import Chosen, Contender

MOST_COMPARED = 6
"""Most headlines of each table of headlines on which the contenders differ."""


def contender_queries(study_id: str, chosen: Chosen, contenders: Sequence[Contender]) -> dict[str, str]:
    """Each query by the name of its result; headlines are compared only where the chosen cell has a rival.

    Args:
        study_id: The study.
        chosen: The cell that validation chose.
        contenders: The chosen cell, then its rivals.
    """
    queries = {"overview": _overview(study_id, chosen, contenders), "mix_ups": _mix_ups(contenders)}
    if len(contenders) > 1:
        queries |= {"lost": _lost(contenders), "won": _won(contenders)}
    return queries


def listed(texts: Iterable[str]) -> str:
    """Texts as a list of SQL: `('a', 'b')`."""
    quoted = ", ".join(f"'{text}'" for text in texts)
    return f"({quoted})"


def at_chosen(chosen: Chosen) -> str:
    """The condition that an evaluation is at the temperature of the chosen cell, or of a baseline."""
    return f"(temperature = {chosen.temperature:g} OR temperature IS NULL)"


def column(contender: Contender) -> str:
    """The name of a contender's column."""
    return contender.role.replace(" ", "_")


def _overview(study_id: str, chosen: Chosen, contenders: Sequence[Contender]) -> str:
    columns = "kind, temperature, n, accuracy, accuracy_low, accuracy_high, cell_id"
    of_study = f"SELECT cell_name, {columns} FROM leaderboard WHERE study_id = '{study_id}' AND part = 'test'"
    strangers = [contender.evaluation_id for contender in contenders if not contender.is_of_study]
    of_strangers = (
        f" UNION ALL SELECT name, {columns} FROM evaluations JOIN cells USING (cell_id) JOIN ledger.latest_studies "
        f"USING (cell_id) WHERE evaluation_id IN {listed(strangers)}"
    )
    return f"{of_study} AND {at_chosen(chosen)}{of_strangers if strangers else ''} ORDER BY accuracy DESC, cell_name"


def _mix_ups(contenders: Sequence[Contender]) -> str:
    evaluations = listed(contender.evaluation_id for contender in contenders)
    return (
        "SELECT evaluation_id, n, mix_ups, mix_up_rate, mix_up_rate_low, mix_up_rate_high, right_calls, "
        f"right_calls_per_mix_up FROM ledger.mix_ups WHERE evaluation_id IN {evaluations} ORDER BY ALL"
    )


def _lost(contenders: Sequence[Contender]) -> str:
    """Headlines that the chosen cell has wrong and a rival right; positive and negative mixed up first."""
    right = [f"{column(rival)} = label" for rival in _rivals(contenders)]
    return (
        f"{_answers(contenders)} SELECT * EXCLUDE confidence FROM answers WHERE chosen <> label AND "
        f"({' OR '.join(right)}) ORDER BY chosen = 'neutral' OR label = 'neutral', confidence DESC, text "
        f"LIMIT {MOST_COMPARED}"
    )


def _won(contenders: Sequence[Contender]) -> str:
    """Headlines that the chosen cell has right and a rival wrong; positive and negative mixed up first."""
    rivals = [column(rival) for rival in _rivals(contenders)]
    wrong = [f"{rival} <> label" for rival in rivals]
    mild = [f"({rival} IN ('neutral', label))" for rival in rivals]
    return (
        f"{_answers(contenders)} SELECT * EXCLUDE confidence FROM answers WHERE chosen = label AND "
        f"({' OR '.join(wrong)}) ORDER BY label = 'neutral' OR ({' AND '.join(mild)}), confidence DESC, text "
        f"LIMIT {MOST_COMPARED}"
    )


def _rivals(contenders: Sequence[Contender]) -> Sequence[Contender]:
    """The champion and the best baseline; the base where there is neither."""
    rivals = [contender for contender in contenders[1:] if contender.role != "base"]
    return rivals or contenders[1:]


def _answers(contenders: Sequence[Contender]) -> str:
    """A row for each test headline with the answer of each contender, and the confidence of the chosen cell."""
    chosen, *rivals = contenders
    joined = "".join(
        f" JOIN ledger.predictions AS {column(rival)} ON {column(rival)}.headline_id = chosen.headline_id AND "
        f"{column(rival)}.evaluation_id = '{rival.evaluation_id}'"
        for rival in rivals
    )
    answers = ", ".join(f"{name}.predicted AS {name}" for name in map(column, contenders))
    return (
        f"WITH answers AS (SELECT text, label, {answers}, greatest(chosen.p_negative, chosen.p_neutral, "
        "chosen.p_positive) AS confidence FROM ledger.predictions AS chosen JOIN headlines ON headlines.headline_id = "
        f"chosen.headline_id{joined} WHERE chosen.evaluation_id = '{chosen.evaluation_id}')"
    )
