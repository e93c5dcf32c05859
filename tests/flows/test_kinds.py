"""A small study, end to end, of a causal model and an encoder: leaderboard, gate, champion, scoring, export."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from transformers import pipeline

from learning.models.quiet import quiet_libraries
from operations.answers import choose_model, score_source
from operations.export import export_cell
from operations.promotion import carry_out, propose
from schemas.score import ScoreSettings
from tests.flows.small_study import Study, run_small_study
from tests.learning.models.encoders import make_encoder

SMALL = ("split.method=hashed", "split.train_per_class=8", "split.test_per_class=22", "split.validation_per_class=4")
ONE = (
    "training.learning_rate=1e-3",
    "training.epochs=1",
    "decoding.temperatures=0.5,1",
    "baselines.names=majority class",
)


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None, few_charts: None
) -> Iterator[Study]:
    """A Llama with adapters of two ranks, and an encoder without an adapter whose head has the labels."""
    folder = tmp_path_factory.mktemp("kinds")
    tiny = Path(shutil.copytree(tiny_folder, folder / "tiny"))
    encoder = make_encoder(folder / "finbert", labels=["positive", "negative", "neutral"])
    grid = (f"grid.base_model.name={tiny},{encoder}", "grid.lora.r=2,4")
    with run_small_study(folder, [*SMALL, *ONE, *grid], headlines=180) as study:
        yield study


def encoder_cell(study: Study) -> str:
    [(cell,)] = study.ask("SELECT cell_id FROM cells WHERE kind = 'fine-tuned' AND model = 'finbert'")
    return str(cell)


def test_one_leaderboard_holds_both_kinds_and_names_only_what_has_an_effect(study: Study) -> None:
    rows = study.ask("SELECT DISTINCT cell_name FROM leaderboard WHERE part = 'test' AND kind <> 'baseline'")
    names = {"base: finbert", "base: tiny", "model=finbert", "model=tiny r=2", "model=tiny r=4"}
    assert {name for (name,) in rows} == names
    unparsed = study.ask("SELECT max(p_unparsed) FROM predictions JOIN cells USING (cell_id) WHERE model = 'finbert'")
    assert unparsed == [(0.0,)]
    [(settings,)] = study.ask(f"SELECT settings FROM leaderboard WHERE cell_id = '{encoder_cell(study)}' LIMIT 1")
    assert "prompt" not in settings
    assert "lora" not in settings


def test_the_warehouse_has_the_kind_of_a_model_and_the_training_of_a_fine_tune(study: Study) -> None:
    cells = "kind, kind_of_model, training_id IS NOT NULL, count(*), count(DISTINCT training_id)"
    assert study.ask(f"SELECT {cells} FROM cells GROUP BY ALL ORDER BY ALL") == [
        ("base", "causal", False, 1, 0),
        ("base", "encoder", False, 1, 0),
        ("baseline", None, False, 1, 0),
        ("fine-tuned", "causal", True, 2, 2),
        ("fine-tuned", "encoder", True, 1, 1),
    ]


def test_an_encoder_may_be_promoted_while_its_base_model_is_out_of_reach(study: Study) -> None:
    cell = encoder_cell(study)
    [(folder,)] = study.ask(f"SELECT base_folder FROM cells WHERE cell_id = '{cell}'")
    unmounted = Path(folder).rename(f"{folder} unmounted")
    try:
        assert propose(cell, "for the test", "tester").decision.cell_id == cell
    finally:
        unmounted.rename(folder)


def test_the_gate_judges_an_encoder_and_it_scores_as_champion(study: Study, tmp_path: Path) -> None:
    cell = encoder_cell(study)
    [(judged,)] = study.ask("SELECT count(*) FROM champions")
    assert judged == 1
    carry_out(propose(cell, "for the test", "tester"))
    source = tmp_path / "new.txt"
    source.write_text("Profit rose sharply\nSales fell by half\n", encoding="utf-8")
    settings = ScoreSettings(source=str(source))
    chosen = choose_model(settings)
    assert chosen.model.card.cell_id == cell
    score_source(settings, chosen)
    assert study.ask("SELECT count(*), max(p_unparsed) FROM scores") == [(2, 0.0)]


def test_an_exported_encoder_is_a_pipeline_that_answers_as_the_ledger_records(study: Study, tmp_path: Path) -> None:
    cell = encoder_cell(study)
    lines = dict(export_cell(cell, tmp_path / "model", merge=False))
    assert lines["checked"].startswith(
        "Loaded back from these files, it answers 64 test headlines as the ledger records"
    )
    rows = study.ask(
        "SELECT text, p_negative, p_neutral, p_positive FROM predictions JOIN headlines USING (headline_id)"
        f" WHERE cell_id = '{cell}' AND part = 'test' AND temperature = 1 ORDER BY headline_id LIMIT 64"
    )
    with quiet_libraries():
        classify = pipeline("text-classification", model=str(tmp_path / "model"), top_k=None, truncation=True)
    for (_, *expected), answers in zip(rows, classify([row[0] for row in rows]), strict=True):
        found = {answer["label"]: answer["score"] for answer in answers}
        np.testing.assert_allclose([found[name] for name in ("negative", "neutral", "positive")], expected, atol=1e-5)
    assert len(rows) == 64
    card = (tmp_path / "model" / "README.md").read_text()
    assert 'pipeline_tag: "text-classification"' in card
    assert 'classify = pipeline("text-classification", model="FOLDER", top_k=None, truncation=True)' in card
    assert "[HEADLINE]" not in card
