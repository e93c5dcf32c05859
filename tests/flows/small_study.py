"""Small studies on generated headlines, which run in seconds."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tests.asking import ask


class Study(NamedTuple):
    """A finished study."""

    home: Path
    config: StudyConfig
    study_id: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that the warehouse gives to a query."""
        return ask(self.home, sql)


@contextmanager
def run_small_study(
    folder: Path,
    assignments: Sequence[str],
    headlines: int = 120,
    more: Mapping[str, Callable[[int], str]] = MappingProxyType({}),
) -> Iterator[Study]:
    """Run the demo without its grid, with these settings, in a home of its own, which is FINTONE_HOME in the block.

    Args:
        folder: An empty folder, for the headlines and the home.
        assignments: Settings, as `--set` takes them.
        headlines: How many headlines are generated.
        more: Further columns by name, each a function from the row's number, from 0, to the row's value.
    """
    random, source = Random(5), folder / "headlines.csv"
    rows = [generate_headline(random) for _ in range(headlines)]
    with source.open("w", newline="", encoding="utf-8") as file:
        cells = ([cell(number) for cell in more.values()] for number in range(headlines))
        written = ((row.text, row.sentiment, *next(cells)) for row in rows)
        csv.writer(file).writerows([("text", "label", *more), *written])
    values = {**load_profile("demo"), "grid": {}}
    config = build_config(apply_overrides(values, [f"data.source={source}", *assignments]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(folder / "home"))
        yield Study(folder / "home", config, retrain(config))


def configure_grid(folder: Path, base: Path, encoder: Path) -> StudyConfig:
    """Two learning rates x one epoch on 30 headlines, then an epoch curve of one more cell."""
    random = Random(5)
    rows = [generate_headline(random) for _ in range(150)]
    with (folder / "headlines.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "label"), *((row.text, row.sentiment) for row in rows), ("no label here", "good")])
    values = load_profile("demo")
    values["data"] = {"source": str(folder / "headlines.csv")}
    values["split"] = {"method": "hashed", "train_per_class": 10, "test_per_class": 10, "validation_per_class": 5}
    values["base_model"] = {"name": str(base)}
    values["baselines"] = {"embedding_model": str(encoder)}
    values["lora"] = {"r": 4}
    values["grid"] = {"learning_rates": [1e-3, 1e-2], "epochs": [1], "curve_epochs": [1, 2]}
    return build_config(values)


def configure_one_cell(config: StudyConfig, source: Path) -> StudyConfig:
    """A study of one cell on three texts, eight times each."""
    texts = {"positive": "Profit rose", "neutral": "The meeting is in May", "negative": "Sales fell"}
    source.write_text("text,label\n" + "".join(f"{text},{label}\n" for label, text in texts.items()) * 8)
    values = config.model_dump(mode="json")
    values["data"] = {"source": str(source), "duplicates": "keep"}
    values["split"] = {"method": "study", "train_per_class": 3, "test_per_class": 3}
    values["baselines"] = {"names": ["TF-IDF + linear SVM"]}
    values["grid"], values["curve_epochs"] = {"learning_rates": [1e-3], "epochs": [1]}, []
    return build_config(values)
