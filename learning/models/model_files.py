"""The files of a model that libraries may open: found, checked and hashed before a library sees them.

transformers and peft look for files by name and follow their contents: an index may name any path, and an adapter is
loaded with the base. Therefore this module makes the exact list, and a library receives a folder of links to its files.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from embedded.paths import MODEL_FOLDER
from schemas.errors import InputError
from schemas.files import temporary_folder
from schemas.listing import cut

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
HASHED = {".safetensors", ".json", ".model", ".txt"}
"""Kinds of files that define a model; a library receives no other kind."""
CARRIED = ("generation_config.json", "chat_template.jinja")
"""Files that an export copies. Libraries do not receive them: fintone samples with its own settings, without a chat
template."""
ADAPTER = "adapter_config.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
POINTER = b"version https://git-lfs.github.com/spec/"
LARGEST_POINTER = 1_024
"""Most bytes of a pointer of Git LFS; it takes about 130."""
AGAIN = "get its files again"
SETTLED = 100_000_000
"""Nanoseconds after a change in which another change may get the same time: clocks of file systems are coarse."""


class ModelFilesError(InputError):
    """A model has files that may not be opened, or lacks some."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model's folder that may be opened."""

    noun: str
    """What errors call the model, such as `base model`."""
    folder: Path
    weights: tuple[Path, ...]
    """Its safetensors files: the shards of one set, or a single file for each part of the model."""
    opened: tuple[Path, ...]
    """All files that a library receives, including the weights."""
    hashed: tuple[Path, ...]
    """The files that its revision depends on: every file that is opened, and others of the same kinds in the folder."""

    def refuse(self, why: str) -> ModelFilesError:
        """The error with the model's name and the reason."""
        return ModelFilesError(f"{self.noun} {self.folder}: {why}")

    @property
    def revision(self) -> str:
        """Hash of names and bytes: 16 hexadecimal characters of SHA-256. A process reads unchanged files once."""
        return hash_once(self.folder, self.hashed)

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON object among the opened files; an empty one if there is no such file.

        Raises:
            ModelFilesError: The file holds something else.
        """
        file = self.folder / name
        if file not in self.opened:
            return {}
        return _read_object(self, file)


def find_files(noun: str, folder: Path, places: Sequence[Path] | None = None) -> ModelFiles:
    """Find every file of a model that may be opened, and check that each is a regular file of the folder.

    Args:
        noun: What errors call the model, such as `base model`.
        folder: The model's folder.
        places: Its subfolders with parts of the model; the folder itself when None.

    Raises:
        ModelFilesError: A file is a link out of the folder, a pipe, or a pointer of Git LFS; there is an adapter, there
            are two sets of weights, or weights in another format than safetensors.
    """
    places = [folder] if places is None else places
    listed = {file for place in places if place.is_dir() for file in place.iterdir() if _is_hashed(file)}
    found = ModelFiles(noun, folder, (), (), tuple(sorted(listed)))
    for file in sorted(listed):
        _check_file(found, file)
    for place in places:
        if place / ADAPTER in listed:
            raise found.refuse(
                f"there is an adapter in it ({ADAPTER}), which would be loaded with it; move the adapter's files to a "
                "folder of their own"
            )
    weights = {file for place in places for file in _find_weights(found, place)}
    others = {file for file in listed if file.suffix != ".safetensors" and not _is_left_out(file, weights)}
    opened = tuple(sorted(others | weights))
    return ModelFiles(noun, folder, tuple(sorted(weights)), opened, tuple(sorted(listed | weights)))


def find_configuration(noun: str, folder: Path) -> ModelFiles:
    """Find only a model's config.json, for example if its weights are not fetched yet.

    Raises:
        ModelFilesError: It is not a regular file of the folder.
    """
    config = folder / "config.json"
    found = ModelFiles(noun, folder, (), (config,), (config,))
    _check_file(found, config)
    return found


def find_carried(files: ModelFiles) -> list[Path]:
    """The files that are copied with a model but never opened.

    Raises:
        ModelFilesError: One of them is not a regular file of the folder.
    """
    carried = [file for name in CARRIED if (file := files.folder / name).exists()]
    for file in carried:
        _check_file(files, file)
    return carried


@contextmanager
def handed_over(files: ModelFiles) -> Iterator[Path]:
    """A folder for libraries to load from, with a link to each opened file and nothing else."""
    with temporary_folder() as place:
        for file in files.opened:
            link = place / file.relative_to(files.folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.resolve())
        yield place


def hash_once(folder: Path, files: Iterable[Path]) -> str:
    """The same as `hash_files`; a process reads files again only when they have changed."""
    names = tuple(files)
    found = [file.stat() for file in names]
    if time.time_ns() - max((status.st_ctime_ns for status in found), default=0) < SETTLED:
        return hash_files(folder, names)
    stamps = tuple((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns) for status in found)
    return _hash_once(folder, names, stamps)


@cache
def _hash_once(folder: Path, files: tuple[Path, ...], stamps: tuple[Any, ...]) -> str:  # noqa: ARG001 (they are the key)
    return hash_files(folder, files)


def hash_files(folder: Path, files: Iterable[Path]) -> str:
    """Hash of files: 16 hexadecimal characters of SHA-256 over names and bytes.

    Args:
        folder: The folder that names are relative to.
        files: Regular files in it, in any order.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _is_hashed(file: Path) -> bool:
    return file.suffix in HASHED and not file.is_dir()


