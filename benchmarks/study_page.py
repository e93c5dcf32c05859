"""A study of real headlines as a page: `python -m benchmarks.study_page STUDY` writes it from the warehouse.

The page is docs/studies/financial-phrasebank.md: the text of study_page.md with its blocks filled. The ladder is also
written to results/financial-phrasebank.json, for README. The study is that of financial-phrasebank.yaml, in
FINTONE_HOME. Measures nothing.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS
from benchmarks.readme import fill_blocks
from reporting.markdown import render_table
from reporting.verdict import format_ratio, format_with_bounds
from storage.home import Home
from storage.query import query

TEXT = Path(__file__).with_name("study_page.md")
PAGE = Path(__file__).parents[1] / "docs" / "studies" / "financial-phrasebank.md"
PHRASES = {
    "own": "cells JOIN study_cells USING (cell_id) WHERE study_id = {study}",
    "test": "study_id = {study} AND part = 'test'",
}
"""The names that a query may have in braces, besides the study."""
TEMPERATURES = (0.1, 1.0, 10.0)

NOT_THERE = "Not in this run."

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


def asker(study: str) -> Ask:
    """A function that queries the warehouse; a query may contain `{study}`, the study's id, and `PHRASES`."""
    warehouse, named = Home.from_environment().warehouse, f"'{study}'"
    phrases = {name: phrase.format(study=named) for name, phrase in PHRASES.items()}

    def ask(sql: str) -> list[Row]:
        answer = query(warehouse, sql.format(study=named, **phrases))
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    return ask


def format_interval_of(row: Row, name: str) -> str:
    """A figure with its interval, as `.781 [.753, .807]`."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return format_ratio(row[name]) if low is None or high is None else format_with_bounds(row[name], low, high)


def build_run(ask: Ask) -> str:
    """The run: data, models, machine and date."""
    [study] = ask("SELECT source, snapshot_id, finished_at FROM studies WHERE study_id = {study}")
    parts = ask(
        "SELECT splits.part, headlines.label, count(*) AS n FROM studies JOIN splits USING (split_id)"
        " JOIN headlines USING (headline_id) WHERE study_id = {study} GROUP BY ALL ORDER BY ALL"
    )
    models = ask("SELECT DISTINCT model, base_revision FROM {own} AND kind <> 'baseline' ORDER BY ALL")
    machines = ask(
        "SELECT environment->>'$.device' AS device, environment->>'$.hardware' AS hardware,"
        " string_agg(DISTINCT left(environment->>'$.commit', 10), ', ') AS commits FROM {own} AND kind = 'fine-tuned'"
        " GROUP BY ALL"
    )
    counts: dict[str, list[str]] = {}
    for row in parts:
        counts.setdefault(row["part"], []).append(f"{row['n']} {row['label']}")
    rows = [
        ("data", f"{study['source']}, snapshot `{study['snapshot_id']}`"),
        *((part, ", ".join(counts[part])) for part in ("train", "validation", "test")),
        *(("model", f"{row['model']}, files `{row['base_revision']}`") for row in models),
        *(("machine", f"{row['device']}, {row['hardware']}, commits {row['commits']}") for row in machines),
        ("finished", f"{study['finished_at']:%d %B %Y}"),
    ]
    return render_table(("what", "which"), rows)


def build_reproduction(ask: Ask) -> str:
    """The study's tables 1 to 4: published figures of Llama 2 7B next to those of each model with such a cell."""
    rows = ask(
        "SELECT own.place, own.cell_name, own.temperature, any_value(published_accuracy) AS published,"
        " any_value(published_macro_f1) AS published_f1, own.accuracy, own.accuracy_low, own.accuracy_high,"
        " own.macro_f1, own.macro_f1_low, own.macro_f1_high FROM reproduction JOIN leaderboard AS own USING"
        " (study_id, cell_id) WHERE {test} AND own.temperature IS NOT DISTINCT FROM reproduction.temperature"
        " GROUP BY ALL ORDER BY own.place, own.temperature"
    )
    lines = [
        (
            row["cell_name"],
            f"{row['temperature']:g}",
            f"{format_ratio(row['published'])} / {format_ratio(row['published_f1'])}",
            format_interval_of(row, "accuracy"),
            format_interval_of(row, "macro_f1"),
        )
        for row in rows
    ]
    titles = ("cell", "temperature", "published (Llama 2 7B)", "accuracy here", "macro-F1 here")
    return render_table(titles, lines)


