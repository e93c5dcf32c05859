"""Checks where a command may write its output: never into the home, and never over a source."""

from pathlib import Path

from schemas.files import OutputError
from storage.home import Home
from storage.unfit import WarehouseMissingError


def check_output(output: Path | None, source: str | None = None) -> None:
    """Make sure that an output is neither in the home, nor a source, nor in the folder of one; links are followed.

    Args:
        output: A file or a folder that a user named; None for standard output.
        source: What the command reads; the sources that the warehouse knows count too.

    Raises:
        OutputError: It is. The message says which.
    """
    if output is None:
        return
    if str(output) == "-":
        raise OutputError("output -: is no place; leave --output out")
    from storage.sources import load_locations  # it loads pandas, for which a light command has no time

    home, place = Home.from_environment(), output.resolve()
    if _is_in(place, home.root):
        raise OutputError(f"output {output}: lies in the home {home.root}; give a place outside")
    try:
        known = load_locations(home.warehouse)
    except WarehouseMissingError:
        known = []
    for location in [*([source] if source is not None else []), *known]:
        if _is_in(place, Path(location)):
            raise OutputError(f"output {output}: would overwrite or change the source {location}; give another place")


def _is_in(place: Path, container: Path) -> bool:
    """Whether a resolved path is a file or folder itself, under whatever name, or lies in it."""
    container = container.resolve()
    return place == container or container in place.parents or _is_same_file(place, container)


def _is_same_file(place: Path, other: Path) -> bool:
    try:
        return place.is_file() and place.samefile(other)
    except OSError:
        return False
