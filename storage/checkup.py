"""Checks of the home for a run: a folder to write to, room on its disk, a warehouse that opens.

Creates nothing that stays.
"""

import shutil
import tempfile
from pathlib import Path

from schemas.checkup import Finding
from schemas.disk import count_bytes, format_bytes
from schemas.footprint import desk_footprint
from storage.home import Home

SMALLEST_RUN_GIGABYTES = 0.2
"""Disk of a run with the embedded model, rounded up: warehouse, adapters, checkpoints."""
PATIENCE = 2.0
"""Seconds to wait for the warehouse: longer than a study's transactions take."""


def check_home() -> Finding:
    """Whether `FINTONE_HOME`, or the folder in which it would be made, can be written to."""
    home = Home.from_environment()
    for folder in (home.root, home.adapters, home.models, home.reports, home.checkpoints):
        refused = find_refusal(folder)
        if refused:
            return Finding("home", "fail", f"FINTONE_HOME {refused}", "name a folder that you may write to")
    absent = "" if home.root.exists() else "; a run makes it"
    return Finding("home", "ok", f"{home.root.absolute()} can be written{absent}")


def find_refusal(folder: Path) -> str | None:
    """Why a folder cannot be written to, or be made if it is absent; None if it can.

    A nameless file is written to find out: permissions, read-only disks and quotas cannot be queried reliably.
    """
    place = _nearest_existing(folder)
    if not place.is_dir():
        return f"{place} is a file"
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(4096))
    except OSError as error:
        return f"{place} cannot be written ({error.strerror})"
    return None


def _nearest_existing(path: Path) -> Path:
    """The path itself, or the nearest place above it that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def check_disk() -> Finding:
    """Whether the disk has room for a run, and for the 7B model of the profile `desk`."""
    usage = shutil.disk_usage(_nearest_existing(Home.from_environment().root))
    return judge_disk(usage.free, usage.total)


def judge_disk(free: int, total: int) -> Finding:
    """Compare bytes of a disk with what runs take.

    Args:
        free: Bytes available now.
        total: Bytes in all.
    """
    needed = desk_footprint()
    room = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free at FINTONE_HOME"
    if free < SMALLEST_RUN_GIGABYTES * 1e9:
        room += f"; the smallest run takes {SMALLEST_RUN_GIGABYTES:g} GB"
        return Finding("disk", "fail", room, "free some, or set FINTONE_HOME to a place on another disk")
    large = f"the desk profile's {needed.billions:g}B model takes {needed.files:.0f} GB"
    if free < needed.files * 1e9:
        return Finding("disk", "note", f"{room}; {large}", "for such a model, set FINTONE_HOME to a larger disk")
    return Finding("disk", "ok", f"{room}; {large}")


def check_warehouse() -> Finding:
    """Whether the warehouse is one that this fintone knows, and can be opened as a run would.

    Raises:
        InputError: It is something else, or of a newer fintone.
        FailureError: Another process holds it, or it may not be written.
    """
    from storage.unfit import WarehouseMissingError  # home and disk need no DuckDB
    from storage.warehouse import inspect_warehouse

    path = Home.from_environment().warehouse
    try:
        has, newest = inspect_warehouse(path, PATIENCE)
    except WarehouseMissingError:
        return Finding("warehouse", "note", "does not exist yet", "`fintone run` or `fintone ingest` makes it")
    size = format_bytes(count_bytes(path))
    if has < newest:
        state = f"{size}, of an earlier fintone: migration {has} of {newest}; nobody holds it"
        return Finding("warehouse", "note", state, "the next `fintone run` copies it and brings it up to date")
    return Finding("warehouse", "ok", f"{size}, migration {has} of {newest}; nobody holds it")