def build_ladder(ask: Ask) -> str:
    """Every baseline and base, and the fine-tune of each base that validation chooses."""
    rows = ask(
        "SELECT * FROM ladder WHERE {test} AND (temperature IS NULL OR temperature = 0.1)"
        " AND (kind <> 'fine-tuned' OR is_best_of_base) ORDER BY rung"
    )
    lines = [
        (
            row["cell_name"],
            format_interval_of(row, "accuracy"),
            format_interval_of(row, "macro_f1"),
            format_ratio(row["mcc"]),
            f"{row['headlines_per_second']:,.0f}",
            "" if row["size_bytes"] is None else f"{row['size_bytes'] / 1e6:,.1f}",
            "" if row["train_seconds"] is None else f"{row['train_seconds']:,.1f}",
        )
        for row in rows
    ]
    titles = ("cell", "accuracy", "macro-F1", "MCC", "headlines/s", "on disk, MB", "training, s")
    return render_table(titles, lines)


def build_recipes(ask: Ask) -> str:
    """Every recipe in the order in which validation ranks those of its base; the one that it chooses is marked."""
    chosen = "(SELECT cell_id FROM ladder WHERE {test} AND is_best_of_base)"
    rows = ask(
        "SELECT model_selection.cell_name, balanced_accuracy, own.accuracy AS on_validation, test.accuracy,"  # noqa: S608 (our own names)
        f" test.accuracy_low, test.accuracy_high, cell_id IN {chosen} AS is_chosen FROM model_selection JOIN"
        " leaderboard AS own USING (study_id, cell_id, temperature) JOIN leaderboard AS test USING (study_id, cell_id,"
        " temperature) WHERE study_id = {study} AND own.part = 'validation' AND test.part = 'test' AND"
        " temperature = 0.1 ORDER BY model_selection.model, choice"
    )
    lines = [
        (
            f"{row['cell_name']}{' *' if row['is_chosen'] else ''}",
            format_ratio(row["balanced_accuracy"]),
            format_ratio(row["on_validation"]),
            format_interval_of(row, "accuracy"),
        )
        for row in rows
    ]
    titles = ("recipe", "balanced accuracy on validation", "accuracy on validation", "accuracy on test")
    return render_table(titles, lines)


def build_curve(ask: Ask) -> str:
    """Accuracy by epochs at each temperature."""
    rows = ask(
        "SELECT cell_name, epochs, temperature, accuracy, accuracy_low, accuracy_high FROM epoch_curve"
        " WHERE study_id = {study} QUALIFY count(DISTINCT epochs) OVER (PARTITION BY settings) > 2 ORDER BY ALL"
    )
    cells: dict[tuple[int, str], dict[float, str]] = {}
    for row in rows:
        by_temperature = cells.setdefault((row["epochs"], row["cell_name"]), {})
        by_temperature[row["temperature"]] = format_interval_of(row, "accuracy")
    lines = [
        (str(epochs), name, *(by_temperature[temperature] for temperature in TEMPERATURES))
        for (epochs, name), by_temperature in sorted(cells.items())
    ]
    return render_table(("epochs", "cell", *(f"T={temperature:g}" for temperature in TEMPERATURES)), lines)


def build_agreement(ask: Ask) -> str:
    """The accuracy of each rung of the ladder, by the share of annotators that agree."""
    rows = ask(
        "SELECT ladder.rung, ladder.cell_name, levels.* FROM ladder JOIN accuracy_by_agreement AS levels USING"
        " (study_id, cell_id, part) WHERE {test} AND ladder.temperature IS NOT DISTINCT FROM levels.temperature AND"
        " (ladder.temperature IS NULL OR ladder.temperature = 0.1) AND (ladder.kind <> 'fine-tuned' OR is_best_of_base)"
        " ORDER BY rung, least_agreement"
    )
    lines = [
        (
            row["cell_name"],
            row["agreement"],
            str(row["n"]),
            format_interval_of(row, "accuracy"),
            format_interval_of(row, "macro_f1"),
        )
        for row in rows
    ]
    return render_table(("cell", "agreement", "headlines", "accuracy", "macro-F1"), lines)


