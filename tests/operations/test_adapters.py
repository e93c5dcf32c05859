"""A cell answers only with the adapter that it trained: another in its place is never loaded."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from embedded.paths import MODEL_FOLDER
from learning.models.adapter_files import AdapterError, check_adapter
from learning.prompt.not_finite import NotFiniteError
from operations.answers import choose_model, score_source
from operations.export import export_cell
from operations.judged import NotJudgedError
from operations.models import NoModelError
from operations.promotion import propose
from operations.withdrawal import withdraw_answers
from schemas.errors import InputError
from schemas.evaluation import PromotionSettings
from schemas.plan import StudyPlan
from schemas.score import ScoreSettings
from storage.unfit import WarehouseReadOnlyError
from storage.warehouse import writing
from tests.asking import ask

pytestmark = pytest.mark.usefixtures("lasting_worker")

COMMIT = "0123456789abcdef" * 2 + "01234567"
DOUBTFUL = (
    "SELECT cell_id, count(*) FROM scores JOIN cells USING (cell_id)"
    " WHERE scores.adapter_hash IS DISTINCT FROM cells.adapter_hash GROUP BY ALL"
)
"""The query of docs/your-model.md."""


@pytest.fixture
def home(trained: tuple[Path, str, StudyPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home with the trained cell, and two headlines in the working folder."""
    shutil.copytree(trained[0], tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"headline": ["Profit rose .", "Sales fell ."]}).to_csv("news.csv", index=False)
    return tmp_path / "home"


def execute(home: Path, sql: str) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(sql)


def score(cell: str) -> Any:
    settings = ScoreSettings(source="news.csv", model=cell)
    return score_source(settings, choose_model(settings))


def change_weights(adapter: Path, value: float) -> None:
    """Another adapter of the same form, as that of another cell would be."""
    held = load_file(adapter / "adapter_model.safetensors")
    changed = {name: torch.full_like(tensor, value) if "lora_B" in name else tensor for name, tensor in held.items()}
    save_file(changed, adapter / "adapter_model.safetensors", {"format": "pt"})


def record(home: Path, cell: str, adapter_hash: str | None) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE cells SET adapter_hash = ? WHERE cell_id = ?", [adapter_hash, cell])


def test_the_hash_of_an_adapter_is_kept_when_it_is_trained(home: Path, trained: Any) -> None:
    adapter = home / "adapters" / trained[1]
    assert ask(home, "SELECT adapter_hash FROM cells WHERE kind = 'fine-tuned'") == [(check_adapter(adapter),)]
    assert ask(home, "SELECT count(*) FROM cells WHERE kind <> 'fine-tuned' AND adapter_hash IS NOT NULL") == [(0,)]


def test_a_swapped_adapter_neither_scores_nor_is_exported_nor_becomes_champion(home: Path, trained: Any) -> None:
    change_weights(home / "adapters" / trained[1], 0.5)
    calls = (
        lambda: score(trained[1]),
        lambda: export_cell(trained[1], Path("out"), merge=False),
        lambda: export_cell(trained[1], Path("out"), merge=True),
        lambda: propose(trained[1], "why not", "me"),
    )
    for call in calls:
        with pytest.raises(AdapterError, match="its files are not those that were trained"):
            call()
    assert ask(home, "SELECT count(*) FROM scorings") == ask(home, "SELECT count(*) FROM ledger.scores") == [(0,)]
    assert not Path("out").exists()


def test_an_adapter_that_changes_while_it_scores_gives_no_answer(home: Path, trained: Any) -> None:
    settings = ScoreSettings(source="news.csv", model=trained[1])
    chosen = choose_model(settings)
    change_weights(home / "adapters" / trained[1], 0.5)
    with pytest.raises(AdapterError, match="its files are not those that were trained"):
        score_source(settings, chosen)
    assert ask(home, "SELECT count(*) FROM ledger.scores") == [(0,)]


