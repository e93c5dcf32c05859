"""A small study, end to end, with and without a context before each headline; its prompt names the instrument."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.columns import MissingColumnError
from operations.answers import choose_model, score_source
from operations.export import export_cell
from operations.models import load_model
from schemas.score import ScoreSettings
from storage.cells import find_cell
from storage.exports import load_canaries
from storage.home import Home
from tests.exported import check_script
from tests.flows.small_study import Study, run_small_study

SMALL = ("split.method=hashed", "split.train_per_class=8", "split.test_per_class=6", "split.validation_per_class=4")
ONE = ("training.learning_rate=1e-2", "training.epochs=1", "lora.r=2", "decoding.temperatures=1", "baselines.names=")
WHOLE = "decoding.top_k=null"  # an untrained model has no label among its likeliest tokens
CONTEXT = ("data.context_column=background", "grid.prompt.context=true,false", "prompt.examples=3")
TEMPLATE = ("prompt.template={instrument}: {headline}",)
COLUMNS = ("headline", "background", "ticker")


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None, few_charts: None
) -> Iterator[Study]:
    assignments = (f"base_model.name={tiny_folder}", *SMALL, *ONE, WHOLE, *CONTEXT, *TEMPLATE)
    more = {"background": "Told on day {}".format, "ticker": lambda number: ("NWD", "HBF")[number % 2]}
    with run_small_study(tmp_path_factory.mktemp("contexts"), assignments, more=more) as study:
        yield study


def fine_tunes(study: Study) -> dict[str, str]:
    """The ids of the fine-tunes by their names."""
    return dict(study.ask("SELECT DISTINCT cell_name, cell_id FROM leaderboard WHERE kind = 'fine-tuned'"))


def score(cell: str, rows: list[tuple[str, ...]], **options: Any) -> list[tuple[float, str]]:
    """Score the rows of a CSV, and return for each its probability of positive and the notes of the whole scoring."""
    with Path("news.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    frames: list[Any] = []
    notes: list[str] = []
    settings = ScoreSettings(source="news.csv", model=cell, output="answers.csv", **options)
    score_source(settings, choose_model(settings), frames.append, notify=notes.append)
    return [(row["p_positive"], "\n".join(notes)) for row in frames[-1].to_dict("records")]


def test_a_context_changes_answers_and_its_effect_is_a_paired_comparison(study: Study) -> None:
    assert sorted(fine_tunes(study)) == ["context=false", "context=true"]
    answers = study.ask("SELECT list(p_positive ORDER BY headline_id) FROM predictions GROUP BY cell_id, part")
    assert len({tuple(row) for (row,) in answers}) == len(answers) == 8
    effects = study.ask(
        "SELECT kind, shown, n, cell_name, difference = accuracy - plain_accuracy FROM prompt_effects"
        " WHERE part = 'test' ORDER BY ALL"
    )
    assert effects == [
        ("base", "context", 18, "base: tiny0 context=true", True),
        ("fine-tuned", "context", 18, "context=true", True),
    ]
    [page] = (study.home / "reports").glob("*/index.html")
    assert "With and without context before each headline, on the same 18 test" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("named", [None, "background"])
def test_scoring_reads_the_contexts_of_the_source(
    study: Study, named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, is_shown in (("context=true", True), ("context=false", False)):
        known = study.ask(
            "SELECT text, context, instrument, p_positive FROM predictions JOIN headlines USING (headline_id)"
            f" WHERE cell_id = '{fine_tunes(study)[name]}' AND part = 'test' ORDER BY headline_id"
        )
        rows = [COLUMNS, *(row[:3] for row in known)]
        scored = score(fine_tunes(study)[name], rows, context_column=named)
        assert [value for value, _ in scored] == pytest.approx([value for *_, value in known], abs=1e-5)
        assert ("the model was trained without a context" in scored[0][1]) == (named is not None and not is_shown)


def test_one_text_has_another_answer_in_each_context(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    contexts = ("A loss was expected", "It had doubled", "")
    rows = [("Profit rose 5 %", context, "NWD") for context in contexts]
    with_context = [value for value, _ in score(fine_tunes(study)["context=true"], [COLUMNS, *rows])]
    assert len(set(with_context)) == 3
    cell, plain = fine_tunes(study)["context=true"], [COLUMNS[::2], rows[0][::2]]
    assert score(cell, plain, context_column="")[0][0] == pytest.approx(with_context[2])


def test_one_text_has_another_answer_for_each_instrument(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [("Profit rose 5 %", "", ticker) for ticker in ("NWD", "HBF", "")]
    assert len({value for value, _ in score(fine_tunes(study)["context=false"], [COLUMNS, *rows])}) == 3


def test_a_source_without_the_column_of_the_context_is_refused(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingColumnError, match=r"has no context column 'background'.*--context-column"):
        score(fine_tunes(study)["context=true"], [("headline", "about"), ("Profit rose", "Of May")])


def test_an_export_carries_the_contexts_of_its_examples(study: Study, tmp_path: Path) -> None:
    lines = dict(export_cell(fine_tunes(study)["context=true"], tmp_path / "model", merge=False))
    assert lines["checked"].startswith(
        "Loaded back from these files, it answers 18 test headlines as the ledger records"
    )
    content = json.loads((tmp_path / "model" / "examples.json").read_text())
    shown = [*content["shown"], *content["pool"]]
    assert all(each["context"].startswith("Told on") and each["instrument"] in {"NWD", "HBF"} for each in shown)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "\nCONTEXT\n[INSTRUMENT: EXAMPLE 3] = LABEL\nCONTEXT\n[INSTRUMENT: HEADLINE] =\n" in card
    home = Home.from_environment()
    model = load_model(home, find_cell(home.warehouse, fine_tunes(study)["context=true"]))
    canaries = load_canaries(home.warehouse, model.card.cell_id, 4)
    assert canaries
    assert all(canaries.contexts)
    check_script(tmp_path / "model", model, canaries)
