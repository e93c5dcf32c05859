"""Puts what `make bench` measured into the README: `python -m benchmarks.readme` rewrites its marked blocks.

A block lies between `<!-- NAME -->` and `<!-- /NAME -->`. Measures nothing.
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS

README = Path(__file__).parents[1] / "README.md"


def build_blocks(record: dict[str, Any]) -> dict[str, str]:
    """The README's blocks by name, from the results of `benchmarks.commands`."""
    machine = record["machine"]
    told = (
        f"Measured by `make bench` on {machine['cores']} cores of an {machine['processor']} with "
        f"{machine['memory_gib']} GiB, {machine['system']},\nPython {machine['python']}, torch {machine['torch']}, no "
        "GPU (`benchmarks/results/commands.json`):"
    )
    rows = [f"| `{name.replace(', ', '`, ', 1)} | {figure:.2f} |" for name, figure in record["figures"].items()]
    board = "\n".join(f"    {line}".rstrip() for line in record["leaderboard"])
    return {"leaderboard": board, "figures": "\n".join([told, "", "| what | figure |", "|---|---|", *rows])}


def fill_blocks(text: str, blocks: dict[str, str]) -> str:
    """Replace the content of each marked block.

    Raises:
        ValueError: The text lacks the marks of a block.
    """
    for name, content in blocks.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"README: no block {name}; put <!-- {name} --> and <!-- /{name} --> around its place")
        text = marked.sub(lambda match, new=content: f"{match[1]}\n{new}\n{match[2]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    """Rewrite the README from `results/commands.json`."""
    record = json.loads((RESULTS / "commands.json").read_text(encoding="utf-8"))
    README.write_text(fill_blocks(README.read_text(encoding="utf-8"), build_blocks(record)), encoding="utf-8")
    print(f"{README.name} has the figures of commands.json")


if __name__ == "__main__":
    main()
