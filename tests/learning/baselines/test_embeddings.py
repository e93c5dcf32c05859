"""An encoder is found, checked and loaded, or refused in one line with the remedy."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from learning.baselines.embeddings import (
    check_embedding_model,
    embed_texts,
    load_embedding_model,
    resolve_embedding_model,
)
from schemas.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    """An encoder that a test may spoil."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def error_of(call: Callable[[], object], name: object) -> str:
    """The one line that a user would read, without the encoder's name that it begins with."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"embedding model {name}: ")
    return message.removeprefix(f"embedding model {name}: ")


def keep_copy(models: Path, encoder: Path) -> Path:
    """Lay out a copy of the encoder as the hub's own client does."""
    kept = models / "models--org--encoder"
    shutil.copytree(encoder, kept / "snapshots" / COMMIT)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    return kept / "snapshots" / COMMIT


def change_modules(folder: Path, **changes: str) -> None:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    (folder / "modules.json").write_text(json.dumps([modules[0], modules[1] | changes]), encoding="utf-8")


def test_the_revision_of_an_encoder_depends_on_its_files_and_not_on_its_place(
    folder: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    here, there = (resolve_embedding_model(str(it), tmp_path) for it in (folder, tiny_encoder))
    assert (here.name, here.folder) == ("encoder", folder)
    assert here.revision == there.revision


def test_a_module_without_files_may_have_no_folder(folder: Path, tmp_path: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    normalize = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
    modules.append({"idx": 2, "name": "2", **normalize})
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    assert embed_texts(
        load_embedding_model(resolve_embedding_model(str(folder), tmp_path).folder), ["Profit rose ."]
    ).shape == (1, 32)


@pytest.mark.parametrize("file", ["model.safetensors", "modules.json", "1_Pooling/config.json", "tokenizer.json"])
def test_a_changed_file_is_another_revision(folder: Path, tmp_path: Path, file: str) -> None:
    before = resolve_embedding_model(str(folder), tmp_path).revision
    content = (folder / file).read_bytes()
    changed = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:] if file == "model.safetensors" else content + b" "
    (folder / file).write_bytes(changed)
    assert resolve_embedding_model(str(folder), tmp_path).revision != before


def test_embeddings_have_unit_length_and_do_not_depend_on_the_other_texts(tiny_encoder: Path) -> None:
    encoder = load_embedding_model(tiny_encoder)
    texts = ["Profit rose .", "", "Costs " * 500, "Zr\u00fcck\u202e \x00"]
    together = embed_texts(encoder, texts)
    assert together.shape == (4, 32)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    alone = np.vstack([embed_texts(encoder, [text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("revision", ["", "@main", f"@{COMMIT}"])
def test_a_hub_encoder_is_pinned_by_its_commit(
    tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    snapshot = keep_copy(tmp_path, tiny_encoder)
    check_embedding_model(f"org/encoder{revision}", tmp_path)
    found = resolve_embedding_model(f"org/encoder{revision}", tmp_path)
    assert (found.name, found.folder, found.revision) == ("org/encoder", snapshot, COMMIT)


def test_without_a_network_an_encoder_that_is_not_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for call in (resolve_embedding_model, check_embedding_model):
        assert error_of(lambda call=call: call("org/encoder@v2", tmp_path), "org/encoder") == (
            "no folder here, and the hub is not called because of HF_HUB_OFFLINE: unset it, or give a folder "
            f"({tmp_path} has no copy)"
        )


@pytest.mark.parametrize("name", ["nowhere", "/nowhere/at/all", "./nowhere@v1", "a--b/c", "a/b/c"])
def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for call in (check_embedding_model, resolve_embedding_model):
        line = error_of(lambda call=call: call(name, tmp_path), name)
        assert line == "no such folder; give a folder, or ORG/NAME[@REVISION] on the hub"


def test_a_file_is_no_encoder(folder: Path, tmp_path: Path) -> None:
    name = folder / "config.json"
    assert error_of(lambda: resolve_embedding_model(str(name), tmp_path), name).startswith("is a file; give the folder")


def test_without_the_extra_the_error_names_the_remedy(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    line = error_of(lambda: check_embedding_model(str(folder), tmp_path), folder)
    assert line == "needs sentence-transformers; run pip install 'fintone[embeddings]'"


def remove_modules(folder: Path) -> None:
    (folder / "modules.json").unlink()


def break_modules(folder: Path) -> None:
    (folder / "modules.json").write_text('{"0": 1}', encoding="utf-8")


def remove_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickle_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pickle_a_module(folder: Path) -> None:
    (folder / "1_Pooling" / "pytorch_model.bin").write_bytes(b"\x80")


def bring_code(folder: Path) -> None:
    (folder / "mine.py").write_text("raise SystemExit('code of an encoder was run')", encoding="utf-8")
    change_modules(folder, type="mine.Pooling")


def point_outside(folder: Path) -> None:
    change_modules(folder, path="../elsewhere")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_modules, "no modules.json; give a folder in sentence-transformers' format"),
        (break_modules, "its modules.json cannot be read; get its files again"),
        (remove_weights, "no *.safetensors; give a folder that holds the weights"),
        (pickle_weights, "its weights (pytorch_model.bin) are pickles, which can run code when loaded; convert them"),
        (pickle_a_module, "its weights (pytorch_model.bin) are pickles, which can run code when loaded; convert them"),
        (bring_code, "asks for code of its own, mine.Pooling, which is never run; give another"),
        (point_outside, "its module ../elsewhere lies outside the folder; give another"),
    ],
)
def test_an_encoder_that_is_unfit_to_load_is_refused(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    assert error_of(lambda: resolve_embedding_model(str(folder), tmp_path), folder).startswith(message)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "1_Pooling/config.json", "tokenizer.json"])
def test_a_broken_file_is_reported_in_one_line(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"not what it should be")
    line = error_of(lambda: load_embedding_model(folder), folder)
    assert line.startswith("cannot be loaded (")
    assert line.endswith("); get its files again")


def test_code_of_an_encoder_is_not_run_even_without_a_check(folder: Path) -> None:
    bring_code(folder)
    assert error_of(lambda: load_embedding_model(folder), folder).startswith("asks for code of its own, mine.Pooling")


def test_an_encoder_with_weights_that_are_no_numbers_is_refused(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][5, 3] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    line = error_of(lambda: resolve_embedding_model(str(folder), tmp_path), folder)
    assert line == "its weights embeddings.word_embeddings.weight hold NaN or infinity; get its files again"


def test_weights_that_are_not_in_the_files_are_reported(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    lacking = {name: value for name, value in weights.items() if "layer.1" not in name}
    save_file(lacking, folder / "model.safetensors", {"format": "pt"})
    line = error_of(lambda: load_embedding_model(folder), folder)
    assert line == "some of its weights are not in its *.safetensors; get its files again"
