"""Lists the contents of a home, with sizes on disk, for `fintone list`. Runs without Prefect and torch."""

from collections.abc import Callable, Mapping
from pathlib import Path

from operations.homes import home_to_read
from schemas.disk import MEGABYTE, count_bytes, format_bytes
from storage import catalogue
from storage.home import Home
from storage.query import WholeResult

MEGABYTES = "megabytes"


def list_studies() -> WholeResult:
    """Every study, with the size of its adapters and report in megabytes; studies may share an adapter."""
    home = home_to_read()
    listed = catalogue.list_studies(home.warehouse)
    sizes = [_megabytes(home.report(study).parent, *map(home.adapter, tuned)) for study, *_, tuned in listed.rows]
    return WholeResult(
        (*listed.columns[:-1], MEGABYTES), [(*row[:-1], size) for row, size in zip(listed.rows, sizes, strict=True)]
    )


def list_cells() -> WholeResult:
    """Every cell, with the size of its adapter in megabytes."""
    home = home_to_read()
    listed = catalogue.list_cells(home.warehouse)
    return WholeResult((*listed.columns, MEGABYTES), [(*row, _megabytes(home.adapter(row[0]))) for row in listed.rows])


def list_champions() -> WholeResult:
    """All champions, the current one first."""
    return catalogue.list_champions(home_to_read().warehouse)


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


def _megabytes(*places: Path) -> float:
    return round(sum(map(count_bytes, places)) / MEGABYTE, 1)
