"""A study of two classes, end to end, on an official split with a headline that is too long for its base model."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sklearn.metrics import f1_score

from embedded.grammar import generate_headline
from flows.retrain import retrain
from operations.export import export_cell
from schemas.label import LABELS
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tests.flows.small_study import Study

SIZES = {"train": 40, "dev": 12, "test": 24}
ONE = (
    "training.learning_rate=1e-2",
    "training.epochs=1",
    "lora.r=2",
    "decoding.temperatures=1",
    "data.duplicates=merge",
)

pytestmark = pytest.mark.soak


def write_parts(folder: Path) -> None:
    """Write files of distinct negative and positive headlines, with a long one in train and one in test."""
    folder.mkdir()
    random, texts = Random(5), dict[str, str]()
    while len(texts) < 200:
        row = generate_headline(random)
        texts |= {row.text: row.sentiment} if row.sentiment != "neutral" else {}
    remaining = iter(texts.items())
    for name, size in SIZES.items():
        rows = [next(remaining) for _ in range(size)]
        if name != "dev":
            rows[0] = (rows[0][0] + " and so on" * 300, rows[0][1])
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *rows])


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None
) -> Iterator[Study]:
    root = tmp_path_factory.mktemp("official")
    write_parts(root / "news")
    base = Path(shutil.copytree(tiny_folder, root / "short"))
    values = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**values, "max_position_embeddings": 200}))
    official = ("split.method=given", "split.classes=present", "data.too_long=truncate")
    named = (f"data.source={root / 'news'}", f"base_model.name={base}")
    config = build_config(apply_overrides({**load_profile("demo"), "grid": {}}, [*named, *official, *ONE]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(root / "home"))
        yield Study(root / "home", config, retrain(config))


def test_parts_are_those_of_the_source_without_near_copies(study: Study) -> None:
    sizes = dict(study.ask("SELECT part, count(*) FROM splits GROUP BY part"))
    assert sizes["test"] == SIZES["test"]
    assert 0 < sizes["train"] <= SIZES["train"]
    assert 0 < sizes["validation"] <= SIZES["dev"]


def test_every_cell_answers_every_test_headline_including_the_long_one(study: Study) -> None:
    assert set(study.ask("SELECT n FROM leaderboard WHERE part = 'test'")) == {(SIZES["test"],)}
    long = "SELECT count(*) FROM long_headlines JOIN splits USING (split_id, headline_id) WHERE part = 'test'"
    assert study.ask(long) == [(1,)]
    assert study.ask("SELECT status FROM studies") == [("finished",)]


def test_macro_f1_is_the_mean_over_the_two_classes_in_every_figure(study: Study) -> None:
    board = study.ask("SELECT cell_id, macro_f1 FROM leaderboard WHERE part = 'test'")
    assert board
    for cell_id, macro_f1 in board:
        labels, predicted = zip(
            *study.ask(f"SELECT label, predicted FROM predictions WHERE part = 'test' AND cell_id = '{cell_id}'"),
            strict=True,
        )
        expected = f1_score(labels, predicted, labels=["negative", "positive"], average="macro", zero_division=0)
        assert macro_f1 == pytest.approx(expected)
        by_label = f"SELECT avg(f1) FROM class_metrics WHERE part = 'test' AND cell_id = '{cell_id}' AND support > 0"
        assert study.ask(by_label) == [(pytest.approx(expected),)]


def test_no_baseline_answers_a_class_that_is_not_there(study: Study) -> None:
    answers = study.ask("SELECT DISTINCT predicted FROM predictions JOIN cells USING (cell_id) WHERE kind = 'baseline'")
    assert {label for (label,) in answers} <= {"negative", "positive"}


def test_the_gate_judges_two_classes_and_the_report_shows_their_confusions(study: Study) -> None:
    assert study.ask("SELECT count(*) FROM champions") == [(1,)]
    page = (study.home / "reports" / study.study_id / "index.html").read_text(encoding="utf-8")
    confusions = page[page.index('id="confusion"') :].partition("</section>")[0]
    charts = confusions.count("<svg")
    shown = {label: len(re.findall(rf">\s*{label}\s*</text>", confusions)) for label in LABELS}
    assert shown == {"negative": 2 * charts, "neutral": charts, "positive": 2 * charts}  # neutral is only an answer
    assert charts > 0


def test_a_model_of_two_classes_is_exported_with_a_card_that_says_so(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(study.home))
    [(cell,)] = study.ask("SELECT cell_id FROM cells WHERE kind = 'fine-tuned'")
    export_cell(cell, tmp_path / "model", merge=False)
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "distinguishes positive and negative headlines" in card
