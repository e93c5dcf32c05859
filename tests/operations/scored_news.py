"""News without labels in the working folder, and a scoring of it."""

from random import Random
from typing import Any

import pandas as pd

from embedded.grammar import generate_headline
from operations.answers import answers_file, choose_model, score_source
from reporting.csv_rows import CsvRows
from schemas.score import ScoreSettings

PROBABILITIES = ["p_negative", "p_neutral", "p_positive", "p_unparsed"]


def write_news(count: int, seed: int = 1) -> list[str]:
    random = Random(seed)
    texts = [generate_headline(random).text for _ in range(count)]
    pd.DataFrame({"id": range(count), "headline": texts}).to_csv("news.csv", index=False)
    return texts


def run(cell: str, output: str | None = None, **settings: Any) -> Any:
    requested = ScoreSettings(source=settings.pop("source", "news.csv"), model=cell, output=output, **settings)
    with answers_file(requested, CsvRows(raw=False)) as write:
        return score_source(requested, choose_model(requested), write)
