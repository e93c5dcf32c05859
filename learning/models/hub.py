"""Hub models: finds or fetches the folder of one commit of ORG/NAME."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import InputError
from schemas.hub_errors import explain_refusal
from schemas.reasons import describe_reason

HUB_FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt", "chat_template.jinja"]
NOT_READ = ["consolidated*.safetensors", "original/*", "onnx/*", "openvino/*"]
"""The same weights in formats that are not read."""
OFFLINE_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Environment variables that stop the client from calling the hub."""


class HubError(InputError):
    """The model cannot be fetched from the hub."""


def check_hub_model(name: str, revision: str | None, models_folder: Path, noun: str = "base model") -> None:
    """Check that a hub model is on this machine or could be fetched, without fetching it.

    Raises:
        HubError: The model does not exist or is gated, or the hub cannot be reached.
    """
    if find_copy(name, revision, models_folder) is None:
        _download(name, revision, models_folder, noun, dry_run=True)


def find_copy(name: str, revision: str | None, models_folder: Path) -> Path | None:
    """The folder of a hub model on this machine, complete or in part; None if there is none."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, cache_dir=models_folder, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def fetch_from_hub(
    name: str,
    revision: str | None,
    models_folder: Path,
    noun: str = "base model",
    only: Sequence[str] = HUB_FILES,
) -> Path:
    """Download the missing files of a hub model and return the folder of its commit.

    Args:
        name: ORG/NAME.
        revision: Commit, branch or tag; the newest commit of the main branch when None.
        models_folder: Where hub models are kept.
        noun: What errors call the model.
        only: Names of files, or patterns.

    Raises:
        HubError: The model does not exist or is gated, or the hub cannot be reached.
    """
    return Path(_download(name, revision, models_folder, noun, dry_run=False, only=only))


def _download(
    name: str,
    revision: str | None,
    models_folder: Path,
    noun: str,
    *,
    dry_run: bool,
    only: Sequence[str] = HUB_FILES,
) -> Any:
    """The result of `snapshot_download`: a folder, or with `dry_run` the files; errors call the model `noun`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        DryRunError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        return snapshot_download(
            name,
            revision=revision,
            cache_dir=models_folder,
            allow_patterns=list(only),
            ignore_patterns=NOT_READ,
            dry_run=dry_run,
        )
    except HFValidationError as error:
        raise HubError(
            f"{noun} {name}: no such folder, nor a name that the hub allows; give `embedded`, a folder, or ORG/NAME"
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, DryRunError) as error:
        raise HubError(f"{noun} {name}: no folder here, and {_explain_no_copy(models_folder)}") from error
    except Exception as error:  # the client passes on whatever its transport raises: a lost connection, a proxy, a disk
        elsewhere = "nor is it a folder here"
        refusal = explain_refusal(error, revision, f"; {elsewhere}") or (
            f"cannot be fetched from the hub ({describe_reason(error)}), {elsewhere}; give a local folder, or try again"
        )
        raise HubError(f"{noun} {name}: {refusal}") from error


def name_offline_switches() -> str:
    """The variables that keep the client of the hub offline, as `A and B`."""
    from huggingface_hub.constants import ENV_VARS_TRUE_VALUES

    switches = [name for name in OFFLINE_SWITCHES if os.environ.get(name, "").upper() in ENV_VARS_TRUE_VALUES]
    return " and ".join(switches) or OFFLINE_SWITCHES[0]


def _explain_no_copy(models_folder: Path) -> str:
    from huggingface_hub import is_offline_mode

    if is_offline_mode():
        switches = name_offline_switches()
        return f"the hub is not called because of {switches}: unset it, or give a folder ({models_folder} has no copy)"
    return f"the hub cannot be reached: give a folder, or try again with a network ({models_folder} has no copy)"


def find_unused(models_folder: Path, used: Collection[str]) -> dict[str, tuple[str, int]]:
    """Hub models on this machine that nothing uses, by the hash of their commit.

    Args:
        models_folder: Where hub models are kept.
        used: Hashes of commits.

    Returns:
        For each commit, ORG/NAME and the bytes that deleting it would free.
    """
    from huggingface_hub import scan_cache_dir

    if not models_folder.is_dir():
        return {}
    found = scan_cache_dir(models_folder)
    return {
        revision.commit_hash: (repository.repo_id, found.delete_revisions(revision.commit_hash).expected_freed_size)
        for repository in sorted(found.repos, key=lambda cached: cached.repo_id)
        for revision in repository.revisions
        if revision.commit_hash not in used
    }


def delete_unused(models_folder: Path, commits: Collection[str]) -> None:
    """Delete these commits of hub models, except files that other commits share."""
    from huggingface_hub import scan_cache_dir

    scan_cache_dir(models_folder).delete_revisions(*commits).execute()
