"""Errors of the hub and of its libraries as one line each."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import InputError
from schemas.hub_errors import explain_refusal
from schemas.quiet import quiet_loggers
from schemas.reasons import describe_reason

_LIBRARIES = ("datasets", "huggingface_hub", "fsspec", "httpx", "httpx2")
_SCRIPT = "Dataset scripts are no longer supported"
"""How `datasets` begins its refusal, which has no class of its own."""


class HubDatasetError(InputError):
    """A data set cannot be fetched from the hub, or holds nothing that can be read."""


def bad_form(source: str) -> HubDatasetError:
    """The error for a source that begins with `hf:` and names no data set."""
    return HubDatasetError(
        f"source {source!r} names no data set of the hub: write hf:ORG/NAME, hf:ORG/NAME:CONFIG or "
        "hf:ORG/NAME:CONFIG@REVISION"
    )


@contextmanager
def hub_errors(source: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub's client raises in the block into one line.

    Raises:
        HubDatasetError: The data set or its revision does not exist or is not shown, or the hub cannot be reached.
    """
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HFValidationError as error:
        raise bad_form(source) from error
    except Exception as error:  # the client passes on whatever its transport raises: a lost connection, a proxy, a disk
        refusal = explain_refusal(error, revision) or (
            f"cannot be fetched from the hub ({describe_reason(error)}), and this machine has no copy; try again with "
            "a network, or give a file"
        )
        raise HubDatasetError(f"source {source!r} {refusal}") from error


def explain_failure(error: Exception, source: str, commit: str) -> HubDatasetError:
    """The error for what `datasets` raised although the hub answered: the fault is in the data set."""
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DataFilesNotFoundError, DatasetGenerationError

    if str(error).startswith(_SCRIPT):
        return HubDatasetError(
            f"source {source!r} needs a loading script, and code of a data set is never run: give a revision that "
            "holds files, such as @refs/convert/parquet, or download its files and give their folder"
        )
    if isinstance(error, DataFilesNotFoundError | EmptyDatasetError):
        return HubDatasetError(
            f"source {source!r} has no file of a kind that is known at commit {commit}: give another data set"
        )
    cause = error.__cause__ if isinstance(error, DatasetGenerationError) else None
    reason = describe_reason(cause if isinstance(cause, Exception) else error)
    return HubDatasetError(
        f"source {source!r} cannot be read at commit {commit} ({reason}): give another revision as @REVISION, or "
        "download its files and give the sound ones"
    )


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keep the libraries' progress bars, log lines and warnings from the terminal in the block: errors are raised."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled as are_hub_bars_disabled
    from huggingface_hub.utils.tqdm import disable_progress_bars as disable_hub_bars
    from huggingface_hub.utils.tqdm import enable_progress_bars as enable_hub_bars

    shown, hub_shown = not are_progress_bars_disabled(), not are_hub_bars_disabled()
    with quiet_loggers(_LIBRARIES, logging.CRITICAL), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            disable_progress_bars()
            disable_hub_bars()
            yield
        finally:
            if shown:
                enable_progress_bars()
            if hub_shown:
                enable_hub_bars()
