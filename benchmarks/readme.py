"""Puts the figures of `make bench` into README and docs: `python -m benchmarks.readme` rewrites their blocks.

A block is between `<!-- NAME -->` and `<!-- /NAME -->`. Measures nothing.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.arguments import parse_nothing
from benchmarks.ingest import SIDES, SIZES
from benchmarks.machine import RESULTS
from reporting.markdown import render_table

LOSSES = ("completion", "whole-text")
"""The losses that `benchmarks.training` measures; not imported from there, since that module loads torch."""

Record = dict[str, Any]
"""A file of results: machine, figures, ratios and more."""

NAMES = ("commands", "ingest", "scoring", "training", "grid", "gpu", "market", "weeks", "financial-phrasebank")
"""The benchmarks that the documents quote."""

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "speed.md", ROOT / "docs" / "time.md")


def load_records() -> dict[str, Record]:
    """The results of these benchmarks, by the name of the benchmark."""
    return {name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def build_blocks(records: dict[str, Record]) -> dict[str, str]:
    """The blocks by name."""
    commands = records["commands"]
    rows = [(f"`{name.replace(', ', '`, ', 1)}", f"{figure:.2f}") for name, figure in commands["figures"].items()]
    return {
        **{name: "\n".join(f"    {line}".rstrip() for line in commands[name]) for name in ("leaderboard", "query")},
        "figures": _describe(commands["machine"], "commands") + render_table(("what", "figure"), rows),
        "ingest": _describe(records["ingest"]["machine"], "ingest") + _build_ingest(records["ingest"]["figures"]),
        "scoring": _describe(records["scoring"]["machine"], "scoring") + _build_scoring(records["scoring"]),
        "training": _describe(records["training"]["machine"], "training") + _build_training(records["training"]),
        "grid": _describe(records["grid"]["machine"], "grid") + _build_grid(records["grid"]),
        "gpu": _build_gpu(records["gpu"]),
        "gpu-in-short": _describe_gpu_in_short(records["gpu"]),
        "market": _describe_market(records["market"]),
        "weeks": _describe(records["weeks"]["machine"], "weeks") + _build_weeks(records["weeks"]["figures"]),
        "real-study": _describe_real_study(records["financial-phrasebank"]),
    }


def _build_ingest(figures: dict[str, float]) -> str:
    sizes = [f"{size:,} rows" for size in SIZES]
    rows = []
    for side in SIDES:
        seconds = [f"{figures[f'{side}, {size}, s']:.2f} s" for size in sizes]
        peak = figures.get(f"{side}, {sizes[-1]}, peak GB")
        rows.append((side, *seconds, "" if peak is None else f"{peak:.1f} GB"))
    dated, undated = (figures[f"fintone {side} dates, {sizes[-1]}, s"] for side in ("with", "without"))
    text = (
        f"{sizes[-1]} with a time of publication and a ticker each take {dated:.1f} s, the same rows without them\n"
        f"{undated:.1f} s: {dated / undated:.2f}x."
    )
    return f"{render_table(('', *sizes, 'peak memory'), rows)}\n\n{text}"


def _build_scoring(record: Record) -> str:
    figures, unit = record["figures"], ", headlines/s"
    names = [name.removesuffix(unit) for name in figures if name.endswith(unit)]
    rows = [
        (name, f"{figures[name + unit]:.1f}", f"{record['ratios'][ratio]:.1f}x" if ratio in record["ratios"] else "")
        for name in names
        for ratio in [f"fintone/{name}"]
    ]
    same, all_of_them = figures["headlines with the arg-max of greedy generation"], figures["headlines"]
    moved = figures["headlines with another arg-max alone than in a batch"]
    change = figures["largest change of a probability between batch shapes, 1e-6"] * 1e-6
    share, rate = figures["fintone, share of matrix multiply"], figures["matrix multiply, GFLOP/s"]
    text = (
        f"The arg-max is that of greedy generation on {same:.0f} of {all_of_them:.0f} headlines; between batch shapes\n"
        f"{moved:.0f} labels change, and no probability by more than {change:.0e}. Scoring reaches {share:.0%} of the\n"
        f"machine's measured matrix-multiply rate, {rate:.0f} GFLOP/s."
    )
    titles = (f"`{record['model']}` on `{record['data']}`", "headlines/s", "fintone is faster by")
    return f"{render_table(titles, rows)}\n\n{text}"


def _build_training(record: Record) -> str:
    figures, ratios, rows = record["figures"], record["ratios"], []
    sides = (("fintone", "fintone"), ("sft_trainer", "SFTTrainer"), ("sft_trainer in float32", "SFTTrainer in float32"))
    for loss in LOSSES:
        for side, title in sides:
            ratio = ratios.get(f"fintone/{side}, {loss}")
            faster = "" if ratio is None else f"{ratio:.1f}x"
            rows.append((f"{title}, {loss} loss", f"{figures[f'{side}, {loss}, examples/s']:.1f}", faster))
    off = max(figures[f"largest difference of a gradient, {loss}, 1e-6"] for loss in LOSSES) * 1e-6
    text = (
        f"No gradient of an adapter weight differs from that of `SFTTrainer` in float32 by more than {off:.0e} of its\n"
        f"norm. fintone reaches {figures['fintone, completion, share of matrix multiply']:.0%} (completion) and "
        f"{figures['fintone, whole-text, share of matrix multiply']:.0%} (whole text) of the machine's measured\n"
        f"matrix-multiply rate, {figures['matrix multiply, GFLOP/s']:.0f} GFLOP/s."
    )
    titles = (f"`{record['model']}` on `{record['data']}`", "examples/s", "fintone is faster by")
    return f"{render_table(titles, rows)}\n\n{text}"


def _build_weeks(figures: dict[str, float]) -> str:
    homes = sorted({int(name.split(", ")[-2]) for name in figures})
    names = list(dict.fromkeys(name.rsplit(", ", 2)[0] for name in figures if name.endswith(", s")))
    rows = [(f"`{name}`", *(f"{figures[f'{name}, {weeks}, s']:.2f} s" for weeks in homes)) for name in names]
    rows.append(("the warehouse", *(f"{figures[f'warehouse, {weeks}, MB']:,.0f} MB" for weeks in homes)))
    return render_table(("", "1 week", *(f"{weeks} weeks" for weeks in homes[1:])), rows)


def _describe_market(record: Record) -> str:
    figures = {name: f"{figure:g}" for name, figure in record["figures"].items()}
    seconds = record["figures"]["daily sentiment of 1,000,000 headlines with its join, s"]
    return (
        f"Of {figures['seeds']} invented markets the interval holds the planted coefficient in "
        f"{figures['planted coefficient within its interval']}, and\n{figures['planted coefficient found']} show it "
        f"beyond noise. Of {figures['seeds']} placebos, whose returns are shuffled in blocks,\n"
        f"{figures['placebos with any finding']} find anything: {figures['placebo tests that are significant']} of "
        f"{figures['placebo tests']} tests. The daily sentiment of a million headlines takes {seconds:.1f} s\n"
        f"({record['machine']['cores']} cores, `python -m benchmarks.market`)."
    )


def _build_grid(record: Record) -> str:
    figures, ratios = record["figures"], record["ratios"]
    rows = [
        ("fintone, the grid", f"{figures['fintone, grid, s']:.0f} s", ""),
        (
            "the notebook's way, extrapolated",
            f"{figures['notebook, grid, extrapolated, s']:.0f} s",
            f"{ratios['fintone/notebook']:.1f}x",
        ),
        ("fintone, 13 epochs alone", f"{figures['fintone, longest, s']:.0f} s", ""),
        ("fintone, the curve of 1 to 13 epochs", f"{figures['fintone, curve, s']:.0f} s", ""),
    ]
    text = (
        f"The curve takes {ratios['curve of 1 to 13 epochs/13 epochs alone']:.2f} times its longest cell, evaluations "
        f"included. Of the grid's time\n{ratios['all else/grid']:.0%} is neither training nor scoring: start-up, data, "
        f"baselines, comparisons, Prefect and DuckDB.\nThe notebook's way is extrapolated from "
        f"{figures['notebook, training, examples/s']:.2f} examples/s of training, "
        f"{figures['notebook, pipeline, headlines/s at three temperatures']:.1f} headlines/s and\n"
        f"{figures['notebook, loading, s a cell']:.1f} s a cell to load."
    )
    titles = (f"`{record['model']}` on `{record['data']}`, {record['loss']} loss", "time", "fintone is faster by")
    return f"{render_table(titles, rows)}\n\n{text}"


def _build_gpu(record: Record) -> str:
    figures, ratios, machine = record["figures"], record["ratios"], record["machine"]
    sides, unit = ("fintone", "SFTTrainer", "SFTTrainer, packing"), ", examples/s"
    names = [name.removeprefix("fintone, ").removesuffix(unit) for name in figures if name.endswith(unit)]
    rows = [
        (
            name.replace(", batches", " loss, batches"),
            *(
                f"{figures[f'{side}, {name}{unit}']:.0f}" if f"{side}, {name}{unit}" in figures else ""
                for side in sides
            ),
            *(f"{ratios[ratio]:.1f}x" if (ratio := f"fintone/{side}, {name}") in ratios else "" for side in sides[1:]),
        )
        for name in names
        if f"fintone, {name}{unit}" in figures
    ]
    titles = ("examples/s", *sides, "faster by", "than packing by")
    lacking = any("" in row for row in rows)
    reason = "`SFTTrainer` was not measured with the machine to itself, or did not fit into memory"
    text = f"\nWhere a cell is empty, {reason}.\n" if lacking else ""
    text += f"\n{fill(' '.join(_describe_gpu_figures(figures, ratios)), 120)}\n"
    return (
        f"Measured by `python -m benchmarks.gpu` on one {machine['gpu']}, Python {machine['python']}, torch "
        f"{machine['torch']}:\nLlama 2 7B's shape with random weights on `{record['data']}`, LoRA of rank 64 "
        f"(`benchmarks/results/gpu.json`):\n\n{render_table(titles, rows)}\n{text.rstrip()}"
    )


def _describe_gpu_figures(figures: dict[str, float], ratios: dict[str, float]) -> Iterator[str]:
    """Yield a sentence for each part that was measured."""
    shares = [figures[name] for name in figures if name.startswith("fintone, ") and "share of" in name]
    if shares:
        rate = figures["matrix multiply, FLOP/s"] / 1e12
        yield (
            f"Training reaches {min(shares):.0%} to {max(shares):.0%} of the measured matrix-multiply rate, {rate:.0f} "
            "TFLOP/s."
        )
    together, apart = (figures.get(f"three learning rates {how}, s") for how in ("side by side", "one after the other"))
    if together and apart:
        yield f"Three learning rates take {together:.1f} s side by side, {apart:.1f} s one after the other."
    peak = figures.get("4 bits kept, whole-text, batches of 16, peak memory of torch, GB")
    state = figures.get("AdamW's state of an adapter, GB")
    pace = figures.get("4 bits kept, whole-text, batches of 16, examples/s")
    if peak and state and pace:
        yield (
            f"Where the base has to stay in 4 bits, training takes {peak:.1f} GB and {state:.1f} GB for AdamW's state, "
            f"which may leave the card, and reaches only {pace:.1f} examples/s: the rates above need free memory of "
            "twice the weights at 16 bits (27 GB for a 7B model)."
        )
    scored, faster = figures.get("scoring, fintone, headlines/s"), ratios.get("fintone/generate, scoring")
    if scored:
        compared = f", {faster:.1f} times as many as `generate`, once a temperature" if faster else ""
        yield f"Scoring at three temperatures takes {scored:.0f} headlines/s{compared}."
    for name, how in (("constant schedule", "with a constant schedule"), ("cosine schedule", "as it is")):
        if f"paper, {name}, s" in figures:
            yield f"The profile `paper` {how} takes {figures[f'paper, {name}, s']:.0f} s from start to exit."


def _describe_gpu_in_short(record: Record) -> str:
    figures, rates, faster = record["figures"], [], []
    for size in (8, 16):
        rate, *others = (
            figures.get(f"{side}, whole-text, batches of {size}, examples/s")
            for side in ("fintone", "SFTTrainer", "SFTTrainer, packing")
        )
        best = max((other for other in others if other), default=None)
        if rate and best:
            rates.append(rate)
            faster.append(rate / best)
    return (
        f"On one {record['machine']['gpu']}, training a model of Llama 2 7B's shape takes {min(rates):.0f} to "
        f"{max(rates):.0f} headlines a second with whole-text loss,\n{min(faster):.1f} to {max(faster):.1f} times as "
        "many as trl's `SFTTrainer` at its best ([how](docs/speed.md)). These rates need 27 GB of free memory;\n"
        "with less, training is far slower."
    )


def _describe_real_study(record: Record) -> str:
    """The results of `benchmarks.study_page`, best first, with the best published figure."""
    found = [
        (
            row["cell_name"],
            f"{row['accuracy']:.3f} [{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}]".replace("0.", "."),
            f"{row['macro_f1']:.3f}".lstrip("0"),
        )
        for row in reversed(record["ladder"])
    ]
    published = f"{record['published best']:.3f}".lstrip("0")
    text = (
        f"Real headlines, real models, two CPU cores: {record['source']} (Malo et al. 2014, CC BY-NC-SA 3.0) at 50 % "
        f"agreement,\n{record['train']} to train and {record['ladder'][0]['n']} to test, temperature 0.1; Gemma 3 270M "
        f"(Gemma terms of use) and all-MiniLM-L6-v2 (Apache 2.0); {record['finished']}.\nThe best published figure of "
        f"Llama 2 7B on this split is {published}. The settings were chosen on validation "
        "([the whole study](docs/studies/financial-phrasebank.md)):"
    )
    return f"{text}\n\n{render_table(('on the test part', 'accuracy [95 %]', 'macro-F1'), found)}"


def _describe(machine: dict[str, Any], name: str) -> str:
    return (
        f"Measured by `make bench` on {machine['cores']} cores of an {machine['processor']} with "
        f"{machine['memory_gib']} GiB, {machine['system']},\nPython {machine['python']}, torch {machine['torch']}, no "
        f"GPU (`benchmarks/results/{name}.json`):\n\n"
    )


def fill_blocks(text: str, blocks: dict[str, str]) -> str:
    """Replace the content of each marked block.

    Raises:
        ValueError: The text lacks the marks of a block.
    """
    for name, content in blocks.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"no block {name} in the text; put <!-- {name} --> and <!-- /{name} --> around its place")
        text = marked.sub(lambda match, new=content: f"{match[1]}\n{new}\n\n{match[2]}", text)  # type: ignore[misc]
    return text


def share_blocks(blocks: dict[str, str]) -> dict[Path, dict[str, str]]:
    """Assign each block to the documents that have its marks.

    Raises:
        ValueError: No document has a place for a block.
    """
    texts = {document: document.read_text(encoding="utf-8") for document in DOCUMENTS}
    shared = {
        document: {name: content for name, content in blocks.items() if f"<!-- {name} -->" in text}
        for document, text in texts.items()
    }
    unplaced = blocks.keys() - {name for names in shared.values() for name in names}
    if unplaced:
        raise ValueError(f"no document has a block {', '.join(sorted(unplaced))}")
    return shared


def main() -> None:
    """Rewrite the documents from the results."""
    parse_nothing(__doc__)
    for document, blocks in share_blocks(build_blocks(load_records())).items():
        document.write_text(fill_blocks(document.read_text(encoding="utf-8"), blocks), encoding="utf-8")
        print(f"{document.name} has the figures: {', '.join(blocks)}")


if __name__ == "__main__":
    main()
