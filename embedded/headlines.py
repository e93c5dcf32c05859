"""The shipped synthetic headlines: `python -m embedded.headlines` writes headlines.csv again, byte for byte.

The file is ingested like any other CSV.
"""

import csv
from pathlib import Path
from random import Random

from embedded.grammar import SyntheticHeadline, generate_headline

HEADLINES_FILE = Path(__file__).parent / "headlines.csv"
HEADLINE_COUNT = 6_000
HEADLINE_SEED = 20_240_624


def generate_headlines(count: int = HEADLINE_COUNT, seed: int = HEADLINE_SEED) -> list[SyntheticHeadline]:
    """Generate `count` headlines whose texts all differ; the same seed gives the same list."""
    random = Random(seed)
    by_text: dict[str, SyntheticHeadline] = {}
    while len(by_text) < count:
        headline = generate_headline(random)
        by_text.setdefault(headline.text, headline)
    return list(by_text.values())


def write_headlines(path: Path = HEADLINES_FILE) -> None:
    """Write the headlines as CSV with the columns `label`, `text` and `origin`, the last one always `synthetic`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("label", "text", "origin"))
        writer.writerows((headline.sentiment, headline.text, "synthetic") for headline in generate_headlines())


if __name__ == "__main__":
    write_headlines()