def test_an_older_cell_keeps_its_adapter_if_it_answers_as_the_ledger_records(home: Path, trained: Any) -> None:
    adapter, cell = home / "adapters" / trained[1], trained[1]
    record(home, cell, None)
    assert score(cell).counts.headlines_scored == 2
    assert ask(home, "SELECT adapter_hash FROM cells WHERE kind = 'fine-tuned'") == [(check_adapter(adapter),)]
    change_weights(adapter, 0.5)
    with pytest.raises(AdapterError, match="its files are not those that were trained"):
        score(cell)


def test_an_older_cell_whose_adapter_was_swapped_before_is_refused_by_the_ledger(home: Path, trained: Any) -> None:
    record(home, trained[1], None)
    change_weights(home / "adapters" / trained[1], 0.5)
    for call in (lambda: score(trained[1]), lambda: export_cell(trained[1], Path("out"), merge=False)):
        with pytest.raises(
            AdapterError, match=rf"it is not the model that the ledger knows as cell {trained[1]} \(a pro"
        ):
            call()
    assert ask(home, "SELECT adapter_hash FROM cells WHERE kind = 'fine-tuned'") == [(None,)]


def test_a_cell_whose_base_model_is_another_one_by_now_neither_scores_nor_is_exported(
    home: Path, trained: Any, tiny_folder: Path
) -> None:
    execute(home, "UPDATE cells SET base_revision = 'earlier' WHERE kind = 'fine-tuned'")
    for call in (lambda: score(trained[1]), lambda: export_cell(trained[1], Path("out"), merge=False)):
        with pytest.raises(NoModelError, match=rf"{tiny_folder} holds \w+, the cell was trained on earlier"):
            call()
    assert not Path("out").exists()


def test_a_base_model_is_found_where_its_cell_was_trained_and_the_embedded_one_where_it_is_installed(
    home: Path, trained: Any, tiny_folder: Path
) -> None:
    settings = ScoreSettings(source="news.csv", model=trained[1])
    named = '{{"base_model": {{"name": "{}"}}}}'
    name = f"UPDATE cells SET hyperparameters = json_merge_patch(hyperparameters, '{named}')"
    execute(home, "UPDATE cells SET base_folder = NULL")  # as older versions left it
    assert choose_model(settings).model.base.folder == tiny_folder
    execute(home, f"UPDATE cells SET base_folder = '{tiny_folder}'")
    execute(home, name.format("models/tiny"))  # a path in the working folder of then
    assert choose_model(settings).model.base.folder == tiny_folder
    execute(home, name.format("embedded"))
    with pytest.raises(NoModelError, match=f"{MODEL_FOLDER} holds"):
        choose_model(settings)


