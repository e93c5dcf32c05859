"""Folders on shared storage, at a path or an address, arrive complete, and other machines find the checkpoints."""

from pathlib import Path

import fsspec
import pytest

from learning.training.checkpoints import CheckpointStore
from learning.training.shared_storage import SharedStorage, SharedStorageError, drop_folder, get_folder, put_folder


@pytest.fixture(params=["path", "file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> SharedStorage:
    addresses = {
        "path": str(tmp_path / "shared"),
        "file": f"file://{tmp_path}/shared",
        "memory": f"memory://{tmp_path}",
    }
    return SharedStorage(addresses[request.param])


def fill(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def read(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def seal(store: CheckpointStore, step: int, epochs: int | None = None, text: str = "weights") -> None:
    folder = fill(store.folder_of(epochs) / f"checkpoint-{step}", weights=text)
    store.seal(folder, step, epochs, "adamw_torch", diverged=False)


def fetched_steps(storage: SharedStorage, root: Path, epochs: int = 9) -> int | None:
    """The step from which another machine continues that has only the storage."""
    storage.checkpoints("ours").fetch(root)
    found = CheckpointStore(root, "ours").find(epochs, 1_000, "adamw_torch", pytest.fail)
    return None if found is None else found.step


def test_a_folder_arrives_as_it_was(storage: SharedStorage, tmp_path: Path) -> None:
    address = storage.adapter("cell")
    put_folder(fill(tmp_path / "old", weights="old", more="old"), address)
    put_folder(fill(tmp_path / "new", weights="new"), address)
    get_folder(address, tmp_path / "here")
    assert read(tmp_path / "here") == {"weights": "new"}
    drop_folder(address)
    drop_folder(address)
    with pytest.raises(SharedStorageError, match=r"adapters/cell holds nothing.*name a folder that every"):
        get_folder(address, tmp_path / "here")
    assert read(tmp_path / "here") == {"weights": "new"}


def test_the_last_file_is_the_last_to_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, copied = fill(tmp_path / "here", a="", manifest="", z=""), []
    monkeypatch.setattr(
        type(fsspec.filesystem("file")), "put_file", lambda _, __, there: copied.append(Path(there).name)
    )
    put_folder(folder, str(tmp_path / "there"), last="manifest")
    assert copied == ["a", "z", "manifest"]


def test_another_machine_continues_from_the_furthest_checkpoint(storage: SharedStorage, tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "one", "ours", storage.checkpoints("ours"))
    seal(store, 4)
    assert fetched_steps(storage, tmp_path / "two") == 4
    seal(store, 8)
    seal(store, 12, epochs=3)
    assert fetched_steps(storage, tmp_path / "three", epochs=3) == 12
    store.drop_own(3)
    assert fetched_steps(storage, tmp_path / "four", epochs=3) == 8
    assert sorted(folder.name for folder in (tmp_path / "four").glob("*/*")) == ["checkpoint-8"]


def test_a_checkpoint_that_a_lost_machine_deletes_or_overwrites_is_restored(tmp_path: Path) -> None:
    storage = SharedStorage(str(tmp_path / "shared"))
    ours = CheckpointStore(tmp_path / "ours", "ours", storage.checkpoints("ours"))
    theirs = CheckpointStore(tmp_path / "theirs", "ours", storage.checkpoints("ours"))
    seal(ours, 8)
    seal(theirs, 4)
    assert fetched_steps(storage, tmp_path / "lost") == 4
    seal(theirs, 8, text="other weights")
    ours.drop_own(3)
    assert fetched_steps(storage, tmp_path / "back") == 8
    assert read(tmp_path / "back" / "shared" / "checkpoint-8")["weights"] == "weights"
    seal(ours, 12)
    assert fetched_steps(storage, tmp_path / "found") == 12


def test_a_checkpoint_without_its_manifest_is_ignored(tmp_path: Path) -> None:
    storage = SharedStorage(str(tmp_path / "shared"))
    fill(tmp_path / "shared" / "checkpoints" / "ours" / "shared" / "checkpoint-4", weights="half")
    assert fetched_steps(storage, tmp_path / "here") is None


def test_a_storage_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for address in (str(tmp_path / "file" / "in"), "nosuch://bucket/folder"):
        with pytest.raises(
            SharedStorageError, match=r"^runner\.storage .*: cannot be written to \(.*\); name a folder.*$"
        ):
            SharedStorage(address).check()
    SharedStorage(str(tmp_path / "new")).check()
    assert (tmp_path / "new").is_dir()
