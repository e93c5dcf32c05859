"""A base model that cannot be fine-tuned is refused before anything trains, by its files or by a probe of the model."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken
from tokenizers.processors import TemplateProcessing

import learning.models.base_model
from learning.kinds.resolution import check_weights, resolve_base_model
from learning.models.base_model import check_model_folder, load_tokenizer
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.scoring.probe import probe_base
from learning.training.recipe import Recipe
from learning.worker.jobs import BaseSpec, CheckingJob
from learning.worker.process import Worker
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.errors import InputError
from tests.learning.models.families import FAMILIES, UNFIT, write_family

TRAINING = TrainingSettings(loss="completion", schedule="constant", learning_rate=1e-3, epochs=1, seed=7)
Spoil = Callable[[Path], None]


@pytest.fixture
def worker(session_worker: Worker) -> Worker:
    return session_worker


def probe(worker: Worker, folder: Path, quantization: str = "nf4") -> None:
    recipe = Recipe(PromptSettings(), LoraSettings(r=4), TRAINING)
    assert worker.run(CheckingJob(BaseSpec(folder, quantization, TRAINING, ""), (), (), recipe), lambda _: None) == 1


def error_of(call: Callable[[], object], folder: Path) -> str:
    """The one line that a user would read, without the name of the model that it begins with."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"base model {folder}: ")
    return message.removeprefix(f"base model {folder}: ")


@pytest.mark.parametrize("family", UNFIT)
def test_a_family_that_does_not_fit_is_refused(family: str, worker: Worker, tmp_path: Path) -> None:
    by_files, by_probe = UNFIT[family][1:]
    model = write_family(family, tmp_path / "model")
    if by_files:
        assert error_of(lambda: check_model_folder(model), model).startswith(by_files)
    else:
        check_model_folder(model)
    assert by_probe in error_of(lambda: probe(worker, model, "none"), model)


@pytest.mark.parametrize("family", [*FAMILIES, "bert as a decoder", "gemma3, for text only"])
def test_a_family_that_fits_is_accepted(family: str, worker: Worker, tmp_path: Path) -> None:
    model = write_family(family, tmp_path / "model")
    check_model_folder(model)
    probe(worker, model)


def config(**values: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        held = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(held | values), encoding="utf-8")

    spoil.__name__ = " ".join(f"{name}={value!r:.30}" for name, value in values.items())
    return spoil


