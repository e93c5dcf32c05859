"""Bytes on disk: what files and folders take."""

import os
from pathlib import Path

MEGABYTE = 1e6
UNITS = {"kB": 1e3, "MB": MEGABYTE, "GB": 1e9}


def count_bytes(place: Path) -> int:
    """The bytes of a file, or of all files under a folder, each counted once however many names it has; 0 if absent."""
    if not place.is_dir():
        return place.stat().st_size if place.exists() else 0
    sizes: dict[tuple[int, int], int] = {}
    for folder, _, files in os.walk(place):
        for name in files:
            status = (Path(folder) / name).lstat()
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def count_weight_bytes(folder: Path) -> int:
    """Bytes of the weights in a base model's folder."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def format_bytes(count: int) -> str:
    """As `12.3 kB`, `0.3 MB` or `1.2 GB`."""
    sizes = ((1e9, "GB"), (1e5, "MB"), (0, "kB"))
    unit = next(unit for least, unit in sizes if count >= least)
    return f"{count / UNITS[unit]:.1f} {unit}"
