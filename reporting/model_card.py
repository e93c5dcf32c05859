"""The card of an exported model: what it is, what it was trained on, how good it is, and how to use it."""

import json
from typing import Any

from reporting.licences import describe_data_licence, describe_model_licence
from reporting.markdown import escape, render_table
from reporting.verdict import format_ratio, format_with_bounds
from schemas.listing import count
from schemas.model_card import CellCard, ExportForm
from schemas.plan import format_rate

KEPT = ("machine",)
"""Facts about a training that are not passed on with the model."""


def render_model_card(card: CellCard, form: ExportForm, check: str, hub_name: str | None) -> str:
    """The card in Markdown, with the header that model hubs read.

    Args:
        card: The cell.
        form: What the folder holds.
        check: The result of comparing the folder with the ledger, in a sentence.
        hub_name: ORG/NAME of the base model if it came from the hub.
    """
    licence = describe_data_licence(card.source, card.source_kind, synthetic=card.synthetic)
    of_base = describe_model_licence(card.base_model)
    return "\n".join(
        [
            *_header(card, form, hub_name),
            f"# {card.base_model}, fine-tuned on financial headlines",
            "",
            f"{_describe_cell(card, hub_name)} {form.description}",
            "",
            *(["**Its training diverged: it was ended early.**", ""] if card.status == "diverged" else []),
            "## Data",
            "",
            f"{_describe_data(card)} Snapshot `{card.snapshot_id}`: {_format_sizes(card)}.",
            "",
            (
                f"Licence of the data: {escape(licence)}. Licence of the base model: {escape(of_base)}. Either may "
                "extend to what is made with the model."
            ),
            "",
            "## Figures",
            "",
            _figures(card),
            "",
            check,
            "",
            "## How to ask it",
            "",
            *form.usage,
            "",
            "## Trained with",
            "",
            render_table(("setting", "value"), _settings(card)),
            "",
        ]
    )


def _header(card: CellCard, form: ExportForm, hub_name: str | None) -> list[str]:
    values: list[tuple[str, Any]] = [
        *([("base_model", hub_name)] if hub_name else []),
        ("library_name", form.library),
        ("pipeline_tag", form.task),
        ("license", "other"),
        ("license_name", "of-the-data-and-the-base-model"),
        ("license_link", "README.md"),
        ("tags", ["finance", "sentiment-analysis", *(["lora"] if "lora" in card.hyperparameters else []), "fintone"]),
    ]
    return ["---", *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values), "---", ""]


def _describe_cell(card: CellCard, hub_name: str | None) -> str:
    named = "revision" if hub_name else "hash of its files"
    return (
        f"A fine-tune of `{card.base_model}` ({named} `{card.base_revision}`) that distinguishes "
        f"{_describe_labels(card)} headlines: cell `{card.cell_id}` of fintone's grid, learning rate "
        f"{format_rate(card.learning_rate)}, {count(card.epochs, 'epoch')}, seed {card.seed}."
    )


def _describe_labels(card: CellCard) -> str:
    """The labels of its data, as in `positive, neutral and negative`."""
    *first, last = sorted(card.labels, reverse=True)
    return f"{', '.join(first)} and {last}"


def _describe_data(card: CellCard) -> str:
    if card.synthetic:
        return "Generated, clearly synthetic headlines: the figures say nothing of real news."
    return f"{escape(card.source)} ({card.source_kind})."


def _format_sizes(card: CellCard) -> str:
    named = [f"{card.part_sizes[part]:,} {part}" for part in ("train", "validation", "test") if part in card.part_sizes]
    return ", ".join(named)


def _figures(card: CellCard) -> str:
    if not card.figures:
        return "The cell has not been evaluated."
    rows = [
        (
            f"{each.temperature:g}",
            f"{each.n:,}",
            format_with_bounds(each.accuracy, each.accuracy_low, each.accuracy_high),
            format_with_bounds(each.macro_f1, each.macro_f1_low, each.macro_f1_high),
            format_ratio(each.expected_accuracy),
        )
        for each in card.figures
    ]
    titles = ("temperature", "test headlines", "accuracy [95 %]", "macro-F1 [95 %]", "expected accuracy")
    return render_table(titles, rows)


def _settings(card: CellCard) -> list[tuple[str, str]]:
    own = [
        (f"{section}.{name}", f"{value}")
        for section in ("lora", "training")
        for name, value in card.hyperparameters.get(section, {}).items()
    ]
    return [*own, *((name, f"{value}") for name, value in card.environment.items() if name not in KEPT)]