def _is_left_out(file: Path, weights: set[Path]) -> bool:
    """Whether a file is kept from libraries: only an export copies it, or it is the index of other weights."""
    is_other_index = file.name.endswith(".index.json") and file.name != INDEX
    return file.name in CARRIED or is_other_index or (file.name == INDEX and file.with_name(WEIGHTS) in weights)


def _check_file(found: ModelFiles, file: Path) -> None:
    """Refuse a file that is not a regular file of the folder, or is only a pointer to another."""
    name = file.relative_to(found.folder)
    try:
        real = file.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError) as error:
        raise found.refuse(f"{name} cannot be opened (a link to nothing?); {AGAIN}") from error
    if not _belongs(found.folder, real):
        raise found.refuse(f"{name} is a link to {real}, outside the folder; put the file itself there (`cp -L`)")
    if not stat.S_ISREG(status.st_mode):
        raise found.refuse(f"{name} is no regular file but a pipe or a device; remove it")
    if not os.access(real, os.R_OK):
        raise found.refuse(f"{name} may not be read; make it readable (`chmod +r`)")
    if status.st_size < LARGEST_POINTER and real.read_bytes().startswith(POINTER):
        raise found.refuse(f"{name} is a pointer of Git LFS and not the file; fetch it with `git lfs pull`")


def _belongs(folder: Path, real: Path) -> bool:
    """Whether a file is in the folder itself, or in the hub client's cache that the folder is part of."""
    own, cache = folder.resolve(), real.parents[1] if real.parent.name == "blobs" else None
    is_cached = cache is not None and cache.name.startswith("models--") and own.is_relative_to(cache)
    return real.is_relative_to(own) or is_cached or folder == MODEL_FOLDER


def _find_weights(found: ModelFiles, place: Path) -> list[Path]:
    """The safetensors that transformers reads in a folder: one file, or the shards that an index names."""
    single, index = place / WEIGHTS, place / INDEX
    shards = _read_index(found, index) if index in found.hashed else []
    if single in found.hashed:
        if set(shards) - {single}:
            raise found.refuse(
                f"it holds two sets of weights, {WEIGHTS} and the shards of {INDEX}; remove the one that is not meant"
            )
        return [single]
    return shards


def _read_index(found: ModelFiles, index: Path) -> list[Path]:
    content = _read_object(found, index)
    names = content.get("weight_map")
    if not isinstance(names, dict) or not names or not isinstance(content.get("metadata"), dict):
        raise found.refuse(f"{INDEX} has no weight_map or no metadata; {AGAIN}")
    shards = sorted({str(name) for name in names.values()})
    for name in shards:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.suffix != ".safetensors" or "\0" in name:
            raise found.refuse(f"{INDEX} names {name!r}, which is no safetensors file in the folder; {AGAIN}")
        if not os.path.lexists(index.parent / name):  # unlike `exists`, it takes a name of any length
            raise found.refuse(f"{INDEX} names {cut(name)}, which is not there; {AGAIN}")
        _check_file(found, index.parent / name)
    return [index.parent / name for name in shards]


def _read_object(found: ModelFiles, file: Path) -> dict[str, Any]:
    name = file.relative_to(found.folder)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise found.refuse(f"cannot be loaded ({name} is not a valid JSON file); {AGAIN}") from error
    if not isinstance(value, dict):
        raise found.refuse(f"cannot be loaded ({name} is no JSON object); {AGAIN}")
    return value
