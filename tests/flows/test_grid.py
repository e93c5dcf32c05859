"""A small study, end to end, of a grid over settings that no code names, with two base models."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from flows.retrain import retrain
from operations.comparison import compare_cells
from operations.export import export_cell
from tests.flows.small_study import Study, run_small_study

SMALL = ("split.method=hashed", "split.train_per_class=6", "split.test_per_class=6", "split.validation_per_class=4")
ONE = ("training.learning_rate=1e-2", "training.epochs=1", "lora.r=2", "decoding.temperatures=1", "baselines.names=")
NAMES = [f"dropout={dropout} model={model} epochs=1" for dropout in ("0", "0.5") for model in ("tiny", "other")]


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path, server: str, lasting_worker: None
) -> Iterator[Study]:
    """Two dropouts on two base models, and an epoch curve."""
    folder = tmp_path_factory.mktemp("grid")
    bases = [Path(shutil.copytree(tiny_folder, folder / name)) for name in ("tiny", "other")]
    weights = load_file(bases[1] / "model.safetensors")
    save_file(
        {name: 1.1 * weight for name, weight in weights.items()}, bases[1] / "model.safetensors", {"format": "pt"}
    )
    grid = ("grid.lora.dropout=0,0.5", f"grid.base_model.name={','.join(map(str, bases))}", "curve_epochs=1,2")
    with run_small_study(folder, [*SMALL, *ONE, *grid]) as study:
        yield study


def test_the_leaderboard_names_cells_by_the_settings_that_vary(study: Study) -> None:
    board = study.ask(
        "SELECT cell_name, model, settings->>'$.lora.dropout', settings->>'$.base_model.name' FROM leaderboard"
        " WHERE part = 'test' AND epochs = 1 OR kind = 'base' AND part = 'test' ORDER BY place"
    )
    assert [row[0] for row in board[:2]] == ["base: tiny", "base: other"]
    assert sorted(row[0] for row in board[2:]) == sorted(NAMES)
    for name, model, dropout, base_model in board[2:]:
        assert name == f"dropout={float(dropout):g} model={model} epochs=1"
        assert Path(base_model).name == model
    assert study.ask("SELECT DISTINCT learning_rate, epochs, seed FROM cells WHERE kind = 'fine-tuned' ORDER BY 2") == [
        (1e-2, 1, 42),
        (1e-2, 2, 42),
    ]


def test_views_and_report_do_not_mix_cells_that_differ_in_other_settings(study: Study) -> None:
    over_seeds = study.ask("SELECT seeds, cell_name FROM leaderboard_over_seeds WHERE part = 'test'")
    assert sorted(over_seeds) == sorted(
        (1, name) for (name,) in study.ask("SELECT DISTINCT cell_name FROM leaderboard WHERE kind = 'fine-tuned'")
    )
    curves = study.ask("SELECT list(epochs ORDER BY epochs) FROM epoch_curve GROUP BY settings ORDER BY ALL")
    assert curves == [([1],), ([1],), ([1],), ([1, 2],)]
    page = study.home / "reports" / study.study_id / "index.html"
    text = page.read_text(encoding="utf-8")
    assert all(name in text for name in (*NAMES, "base: tiny", "base: other"))
    assert 'id="epochs"' in text


def test_a_cell_is_compared_and_exported_by_its_own_base(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINTONE_HOME", str(study.home))
    monkeypatch.chdir(tmp_path)
    [(one,), (two,)] = study.ask(
        "SELECT cell_id FROM leaderboard WHERE epochs = 1 AND part = 'test' AND settings->>'$.lora.dropout' = '0.5'"
    )
    compared = compare_cells(study.home / "warehouse.duckdb", one, two, part="test", temperature=None, most_flips=1)
    assert {compared.cell.model, compared.other.model} == {"tiny", "other"}
    for cell in (one, two):
        lines = dict(export_cell(cell, tmp_path / cell, merge=False))
        assert "checked" in lines
        [(revision,)] = study.ask(f"SELECT base_revision FROM cells WHERE cell_id = '{cell}'")
        assert revision in (tmp_path / cell / "README.md").read_text(encoding="utf-8")


def test_a_second_run_has_nothing_to_do(study: Study) -> None:
    trained = "SELECT cell_id, finished_at FROM cells ORDER BY cell_id"
    before = study.ask(trained)
    assert retrain(study.config) == study.study_id
    assert study.ask(trained) == before
