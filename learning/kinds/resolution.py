"""Resolve the name of a base model to a checked folder with a revision. No code from a model is ever run."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from embedded.paths import EMBEDDED, MODEL_FOLDER, RECIPE_FILE
from learning.kinds.registry import find_kind
from learning.models.base_checks import check_numbers
from learning.models.base_model import HUB_NAME, NOUN, BaseModelError, ResolvedModel
from learning.models.hub import fetch_from_hub, find_copy
from learning.models.model_files import ModelFilesError, find_configuration, find_files
from learning.prompt.lengths import Length
from schemas.cell import PromptSettings
from schemas.nearest import did_you_mean_path
from schemas.paths import local_path
from schemas.plan import BaseModelPlan

if TYPE_CHECKING:
    from learning.kinds.kind import ModelKind

FINITE = ".finite"
"""Folder with a file for each revision whose weights were found to be finite; it names the files of the model."""


def resolve_base_model(name: str, revision: str | None, models_folder: Path) -> ResolvedModel:
    """Find the model, and check it as its kind does.

    Args:
        name: `embedded`, a folder, or ORG/NAME on the hub.
        revision: Commit, branch or tag of a hub model; the newest commit of the main branch when None.
        models_folder: Where hub models are kept.

    Raises:
        InputError: There is no such folder, or its files do not fit.
        HubError: It cannot be fetched.
    """
    if name == EMBEDDED:
        return ResolvedModel(name, MODEL_FOLDER, _check_embedded())
    folder = local_path("base model", name)
    if folder.is_dir():
        return ResolvedModel(folder.resolve().name, folder.resolve(), check_folder(folder))
    if folder.exists():
        raise BaseModelError(f"base model {name}: is a file; give the folder that holds config.json and *.safetensors")
    if not HUB_NAME.fullmatch(name):
        hint = did_you_mean_path(name, EMBEDDED)
        raise BaseModelError(
            f"base model {name}: no such folder{hint}; give `{EMBEDDED}`, a folder, or ORG/NAME on the hub"
        )
    copy = _find_checked_copy(name, revision, models_folder)
    if copy is None:
        copy = fetch_from_hub(name, revision, models_folder)
        check_folder(copy)
    return ResolvedModel(name, copy, copy.name)


def _find_checked_copy(name: str, commit: str | None, models_folder: Path) -> Path | None:
    """The copy of a commit that was complete and passed `check_weights` here; None if there is none, or no longer.

    The hub has nothing to add to it. Where it cannot be reached, its client takes 23 s to say so.
    """
    if not commit or Path(commit).name != commit or not (known := models_folder / FINITE / commit).exists():
        return None
    names, copy = known.read_text(encoding="utf-8").splitlines(), find_copy(name, commit, models_folder)
    if copy is None or not names or not all((copy / each).exists() for each in names):
        return None
    check_folder(copy)
    return copy


def _check_embedded() -> str:
    recorded = json.loads(RECIPE_FILE.read_text(encoding="utf-8"))["sha256"]
    files = (file for file in MODEL_FOLDER.iterdir() if file.is_file())
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    wrong = [name for name in sorted({*recorded, *found}) if recorded.get(name) != found.get(name)]
    if wrong:
        raise BaseModelError(
            f"base model {EMBEDDED}: its files are not those that ship ({', '.join(wrong)}); install fintone again"
        )
    return check_folder(MODEL_FOLDER)


def check_folder(folder: Path) -> str:
    """Check the files of a model as its kind does and return their revision: a hash of the files that are read.

    Raises:
        InputError: The files do not fit.
    """
    return find_kind(folder).check_folder(folder)


def local_folder(name: str) -> Path:
    """The folder that a name stands for: that of the shipped model, or the path itself, which need not exist."""
    return MODEL_FOLDER if name == EMBEDDED else local_path("base model", name)


def find_known_kind(name: str, revision: str | None, models_folder: Path) -> "ModelKind | None":
    """The kind of a model if at least its configuration is on this machine; else None.

    Args:
        name: `embedded`, a folder, or ORG/NAME on the hub.
        revision: Commit, branch or tag of a hub model.
        models_folder: Where hub models are kept.
    """
    folder = local_folder(name)
    found = folder if folder.is_dir() else find_copy(name, revision, models_folder)
    return find_kind(found) if found is not None and (found / "config.json").exists() else None


def plan_base(found: ResolvedModel, quantization: Literal["nf4", "none"]) -> BaseModelPlan:
    """The plan of a base model for a study, according to its kind."""
    kind = find_kind(found.folder)
    return BaseModelPlan(
        name=found.name,
        folder=found.folder,
        revision=found.revision,
        quantization=quantization,
        kind_of_model=kind.name,
        training_version=max(kind.training_changes),
        answers_untouched=kind.answers_untouched(found.folder),
    )


def check_weights(found: ResolvedModel, models_folder: Path, seconds: float | None = None) -> None:
    """Check that every weight is a finite number, unless this revision passed before.

    Args:
        found: The model.
        models_folder: Keeps a record of revisions that passed, if the folder exists.
        seconds: Time limit, after which the rest is assumed to be finite and nothing is recorded; no limit when None.

    Raises:
        InputError: A weight is NaN or infinite.
    """
    known = models_folder / FINITE / found.revision
    if not known.exists():
        check_numbers(find_files(NOUN, found.folder), seconds)
    elif known.stat().st_size:  # it is empty where an older version made it
        return
    if seconds is None and models_folder.is_dir():
        names = sorted(file.name for file in found.folder.iterdir() if file.is_file())
        with suppress(OSError):  # in a home that may not be written the next run checks again
            known.parent.mkdir(exist_ok=True)
            known.write_text("\n".join(names), encoding="utf-8")


def find_too_long(
    name: str,
    revision: str | None,
    models_folder: Path,
    headlines: Sequence[str],
    prompt: PromptSettings,
    *,
    fetch: bool,
) -> dict[int, Length]:
    """The headlines that are too long for a model with prompt and label, by index.

    Args:
        name: `embedded`, a folder, or ORG/NAME on the hub.
        revision: Commit, branch or tag of a hub model.
        models_folder: Where hub models are kept.
        headlines: N texts.
        prompt: The prompt around a headline.
        fetch: Whether to fetch a hub model that is absent if a headline may be too long; if not, the result is empty.

    Raises:
        InputError: The model cannot be found or fetched, or not even an empty headline fits.
    """
    folder = local_folder(name)
    if folder.is_dir():
        return find_kind(folder).find_too_long(folder, headlines, prompt, lambda: folder)
    copy = find_copy(name, revision, models_folder)
    if fetch and (copy is None or not (copy / "config.json").exists()):
        copy = fetch_from_hub(name, revision, models_folder, only=["config.json"])
    if copy is None or not (copy / "config.json").exists():
        return {}
    found, complete = copy, partial(_complete_copy, name, revision, models_folder, copy, fetch=fetch)
    return find_kind(found).find_too_long(found, headlines, prompt, complete)


def _complete_copy(name: str, revision: str | None, models_folder: Path, copy: Path, *, fetch: bool) -> Path | None:
    """The folder of a hub model with all its files, fetched if needed; None if they are absent and `fetch` is off."""
    if fetch:
        return fetch_from_hub(name, revision, models_folder)
    try:
        return copy if find_files(NOUN, copy).weights else None
    except ModelFilesError:  # a download that was interrupted
        return None


def check_hub_base(name: str, revision: str | None, models_folder: Path, *, fetch: bool) -> None:
    """Check a hub model by its configuration, before its weights are fetched.

    Args:
        name: ORG/NAME.
        revision: Commit, branch or tag; the newest commit of the main branch when None.
        models_folder: Where hub models are stored.
        fetch: Whether to fetch the configuration if it is absent; if not, such a model is not checked.

    Raises:
        HubError: It cannot be fetched.
        InputError: It does not fit.
    """
    if fetch:
        folder: Path | None = fetch_from_hub(name, revision, models_folder, only=["config.json"])
    else:
        folder = find_copy(name, revision, models_folder)
    if folder is not None and (folder / "config.json").exists():
        find_kind(folder).check_config(find_configuration(NOUN, folder))
