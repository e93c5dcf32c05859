"""The result of `fintone compare`, as lines for people or JSON for programs.

The two cells are called A and B in the lines.
"""

from collections.abc import Iterator
from dataclasses import asdict

from cli.output.results import show, to_json
from operations.comparison import CellComparison, ComparedRun
from reporting.verdict import (
    FEW_DISCORDANT,
    FEW_OF_A_LABEL,
    describe_baseline,
    describe_difference,
    format_interval,
    format_p_value,
    format_ratio,
)
from schemas.comparison import BaselineVerdict, Flip
from storage.cells import CellRecord
from storage.comparisons import Pairing

Lines = list[tuple[str, str]]


def describe_comparison(compared: CellComparison) -> Iterator[Lines]:
    """Yield blocks of (subject, description) lines: the cells, one for each temperature, the headlines that flipped."""
    first = compared.runs[0].pairing
    yield [
        ("A", f"{_name(compared.cell)} (cell {compared.cell.cell_id})"),
        ("B", f"{_name(compared.other)} (cell {compared.other.cell_id})"),
        ("headlines", _describe_headlines(compared.part, first)),
        *(("note", note) for note in _iterate_notes(compared)),
    ]
    for run in compared.runs:
        yield _describe_run(run)
    run = compared.runs[0]
    if run.flips:
        at = "" if run.pairing.temperature is None else f" at temperature {run.pairing.temperature:g}"
        yield [
            ("flipped", f"{run.flipped:,} headlines{at}, {len(run.flips)} of them here"),
            *(_describe_flip(flip) for flip in run.flips),
        ]


def render_json(compared: CellComparison) -> str:
    """The comparison as one JSON object that ends in a line break, with every digit."""
    names = _name(compared.cell), _name(compared.other)
    if names[0] == names[1]:
        names = compared.cell.cell_id, compared.other.cell_id
    document = {
        "cell": _identify(compared.cell),
        "other_cell": _identify(compared.other),
        "part": compared.part,
        "comparisons": [
            {
                "temperature": run.pairing.temperature,
                "study_id": run.pairing.study_id,
                "other_study_id": run.pairing.other_study_id,
                **asdict(run.comparison),
                "p_holm": run.pairing.p_holm,
                "pairs": run.pairing.pairs,
                "verdict": describe_difference(*names, run.difference),
                "baseline_verdict": _spell_verdict(run.verdict),
                "other_baseline_verdict": _spell_verdict(run.other_verdict),
                "flipped": run.flipped,
                "flips": [flip._asdict() for flip in run.flips],
            }
            for run in compared.runs
        ],
        "query": compared.query,
    }
    return to_json(document, indent=2) + "\n"


def _describe_run(run: ComparedRun) -> Lines:
    comparison, pairing = run.comparison, run.pairing
    f1_interval = comparison.macro_f1_difference_low, comparison.macro_f1_difference_high
    without_f1 = FEW_DISCORDANT if comparison.difference_low is None else FEW_OF_A_LABEL
    corrected = "" if pairing.p_holm is None else f", {format_p_value(pairing.p_holm)} after Holm's correction"
    accuracies = f"A {format_ratio(comparison.accuracy)}, B {format_ratio(comparison.other_accuracy)}"
    difference = format_interval(comparison.difference, comparison.difference_low, comparison.difference_high)
    only = f"A on {comparison.only_right:,}, B on {comparison.only_other_right:,}"
    return [
        ("temperature", "none: neither cell samples" if pairing.temperature is None else f"{pairing.temperature:g}"),
        ("accuracy", f"{accuracies}, {difference}"),
        ("macro-F1", format_interval(comparison.macro_f1_difference, *f1_interval, without_f1)),
        ("only one right", f"{only} of {comparison.n:,} headlines"),
        ("p-value" if pairing.folds else "McNemar", f"{format_p_value(comparison.p_value)}{corrected}"),
        ("verdict", describe_difference("A", "B", run.difference)),
        *(
            ("baseline", describe_baseline(name, verdict))
            for name, verdict in (("A", run.verdict), ("B", run.other_verdict))
            if verdict is not None
        ),
    ]


def _describe_headlines(part: str, pairing: Pairing) -> str:
    n = len(pairing.labels)
    if pairing.study_id == pairing.other_study_id:
        return f"{n:,} {part} headlines of study {pairing.study_id}"
    counts = f"{pairing.n:,} of A in study {pairing.study_id}, {pairing.other_n:,} of B in {pairing.other_study_id}"
    return f"{n:,} {part} headlines that both answered: {counts}"


def _iterate_notes(compared: CellComparison) -> Iterator[str]:
    """Yield caveats for the reader of the figures."""
    pairing, repeats = compared.runs[0].pairing, compared.repeats
    if compared.part == "validation":
        yield "validation chose between the cells and flatters its choice; test judges"
    elif pairing.study_id != pairing.other_study_id:
        yield "no study has both cells, so p is for this pair only"
    elif pairing.p_holm is None:
        yield f"study {pairing.study_id} has no comparisons yet, so p is for this pair only; `fintone run` finishes it"
    if repeats:
        units = " and ".join(dict.fromkeys(each.units for each in repeats))
        apart = f"A and B do not share their {units}: " if len(pairing.folds) > 1 else ""
        each = " and ".join(map(str, repeats))
        yield f"{apart}one model answers each of {each}, so p and intervals allow for differences between {units}"
    if not pairing.is_sampled_alike:
        yield "the two were not sampled with the same top-k, top-p and seed"


def _describe_flip(flip: Flip) -> tuple[str, str]:
    right = {flip.predicted: "A right", flip.other_predicted: "B right"}.get(flip.label, "neither")
    return right, f"{flip.label} (A {flip.predicted}, B {flip.other_predicted}): {show(flip.text)}"


def _name(cell: CellRecord) -> str:
    return show(cell.name)


def _identify(cell: CellRecord) -> dict[str, object]:
    return {
        name: getattr(cell, name) for name in ("cell_id", "name", "kind", "model", "learning_rate", "epochs", "seed")
    }


def _spell_verdict(verdict: BaselineVerdict | None) -> dict[str, object] | None:
    if verdict is None:
        return None
    figures = verdict.difference
    return {
        "baseline_cell_id": verdict.baseline_cell_id,
        "baseline": verdict.baseline,
        "baseline_accuracy": verdict.baseline_accuracy,
        "difference": figures.value,
        "difference_low": figures.low,
        "difference_high": figures.high,
        "p_value": figures.p_value,
        "p_holm": figures.p_holm,
        "beats_baseline": verdict.beats_baseline,
    }
