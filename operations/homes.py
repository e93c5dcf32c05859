"""The home with its warehouse brought up to date: to read, to change, or created. Runs without Prefect and torch."""

from storage.home import Home
from storage.interruptions import mark_interrupted
from storage.warehouse import prepare_to_read, prepare_warehouse


def home_to_read() -> Home:
    """The home, with its warehouse up to date, and runs whose process has ended marked as interrupted."""
    home = Home.from_environment()
    prepare_to_read(home.warehouse)
    mark_interrupted(home.warehouse)
    return home


def home_to_change() -> Home:
    """The home, with its warehouse up to date where there is one."""
    home = Home.from_environment()
    if home.warehouse.exists():
        prepare_warehouse(home.warehouse)
    return home


def created_home() -> Home:
    """The home, created with an empty warehouse where there is none, else up to date."""
    home = Home.from_environment()
    home.create()
    prepare_warehouse(home.warehouse)
    return home
