"""Data sets of the hub: `hf:ORG/NAME[:CONFIG][@REVISION]` in, the raw rows of one commit out.

The library `datasets` keeps its copies under HF_HOME. The code of a data set is never run.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingestion.cells import is_blank
from ingestion.class_labels import class_word
from ingestion.columns import SAMPLE_ROWS
from ingestion.fields import Fields, find_fields
from ingestion.formats import Content
from ingestion.hub_errors import HubDatasetError, bad_form, explain_failure, hub_errors, quiet_hub
from ingestion.labels import LabelWords
from ingestion.parts import part_of_file
from ingestion.rows import RawRow, give_part
from schemas.source import DataSettings

PREFIX = "hf:"
"""What a source on the hub begins with."""

_FORM = re.compile(r"hf:(?P<name>[\w.-]+/[\w.-]+)(?::(?P<config>[^:/@]+))?(?:@(?P<revision>\S+))?", re.ASCII)
_FIRST_SPLITS = ("train", "validation", "test")
_BATCH_ROWS = 1000
_SHOWN_CONFIGS = 12


@dataclass(frozen=True)
class HubReference:
    """A data set of the hub: ORG/NAME, and the config and the revision where the source names them."""

    name: str
    config: str | None = None
    revision: str | None = None

    def __str__(self) -> str:
        config = "" if self.config is None else f":{self.config}"
        revision = "" if self.revision is None else f"@{self.revision}"
        return f"{PREFIX}{self.name}{config}{revision}"


def parse_reference(source: str) -> HubReference | None:
    """The data set that the source names, or None for a source that is not on the hub.

    Raises:
        HubDatasetError: If it begins with `hf:` and the rest has another form.
    """
    if not source.startswith(PREFIX):
        return None
    form = _FORM.fullmatch(source)
    if form is None:
        raise bad_form(source)
    return HubReference(**form.groupdict())


def resolve_commit(reference: HubReference) -> str:
    """The current commit of the revision, by one call to the hub; without a network, the last one that is known.

    A revision that is a whole commit needs no call.

    Raises:
        HubDatasetError: If the hub lacks it or does not show it, or cannot be reached and has never answered before.
    """
    from huggingface_hub import HfApi

    with quiet_hub(), hub_errors(str(reference), reference.revision):
        resolved = HfApi().resolve_revision(reference.name, repo_type="dataset", revision=reference.revision)
    return str(resolved.resolved)


def read_dataset(reference: HubReference, commit: str, settings: DataSettings) -> Content:
    """Fetch what is missing of a data set and yield the rows of all its splits: train, validation, test, others.

    Args:
        reference: The data set.
        commit: From `resolve_commit`.
        settings: Which columns hold text and label.

    Raises:
        HubDatasetError: If it cannot be fetched, needs a config to be named, has a loading script or a broken file.
        MissingColumnError: If it has no column for the text or none for the label.
    """
    with quiet_hub():
        try:
            splits = _load_splits(reference, commit)
        except HubDatasetError:
            raise
        except Exception as error:  # builders, parsers and transport raise errors without a common base
            _ask_hub(reference, commit)
            raise explain_failure(error, str(reference), commit) from error
    names = splits[0].column_names
    words = LabelWords(settings.label_map)
    fields = find_fields(str(reference), names, _sample_rows(splits[0], words), settings)
    rows = _iter_rows(splits, {place: names[place] for place in fields.taken}, fields, words)
    return Content("hub data set", "utf-8", rows, fields.read, fields.frame.describe())


def _sample_rows(split: Any, words: LabelWords) -> list[list[Any]]:
    """The first rows of a split, with the names of classes; no cell is decoded into an image or a sound."""
    classes = {name: feature.names for name, feature in split.features.items() if hasattr(feature, "names")}
    rows = split.with_format("arrow")[:SAMPLE_ROWS].to_pylist()
    return [
        [class_word(cell, classes[name], words) if name in classes else cell for name, cell in row.items()]
        for row in rows
    ]


def _load_splits(reference: HubReference, commit: str) -> list[Any]:
    """The splits in order, from the hub or from the copy on this machine."""
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(_path(reference), name=reference.config, revision=commit)
    except ValueError:
        _check_config(reference, commit)
        raise
    if builder.hash != commit:  # if the hub fails, the library takes the latest copy, of any commit
        _ask_hub(reference, commit)
        raise HubDatasetError(
            f"source {str(reference)!r} cannot be read at commit {commit}, and the copy on this machine is of commit "
            f"{builder.hash}: give that one as @REVISION"
        )
    builder.download_and_prepare()
    splits = builder.as_dataset()
    first = [name for name in _FIRST_SPLITS if name in splits]
    return [splits[name] for name in [*first, *(name for name in splits if name not in first)]]


def _path(reference: HubReference) -> str:
    """The data set as `datasets` takes it; a bare ORG/NAME would mean a local folder of that name first."""
    return f"hf://datasets/{reference.name}"


def _ask_hub(reference: HubReference, commit: str) -> None:
    """Raise the hub's reason if the hub refuses the data set or cannot be reached."""
    from huggingface_hub import HfApi

    with hub_errors(str(reference), commit):
        HfApi().auth_check(reference.name, repo_type="dataset")
        HfApi().dataset_info(reference.name, revision=commit)


def _check_config(reference: HubReference, commit: str) -> None:
    """Raise an error if the data set lacks the config, or has several and none is named."""
    from datasets import get_dataset_config_names

    names = get_dataset_config_names(_path(reference), revision=commit)
    if reference.config in names or (reference.config is None and len(names) == 1):
        return
    more = f" and {len(names) - _SHOWN_CONFIGS} more" if len(names) > _SHOWN_CONFIGS else ""
    problem = f"has no config {reference.config!r}" if reference.config else "has several configs"
    raise HubDatasetError(
        f"source {str(reference)!r} {problem}, its configs are {names[:_SHOWN_CONFIGS]}{more}: name one as "
        f"{PREFIX}{reference.name}:CONFIG@{reference.revision or 'REVISION'}"
    )


def _iter_rows(splits: list[Any], keys: dict[int, str], fields: Fields, words: LabelWords) -> Iterator[RawRow]:
    """Yield the rows of each split, each with a JSON object as raw row; no cell is decoded into an image or a sound.

    The name of a split, if it is train, validation or test, is the part of its rows, unless a column gives it.

    Args:
        splits: The splits in order.
        keys: The columns that are read, by their places.
        fields: What is read of their cells.
        words: The label words.
    """
    for split in splits:
        part = None if fields.part else part_of_file(str(split.split))
        yield from give_part(_iter_split(split, keys, fields, words), part)


def _iter_split(split: Any, keys: dict[int, str], fields: Fields, words: LabelWords) -> Iterator[RawRow]:
    """Yield the rows of one split; see `_iter_rows`."""
    encoder = json.JSONEncoder(ensure_ascii=False, default=str)
    classes = {place: getattr(split.features[key], "names", None) for place, key in keys.items()}
    for batch in split.with_format("arrow").iter(_BATCH_ROWS):
        for row in batch.to_pylist():
            cells = {place: row[key] for place, key in keys.items()}
            cells |= {place: class_word(cells[place], known, words) for place, known in classes.items() if known}
            if not is_blank(row.values()):
                yield fields.make_row(cells, encoder.encode(row))
