"""Published figures beside measured ones, as a Markdown table."""

from typing import Any

from reporting.markdown import escape, render_table
from schemas.plan import format_rate
from schemas.report import StudyReport

_WITHIN = {True: "yes", False: "no", None: "no interval"}


def render_reproduction(report: StudyReport) -> str:
    """A table of figures that Camargo 2024 published and this study measured; a sentence if there are none."""
    rows = report.tables["reproduction"].records()
    study = f"Study `{report.study_id}`, profile {report.profile}, base model {report.base_model}."
    head = f"# Published and measured\n\n{study} {_describe_subject(report)}\n"
    if not rows:
        return f"{head}\nNo cell of this study is one of those that Camargo 2024 published.\n"
    titles = ("cell", "T", "published accuracy / F1", "measured accuracy / F1", "difference")
    table = render_table((*titles, "published in the 95 % interval"), map(_describe_row, rows))
    return f"{head}\n{table}\n\n`{report.tables['reproduction'].sql}`\n"


def _describe_row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        "base model" if row["kind"] == "base" else f"{format_rate(row['learning_rate'])}, {row['epochs']} epochs",
        f"{row['temperature']:g}",
        f"{row['published_accuracy']:.3f} / {row['published_macro_f1']:.3f}",
        f"{row['measured_accuracy']:.3f} / {row['measured_macro_f1']:.3f}",
        f"{row['accuracy_difference']:+.3f} / {row['macro_f1_difference']:+.3f}",
        " / ".join(_WITHIN[row[f"{name}_in_interval"]] for name in ("accuracy", "macro_f1")),
    )


def _describe_subject(report: StudyReport) -> str:
    """What was published and what was measured; figures of another model or other data repeat only the protocol."""
    measured = f"Measured: {escape(report.base_model)} on {escape(report.source)}."
    subject = f"Published: Llama 2 7B on FinancialPhraseBank. {measured}"
    is_same = "llama-2-7b" in report.base_model.lower() and "phrasebank" in report.data.kind
    return subject if is_same else f"{subject} The model or the data is another, so the figures need not agree."