def build_confusion(ask: Ask) -> str:
    """What the best fine-tune of each base answers to headlines of each label."""
    rows = ask(
        "SELECT ladder.rung, ladder.cell_name, label, list(confusion.n ORDER BY predicted) AS counts FROM ladder JOIN"
        " confusion USING (study_id, cell_id, part, temperature) WHERE {test} AND temperature = 0.1 AND"
        " is_best_of_base GROUP BY ALL ORDER BY rung, label"
    )
    lines = [(row["cell_name"], row["label"], *map(str, row["counts"])) for row in rows]
    return render_table(("cell", "label", "answered negative", "neutral", "positive"), lines)


def build_examples(ask: Ask) -> str:
    """Cells with examples in the prompt, compared with those without on the same headlines."""
    rows = ask("SELECT * FROM prompt_effects WHERE {test} AND temperature = 0.1 AND shown = 'examples' ORDER BY ALL")
    lines = [
        (
            row["cell_name"],
            format_ratio(row["accuracy"]),
            format_ratio(row["plain_accuracy"]),
            format_interval_of(row, "difference"),
            f"{row['p_holm']:.2g}",
        )
        for row in rows
    ]
    return render_table(("cell", "with examples", "without", "difference", "p (Holm)"), lines) if lines else NOT_THERE


def build_seeds(ask: Ask) -> str:
    """The spread of a recipe over its seeds."""
    rows = ask("SELECT * FROM leaderboard_over_seeds WHERE {test} AND temperature = 0.1 AND seeds > 1 ORDER BY ALL")
    lines = [
        (
            row["cell_name"],
            str(row["seeds"]),
            format_ratio(row["accuracy_mean"]),
            f"{row['accuracy_sd']:.3f}",
        )
        for row in rows
    ]
    return render_table(("recipe", "seeds", "mean accuracy", "standard deviation"), lines) if lines else NOT_THERE


BUILDERS: dict[str, Callable[[Ask], str]] = {
    "run": build_run,
    "reproduction": build_reproduction,
    "ladder": build_ladder,
    "recipes": build_recipes,
    "curve": build_curve,
    "agreement": build_agreement,
    "confusion": build_confusion,
    "examples": build_examples,
    "seeds": build_seeds,
}


def record_ladder(ask: Ask) -> dict[str, Any]:
    """The figures for README: untouched bases, fine-tunes that validation chooses, the best two baselines and Llama."""
    [study] = ask("SELECT source, finished_at FROM studies WHERE study_id = {study}")
    [published] = ask("SELECT max(accuracy) AS accuracy FROM published_results")
    rows = ask(
        "SELECT cell_name, kind, model, n, accuracy, accuracy_low, accuracy_high, macro_f1 FROM ladder WHERE {test} AND"
        " (temperature IS NULL OR temperature = 0.1) AND (kind <> 'fine-tuned' OR is_best_of_base) ORDER BY accuracy"
    )
    [train] = ask(
        "SELECT count(*) AS n FROM studies JOIN splits USING (split_id) WHERE {study} = study_id AND part = 'train'"
    )
    best = [row for row in rows if row["kind"] == "baseline"][-2:]
    return {
        "source": study["source"],
        "finished": f"{study['finished_at']:%d %B %Y}",
        "train": train["n"],
        "ladder": [row for row in rows if row["kind"] != "baseline" or row in best],
        "published best": published["accuracy"],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="its id, as `fintone list studies` shows it")
    parser.add_argument("--only", nargs="+", choices=BUILDERS, help="parts of the page; the others stay as they are")
    options = parser.parse_args(arguments)
    ask = asker(options.study)
    blocks = {name: build(ask) for name, build in BUILDERS.items() if name in (options.only or BUILDERS)}
    PAGE.parent.mkdir(exist_ok=True)
    text = PAGE if options.only else TEXT
    PAGE.write_text(fill_blocks(text.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    if not options.only:
        record = json.dumps(record_ladder(ask), indent=2)
        (RESULTS / f"{PAGE.stem}.json").write_text(f"{record}\n", encoding="utf-8")
    print(f"{PAGE.name} has the figures: {', '.join(blocks)}")


if __name__ == "__main__":
    main()
