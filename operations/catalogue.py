"""Lists the contents of a home, with sizes on disk, for `fintone list`. Runs without Prefect and torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from schemas.disk import MEGABYTE, count_bytes, format_bytes
from storage import catalogue
from storage.home import Home
from storage.interruptions import mark_interrupted
from storage.query import WholeResult
from storage.warehouse import prepare_to_read

MEGABYTES = "megabytes"


def open_home() -> Home:
    """The home, with its warehouse up to date, and runs whose process has ended marked as interrupted."""
    home = Home.from_environment()
    prepare_to_read(home.warehouse)
    mark_interrupted(home.warehouse)
    return home


def list_studies() -> WholeResult:
    """Every study, with the size of its adapters and report in megabytes; studies may share an adapter."""
    home = open_home()
    columns, rows = _unpack(catalogue.list_studies(home.warehouse))
    sizes = [_megabytes(home.report(study).parent, *map(home.adapter, tuned)) for study, *_, tuned in rows]
    return WholeResult((*columns[:-1], MEGABYTES), [(*row[:-1], size) for row, size in zip(rows, sizes, strict=True)])


def list_cells() -> WholeResult:
    """Every cell, with the size of its adapter in megabytes."""
    home = open_home()
    columns, rows = _unpack(catalogue.list_cells(home.warehouse))
    return WholeResult((*columns, MEGABYTES), [(*row, _megabytes(home.adapter(row[0]))) for row in rows])


def list_champions() -> WholeResult:
    """All champions, the current one first."""
    return catalogue.list_champions(open_home().warehouse)


LISTS: Mapping[str, Callable[[], WholeResult]] = {
    "studies": list_studies,
    "cells": list_cells,
    "champions": list_champions,
}


def describe_home() -> list[tuple[str, str]]:
    """The home's size on disk, as (subject, description) lines."""
    home = Home.from_environment()
    sizes = {place.name: count_bytes(place) for place in (home.adapters, home.models, home.reports, home.checkpoints)}
    copies = sum(count_bytes(copy) for copy in home.root.glob("warehouse.before-migration-*"))
    sizes = {"warehouse": count_bytes(home.warehouse), **sizes, "warehouse copies": copies}
    parts = ", ".join(f"{name} {format_bytes(size)}" for name, size in sizes.items() if size)
    return [("home", f"{home.root}: {parts}")]


def _unpack(listed: WholeResult) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    return listed.columns, listed.rows


def _megabytes(*places: Path) -> float:
    return round(sum(map(count_bytes, places)) / MEGABYTE, 1)
