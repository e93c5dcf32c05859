"""Bytes on disk: what a folder of the home takes."""

import os
from pathlib import Path

MEGABYTE = 1e6


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


def tell_bytes(count: int) -> str:
    """As `0.3 MB`, or from a thousand of them on as `1.2 GB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / MEGABYTE:.1f} MB"  # noqa: PLR2004 (a gigabyte)
