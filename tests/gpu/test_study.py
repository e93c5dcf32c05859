"""A study on a GPU by the command line, from headlines to leaderboard, and a cell of it exported as a whole model."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from cli.main import main
from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device, total_memory_bytes
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import encode_prompts
from schemas.cell import PromptSettings
from tests.asking import ask

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).parents[2]
FINTONE = (sys.executable, "-c", "from cli.main import main; main()")
"""The command, which works even if the project is not installed."""
STUDY = (
    *("run", "--learning-rates", "1e-3,5e-2", "--epochs", "1,2"),
    *(
        "--set",
        "split.train_per_class=32",
        "--set",
        "split.test_per_class=20",
        "--set",
        "split.validation_per_class=10",
    ),
)
"""A demo that takes seconds."""
CELLS = 4
SECONDS = 300
SURE = 0.5
"""Two answers whose logits differ by this are never confused by rounding in bfloat16."""


@dataclass(frozen=True)
class Study:
    """A home with a finished study, and how its command ended."""

    home: Path
    ended: "subprocess.CompletedProcess[str]"

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return ask(self.home, sql)


def run_study(home: Path) -> "subprocess.CompletedProcess[str]":
    """Run the study in a separate process, with its own Prefect server."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment |= {"FINTONE_HOME": str(home), "PREFECT_HOME": str(home.with_name("prefect"))}
    return subprocess.run(
        [*FINTONE, *STUDY], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    home = tmp_path_factory.mktemp("study") / "home"
    ended = run_study(home)
    assert ended.returncode == 0, ended.stderr
    return Study(home, ended)


def test_every_model_is_in_the_leaderboard(study: Study) -> None:
    rows = study.ask("SELECT kind, count(DISTINCT cell_id) FROM leaderboard WHERE part = 'test' GROUP BY kind")
    assert dict(rows) == {"fine-tuned": CELLS, "base": 1, "baseline": 3}
    assert study.ask("SELECT DISTINCT status FROM studies") == [("finished",)]
    for words in ("lr=1e-03 epochs=2", "base: embedded"):
        assert words in study.ended.stdout


def test_cells_are_recorded_as_computed_on_the_device_in_its_memory(study: Study) -> None:
    device = choose_device()
    total = total_memory_bytes(device)
    rows = study.ask("SELECT environment, peak_memory_bytes FROM cells WHERE kind = 'fine-tuned'")
    assert len(rows) == CELLS
    for environment, peak in rows:
        recorded = json.loads(str(environment))
        assert (recorded["device"], recorded["optimizer"]) == (device.name, device.optimizer)
        assert getattr(torch, recorded["dtype"]) is device.dtype
        assert recorded["batches"] == "packed"
        assert isinstance(peak, int)
        assert MODEL_FOLDER.joinpath("model.safetensors").stat().st_size / 4 < peak < total


def test_a_second_run_has_nothing_to_do(study: Study) -> None:
    trained = "SELECT cell_id, finished_at FROM cells ORDER BY cell_id"
    before = study.ask(trained)
    ended = run_study(study.home)
    assert ended.returncode == 0, ended.stderr
    [(study_id,)] = study.ask("SELECT study_id FROM studies")
    assert f"nothing new: study {study_id} is finished" in ended.stderr
    assert f"nothing new: study {study_id}" not in study.ended.stderr
    assert study.ask(trained) == before


def test_exported_whole_weights_answer_as_the_cell_does(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compares greedy answers of transformers on every test headline about which the cell is confident."""
    [(cell,)] = study.ask("SELECT cell_id FROM cells WHERE learning_rate = 1e-3 AND epochs = 2")
    monkeypatch.setenv("FINTONE_HOME", str(study.home))
    monkeypatch.setattr(sys, "argv", ["fintone", "export", str(cell), "--output", str(tmp_path / "model"), "--merge"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, capsys.readouterr().err
    with quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype="auto").to(choose_device().name)
    assert model.dtype is choose_device().dtype
    sure = study.ask(
        "SELECT text, argmax FROM predictions JOIN headlines USING (headline_id),"
        " (SELECT list_sort([p_negative, p_neutral, p_positive, p_unparsed], 'DESC') AS p)"
        f" WHERE cell_id = '{cell}' AND part = 'test' AND temperature = 1 AND argmax_parsed"
        f" AND ln(p[1] / p[2]) > {SURE} ORDER BY headline_id"
    )
    assert len(sure) >= 5
    texts, expected = [str(text) for text, _ in sure], [word for _, word in sure]
    with torch.inference_mode():
        answered = [
            tokenizer.decode(model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1].argmax()).strip()
            for ids in encode_prompts(texts, tokenizer, PromptSettings())
        ]
    assert answered == expected
