"""Hub models: ORG/NAME in, the folder of one commit on this machine out. Knows files; loads no model."""

from pathlib import Path
from typing import Any

from schemas.errors import InputError
from schemas.redaction import redact

HUB_FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "tokenizer.model", "spiece.model", "*.txt"]


class HubError(InputError):
    """The model cannot be had from the hub."""


def check_hub_model(name: str, revision: str | None, models_folder: Path, thing: str = "base model") -> None:
    """Make sure that a hub model lies here or could be fetched, and fetch nothing.

    Raises:
        HubError: The model does not exist or is gated, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot_download(name, revision=revision, cache_dir=models_folder, local_files_only=True)
    except LocalEntryNotFoundError:
        _download(name, revision, models_folder, thing, dry_run=True)


def fetch_from_hub(name: str, revision: str | None, models_folder: Path, thing: str = "base model") -> Path:
    """Download what is missing of a hub model and return the folder of its commit.

    Raises:
        HubError: The model does not exist or is gated, or the hub cannot be reached.
    """
    return Path(_download(name, revision, models_folder, thing, dry_run=False))


def _download(name: str, revision: str | None, models_folder: Path, thing: str, *, dry_run: bool) -> Any:
    """What `snapshot_download` gives: a folder, or with `dry_run` the list of files; errors call it `thing`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return snapshot_download(
            name, revision=revision, cache_dir=models_folder, allow_patterns=HUB_FILES, dry_run=dry_run
        )
    except HFValidationError as error:
        raise HubError(
            f"{thing} {name}: no such folder, nor a name that the hub allows; give `embedded`, a folder, or ORG/NAME"
        ) from error
    except GatedRepoError as error:
        raise HubError(
            f"{thing} {name}: is gated; accept its licence on the hub and set HF_TOKEN to a token that may read it"
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(f"{thing} {name}: not on the hub, or private; check it or set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise HubError(f"{thing} {name}: has no revision {revision}; give a commit, branch or tag") from error
    except LocalEntryNotFoundError as error:
        raise HubError(
            f"{thing} {name}: the hub cannot be reached and {models_folder} has no copy; give a local folder, or "
            "try again with a network"
        ) from error
    except Exception as error:  # the client passes on whatever its transport raises: a lost connection, a proxy, a disk
        reason = redact(next(iter(str(error).splitlines()), type(error).__name__))
        raise HubError(
            f"{thing} {name}: cannot be fetched from the hub ({reason}); give a local folder, or try again"
        ) from error
