"""The shipped base model is the one that its recipe records, and a shortened build is reproducible."""

import json
import os
import shutil
import sys
from pathlib import Path
from random import Random

import pytest
from safetensors import safe_open

from embedded.headlines import generate_headlines
from embedded.paths import MODEL_FOLDER, RECIPE_FILE
from learning.kinds import resolution
from learning.training import pretrain
from learning.training.pretrain import Recipe, build_base_model, generate_documents, sha256
from schemas.errors import InputError
from schemas.label import LABELS

SHORT = Recipe(
    vocab_size=400, hidden_size=64, intermediate_size=128, layers=1, tokenizer_documents=300, steps=6, lesson_steps=2
)


def test_the_shipped_files_are_those_of_the_recorded_recipe() -> None:
    record = json.loads(RECIPE_FILE.read_text(encoding="utf-8"))
    assert record["recipe"] == json.loads(json.dumps(Recipe().__dict__))
    assert record["sha256"] == {file.name: sha256(file) for file in sorted(MODEL_FOLDER.iterdir())}


def test_a_shipped_file_that_is_damaged_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))
    monkeypatch.setattr(resolution, "MODEL_FOLDER", folder)
    assert resolution.resolve_base_model("embedded", None, tmp_path).name == "embedded"
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-300:] = bytes(300)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "generation_config.json").unlink()
    (folder / "x.txt").touch()
    wrong = r"\(generation_config\.json, model\.safetensors, x\.txt\)"
    with pytest.raises(InputError, match=rf"^base model embedded: its files are not those that ship {wrong}; install"):
        resolution.resolve_base_model("embedded", None, tmp_path)


@pytest.mark.parametrize("folder", [[], ["--folder", os.path.relpath(MODEL_FOLDER)]])
def test_no_other_model_takes_the_place_of_the_shipped_one(
    folder: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", "--steps", "1", *folder])
    with pytest.raises(SystemExit, match="2"):
        pretrain.main()
    assert "--steps 1 makes another model than the shipped one; name its --folder" in capsys.readouterr().err


def test_the_shipped_model_is_small_and_safe() -> None:
    files = list(MODEL_FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files) <= 8_000_000
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    with safe_open(MODEL_FOLDER / "model.safetensors", framework="pt") as tensors:
        count = sum(tensors.get_tensor(name).numel() for name in tensors.keys())  # noqa: SIM118
    assert 2_000_000 <= count <= 4_000_000


def test_a_shortened_build_learns_and_is_reproducible(tmp_path: Path) -> None:
    losses: list[list[float]] = [[], []]
    for name, recorded in zip(("one", "two"), losses, strict=True):
        build_base_model(SHORT, tmp_path / name, lambda _, loss, recorded=recorded: recorded.append(loss))
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]
    assert sha256(tmp_path / "one" / "model.safetensors") == sha256(tmp_path / "two" / "model.safetensors")
    assert sha256(tmp_path / "one" / "tokenizer.json") == sha256(tmp_path / "two" / "tokenizer.json")


def test_the_corpus_has_label_words_only_in_prompts_with_random_labels() -> None:
    documents = generate_documents(Random(1), Recipe(), frozenset())
    answers = {label.value: 0 for label in LABELS}
    for _ in range(6_000):
        text, rest = next(documents)
        if text.startswith("Analyze the sentiment"):
            answers[rest.strip()] += 1
        else:
            assert not any(label in text + rest for label in LABELS), text
    assert sum(answers.values()) > 150
    assert max(answers.values()) < 1.6 * min(answers.values())


def test_no_shipped_headline_is_in_the_corpus() -> None:
    held_out = frozenset(headline.text for headline in generate_headlines())
    documents = generate_documents(Random(2), Recipe(), held_out)
    corpus = "\n".join(next(documents)[0] for _ in range(5_000))
    assert [text for text in held_out if text in corpus] == []
