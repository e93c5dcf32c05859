"""The files of an adapter, checked for completeness, form and hash. Loads no torch."""

import json
import stat
from collections.abc import Sequence
from pathlib import Path

from learning.models.model_files import ModelFiles, ModelFilesError, hash_once
from learning.models.stored_tensors import read_tensors
from schemas.errors import FailureError
from schemas.reasons import describe_reason

ADAPTER_FILES = WEIGHTS, CONFIG = ("adapter_model.safetensors", "adapter_config.json")
AGAIN = "put the right files back, or remove the folder and run its study again"


class AdapterError(FailureError):
    """An adapter is not the one that was trained, or is damaged."""


def not_loadable(folder: Path, error: Exception) -> AdapterError:
    """The error for an adapter that a library fails to load, with the library's reason."""
    return AdapterError(f"adapter {folder}: cannot be loaded ({describe_reason(error)}); {AGAIN}")


def check_adapter(folder: Path, expected: str | None = None) -> str:
    """Check an adapter's files and return their hash.

    Args:
        folder: The adapter's folder.
        expected: The hash that the files must have; any when None.

    Raises:
        AdapterError: A file is absent, not a regular file or damaged; or the files have another form or hash.
    """
    found = check_files(folder, ADAPTER_FILES, expected)
    _check_form(folder)
    return found


def check_files(folder: Path, names: Sequence[str], expected: str | None) -> str:
    """Check that the files of a fine-tune exist and are the trained ones, and return their hash.

    Args:
        folder: The fine-tune's folder.
        names: The files that it must have.
        expected: The hash that they must have; any when None.

    Raises:
        AdapterError: A file is absent or not a regular file, or they have another hash.
    """
    for name in names:
        file = folder / name
        if not file.exists() or not stat.S_ISREG(file.lstat().st_mode):
            raise AdapterError(f"adapter {folder}: {name} is not there, or is no regular file; {AGAIN}")
    found = hash_once(folder, [folder / name for name in sorted(names)])
    if expected is not None and found != expected:
        raise AdapterError(
            f"adapter {folder}: its files are not those that were trained (their hash is {found}, the recorded one "
            f"{expected}); {AGAIN}"
        )
    return found


def tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of an adapter.

    Raises:
        AdapterError: The file is truncated or damaged, or holds no tensor.
    """
    files = ModelFiles("adapter", folder, (folder / WEIGHTS,), (folder / WEIGHTS,), ())
    try:
        return {tensor.name: tensor.shape for tensor in read_tensors(files)}
    except ModelFilesError as error:
        raise AdapterError(str(error)) from error


def _check_form(folder: Path) -> None:
    """Refuse a configuration that is not of LoRA or differs in rank from the weights: peft would trust it.

    The weights of all experts of a layer are one tensor, whose rank is that of the adapter times their number.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind, rank = config["peft_type"], config["r"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AdapterError(f"adapter {folder}: {CONFIG} cannot be read; {AGAIN}") from error
    ranks = {shape[0] for name, shape in tensor_shapes(folder).items() if ".lora_A." in name}
    if kind != "LORA" or not ranks or min(ranks) != rank or any(each % rank for each in ranks):
        raise AdapterError(
            f"adapter {folder}: {CONFIG} says {kind} of rank {rank}, its weights have rank "
            f"{', '.join(map(str, sorted(ranks))) or 'none'}; {AGAIN}"
        )
