"""An adapter is refused in one line unless it is complete, of the right form, and the one that was trained."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import learning.models.adapter
from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter
from learning.models.adapter_files import AdapterError, check_adapter
from learning.models.base_model import load_model
from learning.models.device import Device
from learning.models.fine_tune import FineTune
from learning.models.loaded_base import LoadedBase
from learning.models.saving import save_fine_tune

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=1_000)
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
Spoil = Callable[[Path], None]


def draw(folder: Path, seed: int, r: int = 4) -> Path:
    """An adapter on the embedded model that changes its answers."""
    drawn = attach_new_adapter(load_model(MODEL_FOLDER, "nf4", CPU), r=r, alpha=16, dropout=0.1, seed=seed)
    for name, weight in drawn.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05, generator=torch.Generator().manual_seed(seed))
    save_fine_tune(drawn, folder)
    return folder


@pytest.fixture(scope="module")
def base() -> LoadedBase:
    return LoadedBase(MODEL_FOLDER, "nf4", CPU)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("drawn") / "c0ffee", seed=1)


@pytest.fixture
def adapter(drawn: Path, tmp_path: Path) -> Path:
    """An adapter that a test may spoil."""
    return Path(shutil.copytree(drawn, tmp_path / "c0ffee"))


def truncate(kept: float) -> Spoil:
    def spoil(folder: Path) -> None:
        whole = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(whole[: int(kept * len(whole))])

    return spoil


def remove(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def pickle_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(Trap(folder)))


class Trap:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder / "loaded"

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.marker),))


def config(**values: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        held = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        (folder / CONFIG).write_text(json.dumps(held | values), encoding="utf-8")

    return spoil


def drop_a_layer(folder: Path) -> None:
    held = {name: value for name, value in load_file(folder / WEIGHTS).items() if ".layers.0." not in name}
    save_file(held, folder / WEIGHTS, {"format": "pt"})


def scramble(folder: Path) -> None:
    (folder / CONFIG).write_text("[" * 100_000, encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncate(0), f"cannot be loaded ({WEIGHTS} is truncated or damaged"),
        (truncate(0.5), f"cannot be loaded ({WEIGHTS} is truncated or damaged"),
        (remove(WEIGHTS), f"{WEIGHTS} is not there, or is no regular file; put the right files back, or remove the"),
        (remove(CONFIG), f"{CONFIG} is not there, or is no regular file"),
        (pipe(WEIGHTS), f"{WEIGHTS} is not there, or is no regular file"),
        (pipe(CONFIG), f"{CONFIG} is not there, or is no regular file"),
        (pickle_weights, f"{WEIGHTS} is not there, or is no regular file"),
        (scramble, f"{CONFIG} cannot be read"),
        (config(r=10**9), f"{CONFIG} says LORA of rank 1000000000, its weights have rank 4"),
        (config(r=2), f"{CONFIG} says LORA of rank 2, its weights have rank 4"),
        (config(peft_type="IA3"), f"{CONFIG} says IA3 of rank 4, its weights have rank 4"),
        (drop_a_layer, "its weights are not those of all linear layers of the base"),
        (config(target_modules=["q_proj"]), "its weights are not those of all linear layers of the base"),
        (config(target_modules=["no_such_layer"]), "cannot be loaded (Target modules {'no_such_layer'} not found"),
    ],
)
def test_a_damaged_adapter_is_reported_in_one_line_even_if_its_hash_is_unknown(
    base: LoadedBase, adapter: Path, spoil: Spoil, message: str
) -> None:
    spoil(adapter)
    with pytest.raises(AdapterError) as caught:
        base.score_with(FineTune(adapter))
    assert str(caught.value).startswith(f"adapter {adapter}: {message}")
    assert len(str(caught.value).splitlines()) == 1
    assert not (adapter / "loaded").exists()


def test_an_adapter_of_another_hash_is_refused_even_if_it_would_load(
    base: LoadedBase, adapter: Path, tmp_path: Path
) -> None:
    known = check_adapter(adapter)
    base.score_with(FineTune(adapter, known))
    for name in (WEIGHTS, CONFIG):
        shutil.copy(draw(tmp_path / "other", seed=2, r=8) / name, adapter)
        with pytest.raises(
            AdapterError, match=rf"its files are not those that were trained .*the recorded one {known}"
        ):
            check_adapter(adapter, known)
    base.release()
    with pytest.raises(AdapterError, match="its files are not those that were trained"):
        base.score_with(FineTune(adapter, known))


def test_after_a_refused_adapter_the_base_is_as_it_was(adapter: Path) -> None:
    base, ids = LoadedBase(MODEL_FOLDER, "nf4", CPU), torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        before = base.score_with(None)(input_ids=ids).logits
        tuned = base.score_with(FineTune(adapter))(input_ids=ids).logits
        drop_a_layer(adapter)
        base.release()
        with pytest.raises(AdapterError):
            base.score_with(FineTune(adapter))
        assert torch.equal(base.score_with(None)(input_ids=ids).logits, before)
    assert not torch.equal(tuned, before)


TRAIN = """
import sys
from pathlib import Path
from embedded.paths import MODEL_FOLDER
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.training.recipe import Recipe
from tests.adapters import train_adapter
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label
settings = TrainingSettings(loss="completion", schedule="constant", learning_rate=1e-3, epochs=1, seed=7)
recipe = Recipe(PromptSettings(), LoraSettings(r=4), settings)
base = LoadedBase(MODEL_FOLDER, "nf4", choose_device())
print(train_adapter(base, ["Profit rose ."] * 8, [Label.POSITIVE] * 8, recipe, Path(sys.argv[1])).adapter_hash)
"""


@pytest.mark.soak
def test_the_same_training_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    """Python orders a set differently in each process."""
    root, hashes = Path(learning.models.adapter.__file__).parents[2], []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", TRAIN, str(tmp_path / seed)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
        hashes.append(done.stdout.split()[-1])
    for name in (WEIGHTS, CONFIG):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert hashes == [check_adapter(tmp_path / "1")] * 2


def test_files_that_were_hashed_before_are_read_again_once_they_have_changed(adapter: Path) -> None:
    recorded, before = check_adapter(adapter), (adapter / WEIGHTS).stat()
    assert check_adapter(adapter, recorded) == recorded
    with (adapter / WEIGHTS).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    os.utime(adapter / WEIGHTS, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(AdapterError, match="are not those that were trained"):
        check_adapter(adapter, recorded)
