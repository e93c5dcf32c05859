"""Studies with an unfit base model, a fine-tune without finite logits, or an adapter that was damaged."""

import csv
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from embedded.grammar import generate_headline
from flows.retrain import retrain
from learning.models.adapter_files import check_adapter
from operations.models import NoModelError, load_model
from operations.show import show
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.evaluation import PromotionSettings
from schemas.profiles import build_config, load_profile
from storage.cells import load_cell
from storage.home import Home
from tasks import evaluation
from tests.asking import ask
from tests.learning.models.families import write_family
from tests.server_record import ServerRecord

pytestmark = pytest.mark.usefixtures("server", "lasting_worker", "few_charts")


def configure(folder: Path, base: Path, *rates: float) -> StudyConfig:
    random = Random(5)
    rows = [generate_headline(random) for _ in range(150)]
    with (folder / "headlines.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.sentiment) for row in rows)])
    values = load_profile("demo")
    values["data"] = {"source": str(folder / "headlines.csv")}
    values["split"] = {"method": "hashed", "train_per_class": 10, "test_per_class": 10, "validation_per_class": 5}
    values["base_model"] = {"name": str(base)}
    values["baselines"] = {"names": ["majority class"]}
    values["lora"] = {"r": 4}
    values["grid"] = {"learning_rates": rates, "epochs": [1]}
    values["decoding"] = {"temperatures": [1.0]}
    return build_config(values)


@pytest.mark.soak
def test_a_base_that_only_the_probe_finds_unfit_ends_the_study_before_anything_trains(
    home: Path, tmp_path: Path, recorded: ServerRecord
) -> None:
    base = write_family("the decoder of such a pair", tmp_path / "bart")
    with pytest.raises(InputError, match="BartForCausalLM gives other answers after a shared prefix than without one"):
        retrain(configure(tmp_path, base, 1e-3, 1e-2))
    assert ask(home, "SELECT status FROM studies") == [("failed",)]
    assert ask(home, "SELECT DISTINCT status FROM cells") == [("planned",)]
    names = [run.name for run in recorded.task_runs()]
    assert names.count("check base model bart") == 1
    assert not [name for name in names if name.startswith(("train", "score", "baseline"))]


def test_a_fine_tune_without_finite_logits_has_no_row_and_the_study_finishes_without_it(
    home: Path, tmp_path: Path, tiny_folder: Path
) -> None:
    config = configure(tmp_path, tiny_folder, 1e30, 1e-2)
    study_id = retrain(config)
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    board = ask(home, "SELECT DISTINCT kind, learning_rate FROM leaderboard ORDER BY ALL")
    assert board == [("base", None), ("baseline", None), ("fine-tuned", 1e-2)]
    [(cell_id, status, reason)] = ask(home, "SELECT cell_id, status, reason FROM cells WHERE learning_rate > 1")
    assert status == "diverged"
    assert reason.startswith(f"cell {cell_id}: its logits are NaN or infinite, which is no answer")
    assert ask(home, "SELECT cell_id, is_final FROM missing_cells") == [(cell_id, True)]
    assert "its logits are NaN or infinite" in (home / "reports" / study_id / "index.html").read_text()
    assert ask(home, "SELECT count(*) FROM champions WHERE decided_by = 'gate'") == [(1,)]
    stored = load_cell(home / "warehouse.duckdb", cell_id)
    with pytest.raises(NoModelError, match=r"its logits are NaN or infinite.*; its training diverged, so give another"):
        load_model(Home(home), stored)
    assert not [command for command in show(cell_id).commands if "export" in command or "promote" in command]
    assert retrain(config) == study_id


@pytest.mark.soak
def test_an_adapter_that_is_damaged_before_scoring_fails_its_cell_and_the_next_run_trains_it_again(
    home: Path, tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, find = configure(tmp_path, tiny_folder, 1e-3, 1e-2), evaluation._find_adapter

    def damage_first(cell: Any, position: str) -> Any:
        if cell.settings.training.learning_rate == 1e-3:
            weights = home / "adapters" / cell.cell_id / "adapter_model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1])
        return find(cell, position)

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "_find_adapter", damage_first)
        study_id = retrain(config)
    [(cell_id, reason)] = ask(home, "SELECT cell_id, reason FROM missing_cells")
    assert "adapter_model.safetensors" in reason or "its files are not those that were trained" in reason
    assert ask(home, "SELECT status FROM studies") == [("incomplete",)]
    assert retrain(config) == study_id
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    hashes = ask(home, f"SELECT adapter_hash FROM cells WHERE cell_id = '{cell_id}'")
    assert hashes == [(check_adapter(home / "adapters" / cell_id),)]


@pytest.mark.soak
def test_an_adapter_that_was_removed_is_trained_again_to_the_same_bytes(
    home: Path, tmp_path: Path, tiny_folder: Path
) -> None:
    config = configure(tmp_path, tiny_folder, 1e-2)
    study_id = retrain(config)
    [(cell_id, before)] = ask(home, "SELECT cell_id, adapter_hash FROM cells WHERE kind = 'fine-tuned'")
    board = ask(home, "SELECT part, accuracy FROM leaderboard ORDER BY ALL")
    assert retrain(config) == study_id
    started = ask(home, "SELECT started_at FROM cells WHERE kind = 'fine-tuned'")
    shutil.rmtree(home / "adapters" / cell_id)
    assert retrain(config) == study_id
    assert ask(home, "SELECT started_at FROM cells WHERE kind = 'fine-tuned'") > started
    assert check_adapter(home / "adapters" / cell_id) == before
    assert ask(home, "SELECT part, accuracy FROM leaderboard ORDER BY ALL") == board
    assert ask(home, "SELECT status FROM studies") == [("finished",)]
    assert ask(home, "SELECT count(*) FROM champions WHERE decided_by = 'gate'") == [(1,)]


@pytest.mark.soak
def test_a_champion_whose_adapter_was_swapped_is_compared_by_what_it_answered_and_answers_nothing_new(
    home: Path, tmp_path: Path, tiny_folder: Path
) -> None:
    lenient = PromotionSettings(min_accuracy=0, max_unparsed_rate=1, beat_baseline=False)
    retrain(configure(tmp_path, tiny_folder, 1e-2).model_copy(update={"promotion": lenient}))
    [(champion,)] = ask(home, "SELECT champion_cell_id FROM champions")
    adapter = home / "adapters" / champion
    retrain(configure(tmp_path, tiny_folder, 2e-2).model_copy(update={"promotion": lenient}))
    [(other,)] = ask(home, "SELECT cell_id FROM cells WHERE learning_rate = 2e-2")
    shutil.rmtree(adapter)
    shutil.copytree(home / "adapters" / other, adapter)
    config = configure(tmp_path, tiny_folder, 3e-2).model_copy(update={"promotion": lenient})
    decided = "SELECT decision, reason, champion_cell_id FROM champions ORDER BY decided_at DESC LIMIT 1"
    retrain(config)
    [(decision, reason, stays)] = ask(home, decided)
    assert (decision, stays) == ("kept", champion)
    assert f"does not beat the champion {champion} on 30 headlines" in reason
    retrain(config.model_copy(update={"split": config.split.model_copy(update={"seed": 7})}))
    [(decision, reason, stays)] = ask(home, decided)
    assert (decision, stays) == ("kept", champion)
    assert "its files are not those that were trained" in reason
