"""Base models: checks a folder, then loads the tokenizer and the weights, quantised or not, from it.

Safetensors only; a model's code is never run.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from learning.models.base_checks import ConfigCheck, check_base, check_causal, check_loadable, check_names
from learning.models.model_files import (
    ADAPTER,
    AGAIN,
    INDEX,
    PICKLES,
    WEIGHTS,
    ModelFiles,
    find_files,
    handed_over,
)
from learning.models.quiet import quiet_libraries
from learning.models.shape_checks import MATCH, OWN_CODE, explain_unread_layers
from learning.models.stored_tensors import read_tensors
from schemas.errors import InputError
from schemas.reasons import first_line

if TYPE_CHECKING:
    from learning.models.device import Device

NOUN = "base model"
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
TOKENIZER_FILES = (
    *("tokenizer.json", "vocab.json", "vocab.txt"),
    *("tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model"),
)
SMALLER = "give a smaller model, or end what else uses the memory"
MOST_TIMES = 8
"""A model may have at most this many times the weights in its files; `load_model` reports missing ones."""
Loaded = TypeVar("Loaded")


class BaseModelError(InputError):
    """The base model cannot be fetched, or its files do not fit."""


@dataclass(frozen=True)
class ResolvedModel:
    """A base model on this machine."""

    name: str
    """Display name: `embedded`, the name of the folder, or ORG/NAME."""
    folder: Path
    revision: str
    """Commit of a hub model; hash of the files of any other."""


def check_model_folder(folder: Path, check_kind: ConfigCheck = check_causal) -> ModelFiles:
    """Check that configuration, tokenizer and safetensors exist and fit, and return the files that may be opened.

    Args:
        folder: The model's folder.
        check_kind: Checks that its configuration is of the right kind.

    Raises:
        InputError: Something is missing or does not fit.
    """
    if not (folder / "config.json").is_file():
        if (folder / ADAPTER).is_file():
            raise BaseModelError(f"base model {folder}: is an adapter; give whole weights, as `fintone export --merge`")
        raise BaseModelError(f"base model {folder}: no config.json; give a folder in Hugging Face's format")
    files = find_files(NOUN, folder)
    if not files.weights:
        raise BaseModelError(f"base model {folder}: {_explain_no_weights(folder)}")
    if not any(folder / file in files.opened for file in TOKENIZER_FILES):
        raise BaseModelError(f"base model {folder}: no tokenizer (none of {', '.join(TOKENIZER_FILES)}); add its files")
    check_base(files, check_kind)
    return files


def _explain_no_weights(folder: Path) -> str:
    if any(file for pattern in PICKLES for file in folder.glob(pattern)):
        return (
            "its weights are pickles, which can run code when loaded; convert them to safetensors "
            "(`save_pretrained` does)"
        )
    if any(folder.glob("*.gguf")):
        return "its weights are a GGUF file, which is not read; give the original weights as *.safetensors"
    others = sorted(file for file in folder.glob("*.safetensors") if file.is_file())
    if others:
        return f"neither {WEIGHTS} nor {INDEX}, but {others[0].name}; give it the name that transformers looks for"
    return "no *.safetensors; give a folder that holds the weights"


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer of a checked folder.

    Raises:
        InputError: Its files may not be opened, or transformers cannot read them.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    files = find_files(NOUN, folder)
    check_names(files)
    with handed_over(files) as place:
        try:
            with quiet_libraries():
                tokenizer = AutoTokenizer.from_pretrained(str(place), trust_remote_code=False)
        except Exception as error:  # tokenizers raises the bare class for a file that it cannot read
            reason = first_line(error).replace(str(place), str(folder))
            raise BaseModelError(f"base model {folder}: its tokenizer cannot be loaded ({reason}); {AGAIN}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        kind = type(tokenizer).__name__
        raise BaseModelError(f"base model {folder}: its tokenizer is a {kind}, which is not used; {AGAIN}")
    if not tokenizer.get_vocab().keys() - {*tokenizer.all_special_tokens}:  # transformers found none of its files
        kind = type(tokenizer).__name__
        raise BaseModelError(f"base model {folder}: its tokenizer, a {kind}, has no tokens; {AGAIN}")
    tokenizer.name_or_path = str(folder)
    return tokenizer


def load_model(folder: Path, quantization: str, device: "Device") -> Any:
    """Load the causal language model of a checked folder in evaluation mode, all its weights frozen.

    Args:
        folder: A folder that `check_model_folder` passes.
        quantization: `nf4` for 4-bit NormalFloat linear layers (Dettmers et al. 2023), or `none`.
        device: The device of the weights, and its arithmetic.

    Raises:
        InputError: Its files may not be opened, transformers cannot read them, or they lack some of its weights.
    """
    from transformers import AutoModelForCausalLM

    def load(place: Path) -> Any:
        check_size_built(files, place, AutoModelForCausalLM)
        return _load(place, quantization, device)

    files = find_files(NOUN, folder)
    model, report = load_files(files, load)
    check_all_weights_read(folder, report, model.config, lambda _: False)
    _check_quantised(model, folder, quantization)
    model.config.name_or_path = model.name_or_path = str(folder)
    return model.requires_grad_(requires_grad=False).eval()


def load_files(files: ModelFiles, load: Callable[[Path], Loaded]) -> Loaded:
    """Let transformers load a model from the files that may be opened, and convert its errors into ours.

    Args:
        files: The model's files.
        load: Loads it from the folder that it receives.

    Raises:
        InputError: The files may not be opened, or transformers cannot read them.
    """
    from learning.models.device import is_out_of_memory

    if not files.weights:
        raise files.refuse(_explain_no_weights(files.folder))
    check_loadable(files)
    with handed_over(files) as place:
        try:
            with quiet_libraries():
                return load(place)
        except InputError:
            raise
        except Exception as error:  # each family reads its configuration in its own way
            if is_out_of_memory(error):
                raise files.refuse(f"does not fit into memory ({first_line(error)}); {SMALLER}") from error
            if "trust_remote_code" in str(error):
                raise files.refuse(OWN_CODE) from error
            reason = first_line(error).replace(str(place), str(files.folder))
            raise files.refuse(f"cannot be loaded ({reason}); {AGAIN}") from error


def _load(place: Path, quantization: str, device: "Device") -> Any:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four_bit = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=device.dtype)
    model, report = AutoModelForCausalLM.from_pretrained(
        str(place),
        dtype=device.dtype,
        device_map={"": device.name},
        quantization_config=four_bit if quantization == "nf4" else None,
        attn_implementation=device.attention,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    keep_full_precision_products(model)
    return model, report


def check_size_built(files: ModelFiles, place: Path, build: Any) -> None:
    """Refuse a configuration with far more weights than the files hold, before memory is allocated for them.

    Args:
        files: The model's files.
        place: The folder that libraries load from.
        build: The class of transformers that builds it, such as `AutoModelForCausalLM`.

    Raises:
        ModelFilesError: It has too many weights.
    """
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(str(place), trust_remote_code=False, local_files_only=True)
    with torch.device("meta"):
        built = build.from_config(config, trust_remote_code=False).num_parameters()
    held = sum(tensor.elements for tensor in read_tensors(files))
    if built > MOST_TIMES * held:
        raise files.refuse(f"config.json asks for {built:,} weights, its *.safetensors hold {held:,}; {AGAIN}")


def check_all_weights_read(folder: Path, report: dict[str, Any], config: Any, drawn: Callable[[str], bool]) -> None:
    """Refuse a model in which transformers has replaced missing weights by random ones, or left out whole layers.

    Args:
        folder: The model's folder.
        report: What transformers says of the names and shapes of the weights.
        config: The configuration of the loaded model.
        drawn: Whether a weight, by its name, may be random: that of a new head.

    Raises:
        BaseModelError: Weights are missing, or layers left out.
    """
    shapes = {name: shapes for name, *shapes in report["mismatched_keys"]}
    absent = sorted(name for name in {*report["missing_keys"], *shapes} if not drawn(name))
    if absent:
        held = f" (there {list(shapes[absent[0]][0])}, not {list(shapes[absent[0]][1])})" if absent[0] in shapes else ""
        raise BaseModelError(
            f"base model {folder}: {len(absent)} of the weights that its config.json asks for, {absent[0]} among them, "
            f"are not in its *.safetensors in that shape{held}; {MATCH}"
        )
    unread = explain_unread_layers(report["unexpected_keys"], config)
    if unread:
        raise BaseModelError(f"base model {folder}: {unread}")


def _check_quantised(model: Any, folder: Path, quantization: str) -> None:
    """Refuse a family in which bitsandbytes silently quantises no layer."""
    from bitsandbytes.nn import Linear4bit

    if quantization == "nf4" and not any(isinstance(layer, Linear4bit) for layer in model.modules()):
        raise BaseModelError(
            f"base model {folder}: none of its layers can be quantised ({type(model).__name__}); set "
            "base_model.quantization=none"
        )


def keep_full_precision_products(model: Any) -> None:
    """Stop bitsandbytes from switching to bfloat16 products when it scores on a CPU with such instructions.

    It would repack the weights with scales rounded to bfloat16: the scoring model would differ from the trained one.
    """
    from bitsandbytes.nn import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False
