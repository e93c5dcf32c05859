"""Base models: a name in, a checked folder with a revision out; then tokenizer and quantised weights from the folder.

Takes the embedded model, a local folder or a hub repository; safetensors only, and no code from a model is ever run.
Knows nothing of adapters, prompts or studies.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedded.paths import MODEL_FOLDER
from learning.hub import fetch_from_hub
from learning.quiet import quiet_libraries
from schemas.errors import InputError
from schemas.paths import local_path

if TYPE_CHECKING:
    from learning.device import Device

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


class BaseModelError(InputError):
    """The base model cannot be had, or is not what it should be."""


@dataclass(frozen=True)
class ResolvedModel:
    """A base model that lies on this machine."""

    name: str
    """How people see it: `embedded`, the name of the folder, or ORG/NAME."""
    folder: Path
    revision: str
    """Commit of a hub model; hash of the files of any other."""


def resolve_base_model(name: str, revision: str | None, models_folder: Path) -> ResolvedModel:
    """Find the model and check it.

    Args:
        name: `embedded`, a folder, or ORG/NAME on the hub.
        revision: Commit, branch or tag of a hub model; the newest commit of the main branch when None.
        models_folder: Where hub models are kept.

    Raises:
        BaseModelError: There is no such folder, or its files are not fit to load.
        HubError: It cannot be fetched.
    """
    if name == "embedded":
        return ResolvedModel(name, MODEL_FOLDER, _files_hash(MODEL_FOLDER))
    folder = local_path("base model", name)
    if folder.is_dir():
        check_model_folder(folder)
        return ResolvedModel(folder.resolve().name, folder.resolve(), _files_hash(folder))
    if folder.exists():
        raise BaseModelError(f"base model {name}: is a file; give the folder that holds config.json and *.safetensors")
    if not HUB_NAME.fullmatch(name):
        raise BaseModelError(f"base model {name}: no such folder; give `embedded`, a folder, or ORG/NAME on the hub")
    folder = fetch_from_hub(name, revision, models_folder)
    check_model_folder(folder)
    return ResolvedModel(name, folder, folder.name)


def check_model_folder(folder: Path) -> None:
    """Check that configuration, tokenizer and safetensors are there.

    Raises:
        BaseModelError: Something is missing, or the weights are pickles only.
    """
    if not (folder / "config.json").is_file():
        raise BaseModelError(f"base model {folder}: no config.json; give a folder in Hugging Face's format")
    if not any(folder.glob("*.safetensors")):
        if any(file for pattern in PICKLES for file in folder.glob(pattern)):
            raise BaseModelError(
                f"base model {folder}: its weights are pickles, which can run code when loaded; convert them to "
                "safetensors (`save_pretrained` does)"
            )
        raise BaseModelError(f"base model {folder}: no *.safetensors; give a folder that holds the weights")
    if not any((folder / file).is_file() for file in TOKENIZER_FILES):
        raise BaseModelError(f"base model {folder}: no tokenizer (none of {', '.join(TOKENIZER_FILES)}); add its files")


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer of a checked folder.

    Raises:
        BaseModelError: transformers cannot read it.
    """
    from transformers import AutoTokenizer

    try:
        with quiet_libraries():
            return AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    except Exception as error:  # tokenizers raises the bare class for a file that it cannot read
        raise BaseModelError(
            f"base model {folder}: its tokenizer cannot be loaded ({first_line(error)}); get its files anew"
        ) from error


def load_model(folder: Path, quantization: str, device: "Device") -> Any:
    """Load the causal language model of a checked folder in evaluation mode, all its weights frozen.

    Args:
        folder: A folder that `check_model_folder` passes.
        quantization: `nf4` for 4-bit NormalFloat linear layers (Dettmers et al. 2023), or `none`.
        device: Where the weights go and their arithmetic.

    Raises:
        BaseModelError: transformers cannot read it, or the files lack some of its weights.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four_bit = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=device.dtype)
    try:
        with quiet_libraries():
            model, report = AutoModelForCausalLM.from_pretrained(
                str(folder),
                dtype=device.dtype,
                device_map={"": device.name},
                quantization_config=four_bit if quantization == "nf4" else None,
                attn_implementation=device.attention,
                use_safetensors=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
            keep_full_precision_products(model)
    except (OSError, ValueError, KeyError, SafetensorError, StrictDataclassError) as error:
        raise BaseModelError(
            f"base model {folder}: cannot be loaded ({first_line(error)}); get its files anew"
        ) from error
    _check_all_weights_read(folder, report)
    return model.requires_grad_(requires_grad=False).eval()


def _check_all_weights_read(folder: Path, report: dict[str, Any]) -> None:
    """Refuse a model that transformers has filled up with random weights."""
    mismatched = {name for name, *_ in report["mismatched_keys"]}
    absent = sorted({*report["missing_keys"], *mismatched})
    if absent:
        raise BaseModelError(
            f"base model {folder}: {len(absent)} of the weights that its config.json asks for, {absent[0]} among them, "
            "are not in its *.safetensors in that shape; give the folder of a causal language model"
        )


def keep_full_precision_products(model: Any) -> None:
    """Stop bitsandbytes from switching to bfloat16 products when it scores on a CPU that has them.

    It would repack the weights on the way, with scales rounded to bfloat16: the model that scores would not be the one
    that was trained.
    """
    from bitsandbytes.nn import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False


def hash_files(folder: Path, files: Iterable[Path]) -> str:
    """Hash of configuration, tokenizer and weights: 16 hexadecimal characters of SHA-256 over names and bytes.

    Args:
        folder: Names are taken from here on.
        files: Files in it, in an order of their own; those of other kinds are passed over.
    """
    digest = hashlib.sha256()
    for file in files:
        if file.suffix in {".safetensors", ".json", ".model", ".txt"}:
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _files_hash(folder: Path) -> str:
    return hash_files(folder, sorted(folder.iterdir()))


def first_line(error: Exception) -> str:
    """The first line of what a library says; two where the first one ends in a colon."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[: 2 if lines[0].endswith(":") else 1]).rstrip(".")
