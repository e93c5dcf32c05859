"""Millions of labelled headlines for benchmarks: made of invented words, with copies of each kind at known rates.

The seed determines every draw.
"""

import csv
from bisect import bisect
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

VOCABULARY = 60_000
COPIES, NUMBER_COPIES, REWORDED, BROKEN = 0.03, 0.03, 0.02, 0.005
"""Shares of rows that repeat an earlier one (exactly, with other numbers, reworded) and of rows without a label."""

SEED = 7

TICKERS, FIRST_DAY = 500, datetime(2025, 1, 1)  # noqa: DTZ001 (a file has words)
"""The number of instruments in a dated corpus, and its first day."""

QUOTED = 0.1
"""Share of headlines with a word in quotes."""

_LABELS = ("negative", "neutral", "positive")
_SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in ("a", "e", "i", "o", "u", "än", "or")]
_REMEMBERED = 5_000


def iterate_rows(count: int, seed: int = SEED) -> Iterator[tuple[str, str, str]]:
    """Yield rows of text, label and kind: new, copy, numbers, reworded or broken."""
    random = Random(seed)
    words = sorted({"".join(random.choices(_SYLLABLES, k=random.randint(1, 4))) for _ in range(VOCABULARY)})
    random.shuffle(words)
    weights = list(accumulate(1 / (rank + 30) for rank in range(len(words))))
    remembered: list[tuple[str, str]] = []
    for _ in range(count):
        draw = random.random()
        if not remembered or draw > COPIES + NUMBER_COPIES + REWORDED + BROKEN:
            text, label, kind = _invent(random, words, weights), random.choice(_LABELS), "new"
            if len(remembered) > 2 * _REMEMBERED:
                del remembered[:_REMEMBERED]
            remembered.append((text, label))
        else:
            text, label, kind = _repeat(random, *random.choice(remembered), draw)
        yield text, label, kind


def write_csv(path: Path, count: int) -> None:
    """Write `count` rows as CSV with the columns `date`, `text` and `label`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("date", "text", "label"))
        writer.writerows(("2026-01-05", text, label) for text, label, _ in iterate_rows(count))


def write_dated_csv(path: Path, count: int) -> None:
    """Write the rows of `write_csv` as CSV with the columns `published_at`, `ticker`, `text` and `label`.

    The times cover one year, in order; each row has one of `TICKERS` tickers.
    """
    random, step = Random(SEED), timedelta(days=365) / count
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("published_at", "ticker", "text", "label"))
        for number, (text, label, _) in enumerate(iterate_rows(count)):
            moment = FIRST_DAY + number * step
            writer.writerow((f"{moment:%Y-%m-%d %H:%M:%S}", f"T{random.randrange(TICKERS):03}", text, label))


def write_undated_csv(path: Path, count: int) -> None:
    """Write the same rows with only the columns `text` and `label`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label"))
        writer.writerows((text, label) for text, label, _ in iterate_rows(count))


def _invent(random: Random, words: list[str], weights: list[float]) -> str:
    chosen = [words[bisect(weights, random.random() * weights[-1])] for _ in range(random.randint(6, 26))]
    for _ in range(random.randint(0, 3)):
        chosen.insert(random.randint(0, len(chosen)), f"{random.uniform(1, 900):.1f}")
    company, second, *rest = chosen
    if random.random() < QUOTED:
        second = f'"{second}"'
    return f"{company.capitalize()}, {' '.join([second, *rest])} ."


def _repeat(random: Random, text: str, label: str, draw: float) -> tuple[str, str, str]:
    if draw < COPIES:
        return f"{text} ", label, "copy"
    if draw < COPIES + NUMBER_COPIES:
        return "".join(str(random.randint(1, 9)) if sign.isdigit() else sign for sign in text), label, "numbers"
    if draw < COPIES + NUMBER_COPIES + REWORDED:
        first, *rest = text.split()
        turn = len(rest) // 2
        return " ".join([*rest[turn:], first, *rest[:turn]]), label, "reworded"
    return text, "", "broken"
