"""Folders on storage that several machines share: at a path, or at an address that fsspec reads.

A copy there is complete once its last file exists.
"""

from dataclasses import dataclass
from pathlib import Path

from fsspec import AbstractFileSystem, url_to_fs

from learning.training.checkpoints import MANIFEST
from schemas.errors import InputError
from schemas.files import appearing_folder
from schemas.reasons import describe_reason


class SharedStorageError(InputError):
    """The storage cannot be reached, or one machine does not see the files of another."""


@dataclass(frozen=True)
class SharedStorage:
    """The layout of a runner's storage."""

    address: str
    """A path, or an address that fsspec reads."""

    def adapter(self, cell_id: str) -> str:
        """The address of a cell's adapter."""
        return f"{self.address.rstrip('/')}/adapters/{cell_id}"

    def checkpoints(self, training_id: str) -> "Mirror":
        """The checkpoints of a training."""
        return Mirror(f"{self.address.rstrip('/')}/checkpoints/{training_id}")

    def check(self) -> None:
        """Check that files can be written here.

        Raises:
            SharedStorageError: The address cannot be written to.
        """
        try:
            system, root = _open(self.address)
            system.makedirs(root, exist_ok=True)
        except (OSError, ValueError, ImportError) as error:
            raise SharedStorageError(
                f"runner.storage {self.address}: cannot be written to ({describe_reason(error)}); name a folder that "
                "every machine shares"
            ) from error


@dataclass(frozen=True)
class Mirror:
    """A copy of the sealed checkpoints under a folder of this machine, from which another machine can continue."""

    address: str

    def match(self, root: Path) -> None:
        """Make the copy equal to the checkpoints under `root`.

        A machine that was given up may still write here. The next call restores checkpoints that it deletes, and the
        hashes in the manifest reveal a mixture of both.
        """
        known = self._read_manifests()
        sealed = {manifest.parent.relative_to(root).as_posix(): manifest for manifest in root.glob(f"*/*/{MANIFEST}")}
        for name, manifest in sealed.items():
            if known.get(name) != manifest.read_bytes():
                put_folder(manifest.parent, f"{self.address}/{name}", last=MANIFEST)
        for name in known.keys() - sealed.keys():
            drop_folder(f"{self.address}/{name}")

    def fetch(self, root: Path) -> None:
        """Copy every checkpoint to its place under `root`."""
        for name in self._read_manifests():
            get_folder(f"{self.address}/{name}", root / name)

    def _read_manifests(self) -> dict[str, bytes]:
        """The manifest of each complete checkpoint, by the checkpoint's place."""
        system, root = _open(self.address)
        files = [str(file) for file in system.find(root)]
        return {
            file.removeprefix(root).removesuffix(MANIFEST).strip("/"): system.cat_file(file)
            for file in files
            if file.endswith(f"/{MANIFEST}")
        }


def put_folder(folder: Path, address: str, last: str = "") -> None:
    """Copy the files of a folder to an address, replacing its content; the file `last` comes after all others."""
    drop_folder(address)
    system, root = _open(address)
    system.makedirs(root, exist_ok=True)
    for file in sorted(folder.iterdir(), key=lambda file: (file.name == last, file.name)):
        system.put_file(str(file), f"{root}/{file.name}")


def get_folder(address: str, folder: Path) -> None:
    """Copy the files at an address to a folder, which appears complete or not at all.

    Raises:
        SharedStorageError: The address has no files.
    """
    system, root = _open(address)
    files = [str(file) for file in system.find(root)]
    if not files:
        raise SharedStorageError(
            f"runner.storage: {address} holds nothing, though another machine wrote there; name a folder that every "
            "machine shares"
        )
    with appearing_folder(folder, replace=True) as unfinished:
        for file in files:
            system.get_file(file, str(unfinished / file.rpartition("/")[2]))


def is_there(address: str) -> bool:
    """Whether something is at an address."""
    system, root = _open(address)
    return bool(system.exists(root))


def drop_folder(address: str) -> None:
    """Delete everything at an address."""
    system, root = _open(address)
    if system.exists(root):
        system.rm(root, recursive=True)


def _open(address: str) -> tuple[AbstractFileSystem, str]:
    """The file system of an address and the path in it; its cache of listings is cleared."""
    system, root = url_to_fs(address)
    system.invalidate_cache()
    return system, str(root).rstrip("/")
