"""The paths under `FINTONE_HOME`, which holds everything that a run leaves."""

import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError
from schemas.listing import cut, show
from schemas.text import show_undecoded

MISREAD = ("?", "\\")
"""Characters that DuckDB does not take as part of a path: `?` begins options, a backslash separates folders."""


class HomeError(InputError):
    """The home cannot be created, or its name cannot be used."""


@dataclass(frozen=True)
class Home:
    """The folder of warehouse, adapters, models and reports. Nothing is created before `create`."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that `FINTONE_HOME` names; `.fintone` in the working folder when it is unset or empty.

        Raises:
            HomeError: There can be no such folder, or DuckDB cannot open a file in it.
        """
        named = os.environ.get("FINTONE_HOME") or ".fintone"
        try:
            root = Path(named).expanduser()
        except RuntimeError:
            raise HomeError(f"FINTONE_HOME {named}: begins with ~ and names no user of this system") from None
        _check_name(root)
        return cls(root)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.root / "warehouse.duckdb"

    @property
    def adapters(self) -> Path:
        """The folder of adapters, one folder a cell."""
        return self.root / "adapters"

    @property
    def models(self) -> Path:
        """The folder of base models that a run fetched or prepared."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """The folder of reports, one folder a study."""
        return self.root / "reports"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, one folder a training, while a study runs."""
        return self.root / "checkpoints"

    def adapter(self, cell_id: str) -> Path:
        """The folder of the adapter that a cell trained."""
        return self.adapters / file_name(cell_id)

    def report(self, study_id: str) -> Path:
        """The page of a study's report."""
        return self.reports / file_name(study_id) / "index.html"

    def checkpoint(self, training_id: str) -> Path:
        """The folder of a training's checkpoints."""
        return self.checkpoints / file_name(training_id)

    @property
    def report_index(self) -> Path:
        """The page of all studies."""
        return self.reports / "index.html"

    def create(self) -> None:
        """Create the folders that are missing.

        Raises:
            HomeError: A folder cannot be made.
        """
        try:
            for folder in (self.root, self.adapters, self.models, self.reports):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(
                f"FINTONE_HOME {self.root}: cannot create {error.filename} ({error.strerror}); "
                "name a folder that you may write to"
            ) from error


def file_name(identifier: str) -> str:
    """An id of the warehouse as the name of a file: one that another program wrote there could be a path elsewhere.

    Raises:
        HomeError: It is not the plain name of a file.
    """
    if "/" in identifier or "\0" in identifier or identifier in {"", ".", ".."}:
        raise HomeError(f"warehouse: {show(identifier)} is no id that fintone gives; another program changed the file")
    return identifier


def _check_name(root: Path) -> None:
    name = str(root.absolute())
    if shown := show_undecoded(name):
        raise HomeError(f"FINTONE_HOME {shown}: its name is not UTF-8; name another folder")
    try:
        root.exists()
    except OSError as error:
        raise HomeError(f"FINTONE_HOME {cut(name)}: cannot be a folder ({error.strerror}); name another") from None
    if root.is_dir() and not os.access(root, os.X_OK, effective_ids=True):
        raise HomeError(f"FINTONE_HOME {name}: you may not enter it; ask its owner for access, or name another")
    sign = next((sign for sign in MISREAD if sign in name), None)
    if sign:
        raise HomeError(f"FINTONE_HOME {name}: DuckDB opens no file in a folder with {sign} in its name; name another")
