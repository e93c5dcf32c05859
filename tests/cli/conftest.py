"""Fixtures of the command line's tests: a home for each test, and commands that run in this process."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from cli.main import main
from schemas.plan import StudyPlan
from storage import migrations
from storage.champions import Decision, save_decision
from storage.warehouse import writing
from tests.old_home.restore import restore

Run = Callable[..., tuple[int, str, str]]

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
QUOTED = re.compile(r"`[^`]*`|'[^']*'")
"""Other commands, and text that the user typed."""


def foreign_options(arguments: Sequence[str], message: str) -> list[str]:
    """The options that a message names and the command that printed it does not have."""
    from typer.main import get_command

    from cli.main import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    command = next((word for word in arguments if word in commands), None)
    parameters = commands[command].params if command else []
    known = {"--help", "--debug", *(option for parameter in parameters for option in parameter.opts), *arguments}
    return [option for option in OPTION.findall(QUOTED.sub("", message)) if option not in known]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a home that does not exist yet; the working folder is an empty folder next to it."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(session_server: str) -> Iterator[str]:
    """Run the flows of a test on a real Prefect server; commands of other tests start their own."""
    from tests.server_record import using_server

    with using_server(session_server):
        yield session_server


@pytest.fixture
def warehouse(home: Path, prepared: Path) -> Path:
    home.mkdir()
    return Path(shutil.copy(prepared, home))


@pytest.fixture(scope="session")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("old")
    return restore(work / "home", work).root


@pytest.fixture
def old_home(home: Path, restored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that an earlier version left, for a fintone that has one migration more than this one."""
    folder = Path(shutil.copytree(migrations.MIGRATIONS_FOLDER, tmp_path / "migrations"))
    (folder / "9000_next.sql").write_text("CREATE TABLE next (x INTEGER);")
    monkeypatch.setattr(migrations, "MIGRATIONS_FOLDER", folder)
    return Path(shutil.copytree(restored, home))


@pytest.fixture
def champion(home: Path, trained: tuple[Path, str, StudyPlan], lasting_worker: None) -> str:
    """The trained cell as champion of a home, and a file of 400 headlines that differ only in a number."""
    shutil.copytree(trained[0], home)
    decision = Decision("promoted", "person", "because", trained[2].study_id, trained[1], 0.1)
    save_decision(home / "warehouse.duckdb", decision, None)
    with writing(home / "warehouse.duckdb") as connection:  # on test it was sure of every answer
        sure = "UPDATE ledger.predictions SET p_positive = 1, p_neutral = 0, p_negative = 0, p_unparsed = 0"
        connection.execute(sure)
    Path("news.csv").write_text("id,title\n" + "".join(f"{number},Profit fell {number} .\n" for number in range(400)))
    return trained[1]


@pytest.fixture
def mood_file(home: Path) -> Path:
    """A file with a copy and an unknown label among its five rows, and a label map for its words."""
    rows = ["Profit rose.,up", "Profit  rose.,up", "Profit fell.,down", "Profit was flat.,0", "Profit.,?"]
    Path("words.yaml").write_text("up: positive\ndown: negative\n0: neutral\n")
    Path("news.csv").write_text("\n".join(["title,mood", *rows]))
    return Path("news.csv")


@pytest.fixture
def fintone(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fintone", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, written.out, written.err

    return run


@pytest.fixture
def refuse(fintone: Run) -> Callable[..., str]:
    """Runs a command that must end with exit code 2 and one line on standard error, which it returns.

    Each option that the line names must be one of that command.
    """

    def run(*arguments: str) -> str:
        code, out, err = fintone(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("fintone: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        assert foreign_options(arguments, err) == []
        return err

    return run