def test_a_model_of_the_hub_is_found_where_its_home_is_now(
    home: Path, trained: Any, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    place, commit = f"models/models--org--tiny/snapshots/{COMMIT}", {"base_model": {"name": "org/tiny"}}
    shutil.copytree(tiny_folder, home / place)
    settings = f"json_merge_patch(hyperparameters, '{json.dumps(commit)}')"
    execute(
        home,
        f"UPDATE cells SET base_folder = '/of/another/home/{place}', base_revision = '{COMMIT}', model = 'org/tiny', "
        f"hyperparameters = {settings}",
    )
    assert choose_model(ScoreSettings(source="news.csv", model=trained[1])).model.base.folder == home / place
    export_cell(trained[1], home.parent / "model", merge=False)
    config = json.loads((home.parent / "model" / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/tiny", COMMIT)
    shutil.move(home / "models", home / "elsewhere")
    with pytest.raises(InputError, match="base model org/tiny: "):
        choose_model(ScoreSettings(source="news.csv", model=trained[1]))


def test_the_adapter_of_an_older_version_answers_in_a_home_that_may_not_be_written(
    home: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise WarehouseReadOnlyError("may not be written")

    execute(home, "UPDATE cells SET adapter_hash = NULL")
    monkeypatch.setattr("storage.cell_progress.save_adapter_hash", refuse)
    assert choose_model(ScoreSettings(source="news.csv", model=trained[1])).model.fine_tune.files_hash
    assert ask(home, "SELECT count(adapter_hash) FROM cells") == [(0,)]


def test_a_cell_of_a_study_from_before_the_gate_answers(home: Path, trained: Any) -> None:
    execute(home, """UPDATE studies SET config = json_merge_patch(config, '{"promotion": null}')""")
    model = choose_model(ScoreSettings(source="news.csv", model=trained[1])).model
    assert model.max_unparsed_rate == PromotionSettings().max_unparsed_rate


def test_the_adapter_of_a_cell_that_failed_does_not_score(home: Path, trained: Any) -> None:
    execute(home, "UPDATE cells SET status = 'failed' WHERE kind = 'fine-tuned'")
    with pytest.raises(NoModelError, match=f"cell {trained[1]} is failed and has no adapter in "):
        score(trained[1])


def test_a_cell_without_evaluations_does_not_score_and_its_export_says_that_it_is_unchecked(
    home: Path, trained: Any
) -> None:
    execute(home, "DELETE FROM evaluations")
    with pytest.raises(NotJudgedError, match="was not judged on test, it is finished; run its study"):
        score(trained[1])
    unchecked = "The cell has no evaluation, so the files could not be compared with the ledger."
    assert dict(export_cell(trained[1], Path("out"), merge=False))["checked"] == unchecked
    assert unchecked in Path("out/README.md").read_text()


def test_logits_that_are_no_numbers_are_never_an_answer(home: Path, trained: Any) -> None:
    adapter = home / "adapters" / trained[1]
    change_weights(adapter, float("nan"))
    record(home, trained[1], check_adapter(adapter))
    with pytest.raises(NotFiniteError) as caught:
        score(trained[1])
    assert str(caught.value).startswith(f"cell {trained[1]}: its logits are NaN or infinite, which is no answer; ")
    with pytest.raises(NotFiniteError):
        export_cell(trained[1], Path("out"), merge=False)
    assert ask(home, "SELECT count(*) FROM ledger.scores") == [(0,)]


def test_answers_of_another_adapter_are_found_withdrawn_and_replaced(home: Path, trained: Any) -> None:
    cell = trained[1]
    first = score(cell)
    answers = ask(home, "SELECT text, label, p_positive FROM scores ORDER BY row_number")
    assert ask(home, DOUBTFUL) == []
    execute(home, "UPDATE ledger.scores SET adapter_hash = 'another', p_positive = 0.25")
    execute(
        home, "UPDATE ledger.scores SET adapter_hash = NULL WHERE text = 'Sales fell .'"
    )  # as older versions left it
    assert ask(home, DOUBTFUL) == [(cell, 2)]
    lines = dict(withdraw_answers(cell[:6]))
    assert lines["withdrawn"].startswith("2 answers that this adapter is not known to have given;")
    assert ask(home, "SELECT count(*) FROM ledger.scores") == ask(home, "SELECT count(*) FROM scores") == [(0,)]
    assert ask(home, "SELECT finished_at FROM scorings") == [(None,)]
    again = score(cell)
    assert (again.scoring_id, again.counts.headlines_scored) == (first.scoring_id, 2)
    assert ask(home, "SELECT text, label, p_positive FROM scores ORDER BY row_number") == answers
    assert dict(withdraw_answers(cell))["withdrawn"].startswith("nothing: ")
    assert ask(home, "SELECT count(*) FROM scores") == [(2,)]


def test_answers_of_another_adapter_are_not_reused(home: Path, trained: Any) -> None:
    score(trained[1])
    execute(home, "UPDATE ledger.scores SET adapter_hash = 'another', p_positive = 0.25 WHERE text = 'Profit rose .'")
    execute(home, "UPDATE ledger.scores SET adapter_hash = NULL WHERE text = 'Sales fell .'")
    again = score(trained[1])
    assert (again.counts.headlines_scored, again.counts.headlines_known) == (2, 0)
    assert ask(home, "SELECT count(*) FROM ledger.scores WHERE p_positive = 0.25") == [(0,)]


def test_exported_files_are_as_readable_as_other_files(home: Path, trained: Any, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    mode = (tmp_path / "plain").stat().st_mode
    for merge in (False, True):
        output = tmp_path / f"out-{merge}"
        export_cell(trained[1], output, merge=merge)
        assert {file.stat().st_mode for file in output.iterdir()} == {mode}
