"""Sentence encoders: load a folder or a hub model in sentence-transformers' format, and embed texts.

Safetensors only, and an encoder's code is never run. The library is an optional extra and is loaded only if a
study names an encoder.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.models.base_checks import check_names, check_numbers
from learning.models.base_model import HUB_NAME, ResolvedModel
from learning.models.hub import check_hub_model, fetch_from_hub
from learning.models.model_files import AGAIN, PICKLES, ModelFiles, find_files, handed_over
from learning.models.quiet import quiet_libraries
from learning.models.stored_tensors import read_tensors
from schemas.errors import InputError
from schemas.nearest import did_you_mean_path
from schemas.paths import local_path
from schemas.reasons import first_line

NOUN = "embedding model"
BATCH = 64
"""Headlines per forward pass."""
LONGEST_LOOK = 10.0
"""Time limit in seconds for checking weights in the files; the loaded encoder is checked again."""


class EmbeddingModelError(InputError):
    """The encoder cannot be fetched, or its files do not fit."""


def check_embedding_model(name: str, models_folder: Path) -> None:
    """Check that an encoder is on this machine or could be fetched, without fetching it.

    Raises:
        EmbeddingModelError: There is no such folder, its files are not fit to load, or the extra is not installed.
        HubError: The hub does not have it, or cannot be reached.
    """
    if is_local(name):
        resolve_embedding_model(name, models_folder)
    else:
        check_hub_model(*_split_hub_name(name), models_folder, NOUN)


def resolve_embedding_model(name: str, models_folder: Path) -> ResolvedModel:
    """Find the encoder and check it.

    Args:
        name: A folder, or ORG/NAME on the hub, with @REVISION for a commit other than the newest.
        models_folder: Where hub models are kept.

    Raises:
        EmbeddingModelError: There is no such folder, its files are not fit to load, or the extra is not installed.
        HubError: It cannot be fetched.
    """
    if is_local(name):
        folder = local_path(NOUN, name).resolve()
        files = check_embedding_folder(folder)
        check_numbers(files, LONGEST_LOOK)
        return ResolvedModel(folder.name, folder, files.revision)
    hub_name, revision = _split_hub_name(name)
    folder = fetch_from_hub(hub_name, revision, models_folder, NOUN)
    check_numbers(check_embedding_folder(folder), LONGEST_LOOK)
    return ResolvedModel(hub_name, folder, folder.name)


def check_embedding_folder(folder: Path) -> ModelFiles:
    """Check that the modules are the library's own and their weights safetensors; return the files that may be opened.

    The folder of a module without state may be absent.

    Raises:
        InputError: A module or its weights are something else, there are no modules or no weights, or a file may not be
            opened.
    """
    modules = [folder / path for path in _read_modules(folder)]
    for module in modules:
        pickles = [file.name for pattern in PICKLES for file in module.glob(pattern)]
        if pickles and not any(module.glob("*.safetensors")):
            raise EmbeddingModelError(
                f"{NOUN} {folder}: its weights ({pickles[0]}) are pickles, which can run code when loaded; convert "
                "them to safetensors (`save_pretrained` does)"
            )
    files = find_files(NOUN, folder, [folder, *modules])
    if not files.weights:
        raise EmbeddingModelError(f"{NOUN} {folder}: no *.safetensors; give a folder that holds the weights")
    check_names(files)
    read_tensors(files)
    return files


def load_embedding_model(folder: Path) -> Any:
    """Load the `SentenceTransformer` of a checked folder.

    It is loaded twice: a weight that the files lack would be random and differ between the two.

    Raises:
        InputError: Its files may not be opened, the library cannot read them, or they lack some of its weights.
    """
    files = check_embedding_folder(folder)
    with handed_over(files) as place:
        (encoder, embedding), (_, again) = _load(files, place), _load(files, place)
    if not np.isfinite(embedding).all():
        raise EmbeddingModelError(f"{NOUN} {folder}: its embeddings are NaN or infinite; {AGAIN}")
    if not np.allclose(embedding, again, atol=1e-3):
        raise EmbeddingModelError(f"{NOUN} {folder}: some of its weights are not in its *.safetensors; {AGAIN}")
    return encoder


def embed_texts(encoder: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings of unit length, [N, dimensions]; texts that are too long for the encoder are cut."""
    return np.asarray(
        encoder.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False),
        dtype=np.float32,
    )


def is_local(name: str) -> bool:
    """Whether the name is that of a folder rather than a hub model.

    Raises:
        EmbeddingModelError: It is neither, or the library is not installed.
    """
    if find_spec("sentence_transformers") is None:
        raise EmbeddingModelError(f"{NOUN} {name}: needs sentence-transformers; run pip install 'fintone[embeddings]'")
    path = local_path(NOUN, name)
    if path.is_dir():
        return True
    if path.exists():
        raise EmbeddingModelError(f"{NOUN} {name}: is a file; give the folder that holds modules.json")
    if not _is_hub_name(name.partition("@")[0]):
        hint = did_you_mean_path(name)
        raise EmbeddingModelError(
            f"{NOUN} {name}: no such folder{hint}; give a folder, or ORG/NAME[@REVISION] on the hub"
        )
    return False


def _is_hub_name(name: str) -> bool:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return HUB_NAME.fullmatch(name) is not None


def _split_hub_name(name: str) -> tuple[str, str | None]:
    hub_name, _, revision = name.partition("@")
    return hub_name, revision or None


def _read_modules(folder: Path) -> list[str]:
    """The folder of each module, within the encoder's folder."""
    file = folder / "modules.json"
    if not file.is_file():
        raise EmbeddingModelError(f"{NOUN} {folder}: no modules.json; give a folder in sentence-transformers' format")
    try:
        modules = {str(module["path"]): module["type"] for module in json.loads(file.read_text(encoding="utf-8"))}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise EmbeddingModelError(f"{NOUN} {folder}: its modules.json cannot be read; {AGAIN}") from error
    for path, kind in modules.items():
        if not str(kind).startswith("sentence_transformers."):
            raise EmbeddingModelError(
                f"{NOUN} {folder}: asks for code of its own, {kind}, which is never run; give another"
            )
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise EmbeddingModelError(f"{NOUN} {folder}: its module {path} lies outside the folder; give another")
    return list(modules)


def _load(files: ModelFiles, place: Path) -> tuple[Any, NDArray[np.float32]]:
    """An encoder from the folder of its checked files, and its embedding of a text."""
    from learning.models.device import choose_device

    with quiet_libraries():
        from sentence_transformers import SentenceTransformer

        try:
            encoder = SentenceTransformer(
                str(place),
                device=choose_device().name,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
            return encoder, embed_texts(encoder, ["Profit rose ."])
        except Exception as error:  # each module reads its own files and raises any kind of error
            reason = first_line(error).replace(str(place), str(files.folder))
            raise EmbeddingModelError(f"{NOUN} {files.folder}: cannot be loaded ({reason}); {AGAIN}") from error
