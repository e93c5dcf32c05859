"""A small study, end to end, with and without examples before each headline."""

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from learning.prompt.question import examples_of
from learning.scoring.canaries import CanaryCheck, compare_canaries
from operations.answers import choose_model, score_source
from operations.example_files import read_examples
from operations.export import ExportMismatchError, export_cell
from operations.models import load_model
from schemas.model_card import Canaries
from schemas.score import ScoreSettings
from storage.cells import find_cell
from storage.exports import load_canaries
from storage.home import Home
from tests.exported import check_script
from tests.flows.small_study import Study, run_small_study

SMALL = ("split.method=hashed", "split.train_per_class=8", "split.test_per_class=6", "split.validation_per_class=4")
ONE = ("training.learning_rate=1e-2", "training.epochs=1", "lora.r=2", "decoding.temperatures=1", "baselines.names=")
WHOLE = "decoding.top_k=null"  # an untrained model has no label among its likeliest tokens
GRID = ("grid.prompt.examples=0,3", "grid.prompt.examples_by=fixed,nearest")


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None, few_charts: None
) -> Iterator[Study]:
    assignments = (f"base_model.name={tiny_folder}", *SMALL, *ONE, WHOLE, *GRID)
    with run_small_study(tmp_path_factory.mktemp("examples"), assignments) as study:
        yield study


def fine_tunes(study: Study) -> dict[str, str]:
    """The ids of the fine-tunes by their names."""
    return dict(study.ask("SELECT DISTINCT cell_name, cell_id FROM leaderboard WHERE kind = 'fine-tuned'"))


def test_each_prompt_has_a_fine_tune_and_an_untouched_base(study: Study) -> None:
    prompts = ["examples=0", "examples=3 examples_by=fixed", "examples=3 examples_by=nearest"]
    assert sorted(fine_tunes(study)) == prompts
    bases = study.ask("SELECT DISTINCT cell_name FROM leaderboard WHERE kind = 'base' ORDER BY ALL")
    assert [name for (name,) in bases] == [f"base: tiny0 {prompt}" for prompt in prompts]
    answers = study.ask("SELECT list(p_positive ORDER BY headline_id) FROM predictions GROUP BY cell_id, part")
    assert len({tuple(row) for (row,) in answers}) == len(answers)


def test_the_effect_of_examples_is_a_paired_comparison_in_sql_and_in_the_report(study: Study) -> None:
    effects = study.ask(
        "SELECT kind, examples, examples_by, n, difference, pairs FROM prompt_effects WHERE part = 'test' ORDER BY ALL"
    )
    accuracy = {
        (kind, by): value
        for kind, by, value in study.ask(
            "SELECT kind, coalesce(settings->>'$.prompt.examples_by', 'none'), accuracy"
            " FROM leaderboard WHERE part = 'test' AND kind <> 'baseline'"
        )
    }
    assert [row[:4] for row in effects] == [
        (k, 3, by, 18) for k in ("base", "fine-tuned") for by in ("fixed", "nearest")
    ]
    for kind, _, by, _, difference, pairs in effects:
        assert difference == pytest.approx(accuracy[kind, by] - accuracy[kind, "none"])
        assert pairs == 15
    [page] = (study.home / "reports").glob("*/index.html")
    report = page.read_text(encoding="utf-8")
    assert "With and without examples before each headline, on the same 18 test headlines at temperature 1;" in report
    assert report.count('</td><td data-label="without">') == 4
    assert '<td data-label="p">p' not in report


@pytest.mark.parametrize("name", ["examples=0", "examples=3 examples_by=fixed", "examples=3 examples_by=nearest"])
def test_scoring_uses_the_examples_of_the_study(
    study: Study, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = dict(
        study.ask(
            "SELECT text, p_positive FROM predictions JOIN headlines USING (headline_id)"
            f" WHERE cell_id = '{fine_tunes(study)[name]}' AND part = 'test'"
        )
    )
    with Path("news.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["headline"], *([text] for text in known)])
    settings = ScoreSettings(source="news.csv", model=fine_tunes(study)[name], output="answers.csv")
    frames: list[Any] = []
    score_source(settings, choose_model(settings), frames.append)
    measured = {row["headline"] if "headline" in row else row["text"]: row for row in frames[-1].to_dict("records")}
    assert {text: row["p_positive"] for text, row in measured.items()} == pytest.approx(known, abs=1e-5)


@pytest.mark.parametrize("by", ["fixed", "nearest"])
def test_an_export_carries_the_examples_and_is_checked_with_them(study: Study, by: str, tmp_path: Path) -> None:
    cell = fine_tunes(study)[f"examples=3 examples_by={by}"]
    lines = dict(export_cell(cell, tmp_path / "model", merge=False))
    assert lines["checked"].startswith(
        "Loaded back from these files, it answers 18 test headlines as the ledger records"
    )
    content = json.loads((tmp_path / "model" / "examples.json").read_text())
    assert (content["examples"], content["examples_by"], len(content["shown"])) == (3, by, 3 if by == "fixed" else 0)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "[EXAMPLE 3] = LABEL\n[HEADLINE] =\n" in card
    assert "examples.json" in card
    stored = find_cell(Home.from_environment().warehouse, cell)
    model = load_model(Home.from_environment(), stored)
    assert model.chooser
    assert not model.prompt.context  # its study has none; headlines that it judges later may have one
    texts = ("Profit of the company rose by 5 %", *(each["headline"] for each in content["pool"]))
    assert list(read_examples(tmp_path / "model", model.prompt).choose(texts)) == list(model.chooser.choose(texts))
    canaries = load_canaries(Home.from_environment().warehouse, cell, 8)
    assert canaries
    assert check_script(tmp_path / "model", model, canaries) > 4  # the others are near copies of an example


def test_an_export_is_checked_with_the_examples_of_its_own_file(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [{"headline": f"Nothing {word}", "label": "neutral", "group": word} for word in ("new", "to say", "at all")]
    settings = {"examples": 3, "examples_by": "nearest", "examples_seed": 1, "near_duplicates": "reworded", "shown": []}
    checked: list[str] = []

    def write_others(folder: Path, *_: Any) -> None:
        (folder / "examples.json").write_text(json.dumps({**settings, "pool": pool}))

    def compare(canaries: Canaries, *rest: Any) -> CanaryCheck:
        checked.extend(canaries.headlines)
        return compare_canaries(canaries, *rest)

    monkeypatch.setattr("operations.export.write_examples", write_others)
    monkeypatch.setattr("learning.scoring.canaries.compare_canaries", compare)
    with suppress(ExportMismatchError):  # a model that has learnt nothing may answer alike
        export_cell(fine_tunes(study)["examples=3 examples_by=nearest"], tmp_path / "model", merge=False)
    shown = {example.headline for headline in checked for example in examples_of(headline)}
    assert shown == {each["headline"] for each in pool}
