"""Sources of labelled headlines that a test writes, copies of headlines, and the parts of a split."""

import csv
from collections import Counter
from pathlib import Path

from schemas.label import LABELS
from schemas.source import DataSettings
from tests.asking import ask


def texts_of(home: Path, split_id: str) -> dict[str, Counter[tuple[str, str]]]:
    """Text and label of each headline, by part."""
    sql = f"SELECT part, text, label FROM splits JOIN headlines USING (headline_id) WHERE split_id = '{split_id}'"
    rows = ask(home, sql)
    parts: dict[str, Counter[tuple[str, str]]] = {}
    for part, text, label in rows:
        parts.setdefault(part, Counter())[text, label] += 1
    return parts


def write(path: Path, rows: list[tuple[str, str]]) -> DataSettings:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return DataSettings(source=str(path))


def stock(first: int, last: int) -> list[tuple[str, str]]:
    """Headlines that share no word, with each label in turn."""
    starts = ["abcdefghij"[number % 10] * 3 + "klmnopqrst"[number // 10] for number in range(last)]
    return [(" ".join(f"{starts[n]}{end}" for end in "uvwxyz"), LABELS[n % 3]) for n in range(first, last)]


def reword(text: str) -> str:
    return " ".join(reversed(text.upper().split()))


def decorate(text: str, number: int) -> str:
    """The text as somebody else posted it."""
    return [f"RT @desk: {text}", f"{text} https://t.co/{number}", f"{text} #news", f"{text} @desk"][number % 4]