def weights(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        changed = change(load_file(folder / "model.safetensors"))
        save_file(changed, folder / "model.safetensors", {"format": "pt"})

    spoil.__name__ = name
    return spoil


UP = "model.layers.1.mlp.up_proj.weight"


def broken(value: float, dtype: torch.dtype) -> Spoil:
    def change(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        held = {name: tensor.to(dtype) for name, tensor in held.items()}
        held[UP][3, 5] = value
        return held

    return weights(change, f"{value} in {dtype}")


def eight_bits(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return held | {UP: held[UP].to(torch.float8_e4m3fn)}


def whole_numbers(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return held | {UP: (held[UP] * 100).to(torch.int8)}


def four_bits(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return held | {f"{UP}.absmax": torch.zeros(4)}


def truncate(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def add_words(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    tokenizer.add_tokens([f"word{number}" for number in range(400)])
    tokenizer.save_pretrained(folder)


def break_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")


def nest(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000, encoding="utf-8")


ORIGINAL = "give the model's original weights"
FILES: tuple[tuple[Spoil, str], ...] = (
    (config(quantization_config={"quant_method": "gptq"}), f"its weights are quantised already (gptq); {ORIGINAL}"),
    (config(quantization_config={"quant_method": "awq"}), f"its weights are quantised already (awq); {ORIGINAL}"),
    (config(quantization_config={"quant_method": "fp8"}), f"its weights are quantised already (fp8); {ORIGINAL}"),
    (
        config(quantization_config={"load_in_4bit": True}),
        f"its weights are quantised already (bitsandbytes); {ORIGINAL}",
    ),
    (weights(eight_bits, "float8"), f"its weights are quantised already ({UP}, F8_E4M3); {ORIGINAL}"),
    (weights(whole_numbers, "int8"), f"its weights are quantised already ({UP}, I8); {ORIGINAL}"),
    (weights(four_bits, "absmax"), f"its weights are quantised already ({UP}.absmax, F32); {ORIGINAL}"),
    (broken(float("nan"), torch.float32), f"its weights {UP} hold NaN or infinity; get its files again"),
    (broken(float("nan"), torch.bfloat16), f"its weights {UP} hold NaN or infinity; get its files again"),
    (broken(float("-inf"), torch.float16), f"its weights {UP} hold NaN or infinity; get its files again"),
    (truncate, "cannot be loaded (model.safetensors is truncated or damaged: "),
    (add_words, "its tokenizer goes up to token 1935 ('word399'), its embedding has 1536 rows (vocab_size); take the"),
    (break_tokenizer, "its tokenizer cannot be loaded ("),
    (nest, "cannot be loaded (config.json is not a valid JSON file)"),
    (config(vocab_size=10**12), "config.json says vocab_size 1000000000000, its weights allow 1 to 1,536; get its"),
    (config(num_hidden_layers=10**9), "config.json says num_hidden_layers 1000000000, its weights allow 1 to "),
    (config(num_hidden_layers=-2), "config.json says num_hidden_layers -2, its weights allow 1 to "),
    (config(num_attention_heads=0), "config.json says num_attention_heads 0, its weights allow 1 to 1,536; get its"),
    (config(hidden_size="wide"), "config.json says hidden_size 'wide', its weights allow 1 to 1,536; get its files"),
)


def check_files(folder: Path, models: Path) -> None:
    check_weights(resolve_base_model(str(folder), None, models), models)


@pytest.mark.parametrize(("spoil", "message"), FILES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_unfit_model_is_refused_by_its_files(folder: Path, tmp_path: Path, spoil: Spoil, message: str) -> None:
    check_files(folder, tmp_path)
    spoil(folder)
    assert error_of(lambda: check_files(folder, tmp_path), folder).startswith(message)


def test_a_special_token_without_a_row_is_accepted_since_text_is_never_read_as_one(
    folder: Path, worker: Worker
) -> None:
    tokenizer = load_tokenizer(folder)
    more = [AddedToken(f"<special {number}>", special=True) for number in range(400)]
    tokenizer.add_special_tokens({"extra_special_tokens": more, "pad_token": "<special 399>"})
    tokenizer.save_pretrained(folder)
    check_model_folder(folder)
    probe(worker, folder)
    reread = load_tokenizer(folder)
    assert reread.pad_token_id >= 1_536
    assert max(reread("<special 3>", split_special_tokens=True)["input_ids"]) < 1_536


def test_a_token_beyond_the_embedding_is_found_by_the_probe_too(folder: Path, worker: Worker) -> None:
    add_words(folder)
    message = error_of(lambda: probe(worker, folder), folder)
    assert message.startswith("its tokenizer goes up to token 1935 ('word399'), its embedding has 1536 rows")


def test_a_special_token_that_begins_every_text_needs_a_row(folder: Path, worker: Worker) -> None:
    tokenizer = load_tokenizer(folder)
    more = [AddedToken(f"<special-{number}>", special=True) for number in range(400)]
    tokenizer.add_special_tokens({"extra_special_tokens": more})
    first = ("<special-399>", tokenizer.convert_tokens_to_ids("<special-399>"))
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{first[0]} $A", special_tokens=[first])
    tokenizer.save_pretrained(folder)
    message = error_of(lambda: probe(worker, folder), folder)
    assert message.startswith("its tokenizer goes up to token 1935 ('<special-399>'), its embedding has 1536 rows")


def test_a_model_that_fails_at_a_prompt_is_refused_unless_memory_ran_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = LoadedBase(folder, "none", choose_device())
    monkeypatch.setattr(base.model, "forward", lambda **_: 1 / 0)
    assert error_of(lambda: probe_base(base), folder).startswith("LlamaForCausalLM takes no prompt, and is not ")
    monkeypatch.setattr(base.model, "forward", Mock(side_effect=torch.OutOfMemoryError("CUDA out of memory.")))
    with pytest.raises(torch.OutOfMemoryError):
        probe_base(base)


@pytest.mark.parametrize("spoil", [broken(float("nan"), torch.float32), config(rms_norm_eps=float("nan"))])
@pytest.mark.parametrize("quantization", ["nf4", "none"])
def test_a_loaded_model_without_finite_logits_is_refused(
    folder: Path, worker: Worker, spoil: Spoil, quantization: str
) -> None:
    spoil(folder)
    message = error_of(lambda: probe(worker, folder, quantization), folder)
    assert message == "its logits are NaN or infinite in float32; get its files again"


def test_layers_that_cannot_be_quantised_are_reported(worker: Worker, tmp_path: Path) -> None:
    falcon = write_family("falcon", tmp_path / "model")
    message = error_of(lambda: probe(worker, falcon), falcon)
    assert message == ("none of its layers can be quantised (FalconForCausalLM); set base_model.quantization=none")
    probe(worker, falcon, "none")


def test_sizes_that_the_files_cannot_fill_take_no_memory(worker: Worker, tmp_path: Path) -> None:
    opt = write_family("opt, whose positions are learnt", tmp_path / "model")
    probe(worker, opt)
    larger = Path(shutil.copytree(opt, tmp_path / "larger"))
    config(max_position_embeddings=10**12)(larger)
    assert error_of(lambda: probe(worker, larger), larger).startswith("config.json asks for 64,000,000,")


def test_code_that_a_folder_brings_is_named_and_never_run(folder: Path, worker: Worker) -> None:
    config(model_type="mine", auto_map={"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"})(folder)
    (folder / "mine.py").write_text(f"import os; os.mkdir({str(folder / 'ran')!r})", encoding="utf-8")
    assert "asks for code of its own (auto_map), which is never run" in error_of(lambda: probe(worker, folder), folder)
    assert not (folder / "ran").exists()


def test_weights_that_passed_the_check_are_not_read_again(folder: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    found = resolve_base_model(str(folder), None, models)
    check_weights(found, models, seconds=10)
    assert list(models.iterdir()) == []  # a preview keeps nothing
    check_weights(found, models)
    broken(float("nan"), torch.float32)(folder)
    check_weights(found, models)  # its revision, which was computed before the damage, is known
    with pytest.raises(InputError, match="hold NaN or infinity"):
        check_files(folder, models)


def test_a_check_of_weights_ends_at_its_time_limit(folder: Path) -> None:
    broken(float("nan"), torch.float32)(folder)
    found = resolve_base_model(str(folder), None, folder.parent)
    check_weights(found, folder.parent, seconds=0)


def test_the_check_of_the_files_loads_no_torch(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from learning.kinds.resolution import check_weights, resolve_base_model\n"
        f"models = Path({str(folder.parent)!r})\n"
        f"check_weights(resolve_base_model({str(folder)!r}, None, models), models)\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    root = Path(learning.models.base_model.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
