"""`fintone delete` and `fintone gc`: they list what goes, ask first, and keep all that is referenced or in use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from operations.deletion import StudyBusyError, carry_out, describe_deletion, propose_deletion
from operations.garbage import collecting, delete_garbage
from operations.report_index import write_index
from schemas.disk import count_bytes, format_bytes
from schemas.files import appearing_folder
from schemas.plan import StudyPlan
from schemas.promotion import Champion
from storage.champions import Decision, save_decision
from storage.home import Home
from storage.locks import registered_run
from storage.studies import finish_study
from storage.warehouse import writing
from tests.asking import ask

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from contextlib import ExitStack
from storage.locks import registered_run, holding

warehouse, kind, held = Path(sys.argv[1]), *sys.argv[2:]
with registered_run(warehouse), holding(warehouse, kind, held):
    print("held", flush=True)
    sys.stdin.read()
"""
COMMIT = "0123456789" * 4


@pytest.fixture
def study(trained: tuple[Path, str, StudyPlan], home: Path) -> StudyPlan:
    """A finished study of one cell, in a home of its own."""
    shutil.copytree(trained[0], home)
    finish_study(home / "warehouse.duckdb", trained[2].study_id, "finished")
    return trained[2]


@contextmanager
def running_study(home: Path, identifier: str, kind: str = "study") -> Iterator[int]:
    """The PID of another process that runs a study, or a cell, in the home."""
    command = [sys.executable, "-c", HOLDER, str(home / "warehouse.duckdb"), kind, identifier]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "held\n"
        yield other.pid
        other.stdin.close()


def test_a_study_is_deleted_with_its_files(fintone: Run, study: StudyPlan, home: Path) -> None:
    [cell] = study.cells
    index = write_index(Home(home))
    assert study.study_id in index.read_text(encoding="utf-8")
    code, out, err = fintone("delete", study.study_id[:5], "--yes")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "to delete 5 cells that no other study has" in text
    assert f"study {study.study_id} is deleted" in text
    assert not (home / "adapters" / cell.cell_id).exists()
    assert study.study_id not in index.read_text(encoding="utf-8")
    tables = ("studies", "study_cells", "cells", "evaluations", "ledger.predictions")
    counts = [ask(home, f"SELECT count(*) FROM {table}")[0][0] for table in tables]
    assert counts == [0] * 5
    assert ask(home, "SELECT count(*) > 0 FROM headlines") == [(True,)]


def test_the_checkpoints_of_an_interrupted_study_are_counted_and_deleted_with_it(
    fintone: Run, study: StudyPlan, home: Path
) -> None:
    [cell] = study.cells
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET status = 'interrupted'")
    shutil.rmtree(home / "adapters")
    checkpoint = home / "checkpoints" / cell.training_id / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights").write_bytes(bytes(2_000_000))
    code, out, _ = fintone("delete", study.study_id, "--yes")
    assert (code, " ".join(out.split()).count("files 2.0 MB of adapters, checkpoints and report")) == (0, 1)
    assert not checkpoint.parent.exists()


def test_the_study_of_the_champion_and_a_running_study_are_not_deleted(
    fintone: Run, refuse: Refuse, study: StudyPlan, home: Path
) -> None:
    assert "delete: cannot ask for confirmation" in refuse("delete", study.study_id)
    with running_study(home, study.study_id) as pid:
        code, _, err = fintone("delete", study.study_id, "--yes")
        assert code == 1
        assert f"study {study.study_id}: another process (PID {pid}, " in err
    champion = Decision("promoted", "person", "ours", study.study_id, study.cells[0].cell_id, 0.1)
    save_decision(home / "warehouse.duckdb", champion, None)
    line = refuse("delete", study.study_id, "--yes")
    assert f"has the champion, cell {study.cells[0].cell_id}, which no other study has; promote another" in line
    assert ask(home, "SELECT count(*) FROM studies") == [(1,)]


@pytest.mark.parametrize("kind", ["study", "cell"])
def test_a_study_that_another_process_began_after_the_question_is_not_deleted(
    study: StudyPlan, home: Path, kind: str
) -> None:
    [cell] = study.cells
    held, proposed = (cell.cell_id if kind == "cell" else study.study_id), propose_deletion(study.study_id)
    with running_study(home, held, kind):
        for attempt in (lambda: carry_out(proposed), lambda: propose_deletion(study.study_id)):
            with pytest.raises(StudyBusyError, match=f"is working on its {kind} {held}; try again later"):
                attempt()
    assert (home / "adapters" / cell.cell_id).is_dir()
    assert ask(home, "SELECT count(*) FROM studies") == [(1,)]


def test_before_a_deletion_it_is_told_what_stays_and_who_was_champion(study: StudyPlan, home: Path) -> None:
    [cell] = study.cells
    assert [subject for subject, _ in describe_deletion(propose_deletion(study.study_id))].count("stays") == 1
    for identifier, before in ((cell.cell_id, None), ("other", Champion(cell.cell_id, 0.1))):
        champion = Decision("promoted", "person", "ours", study.study_id, identifier, 0.1)
        save_decision(home / "warehouse.duckdb", champion, before)
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(
            "INSERT INTO study_cells BY NAME SELECT * REPLACE ('other' AS study_id) FROM study_cells"
            " WHERE cell_id <> ? LIMIT 2",
            [cell.cell_id],
        )
    shutil.rmtree(home / "adapters")
    lines = describe_deletion(propose_deletion(study.study_id))
    assert ("files", "none") in lines
    assert ("stays", "2 cells that other studies have") in lines
    assert ("warning", f"{cell.cell_id} was champion once; `fintone promote` cannot go back to it then") in lines


def test_of_two_studies_that_share_a_training_the_first_leaves_its_checkpoints(study: StudyPlan, home: Path) -> None:
    [cell] = study.cells
    (home / "reports" / study.study_id).mkdir(parents=True)
    (home / "checkpoints" / str(cell.training_id)).mkdir(parents=True)
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET status = 'interrupted'")
        for table in ("studies", "study_cells"):
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * REPLACE ('other' AS study_id) FROM {table}")
        of_other = "cell_id = 'longer' WHERE study_id = 'other' AND cell_id = ?"
        connection.execute(f"UPDATE study_cells SET {of_other}", [cell.cell_id])
        longer = "SELECT * REPLACE ('longer' AS cell_id) FROM cells WHERE cell_id = ?"
        connection.execute(f"INSERT INTO cells BY NAME {longer}", [cell.cell_id])
    carry_out(propose_deletion(study.study_id))
    assert not (home / "adapters" / cell.cell_id).exists()
    assert not (home / "reports" / study.study_id).exists()
    assert (home / "checkpoints" / str(cell.training_id)).is_dir()


def test_a_file_with_two_names_is_counted_once_and_a_link_without_its_target(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.write_bytes(bytes(500_000))
    (folder / "one").write_bytes(bytes(3_000))
    (folder / "two").hardlink_to(folder / "one")
    (folder / "link").symlink_to(outside)
    assert 3_000 < count_bytes(folder) < 4_000
    assert [format_bytes(n) for n in (99_900, 300_000, 1_200_000_000)] == ["99.9 kB", "0.3 MB", "1.2 GB"]


@pytest.fixture
def litter(study: StudyPlan, home: Path) -> list[Path]:
    """Files that nothing refers to."""
    commit = home / "models" / "models--org--name" / "snapshots" / COMMIT
    places = [
        home / "adapters" / "000000000000",
        home / "adapters" / ".111111111111.0123.unfinished",
        home / "checkpoints" / "222222222222",
        home / "reports" / "333333333333",
        commit,
    ]
    for place in places:
        place.mkdir(parents=True)
        (place / "file").write_text("x" * 2000)
    (commit.parents[1] / "refs").mkdir()
    return places


def test_unreferenced_files_are_listed_and_deleted(
    fintone: Run, refuse: Refuse, litter: list[Path], study: StudyPlan, home: Path
) -> None:
    adapter, users_model = home / "adapters" / study.cells[0].cell_id, home / "models" / "my-llama"
    users_model.mkdir(parents=True)
    assert "gc: cannot ask for confirmation" in refuse("gc")
    code, out, _ = fintone("gc", "--dry-run")
    assert (code, all(place.exists() for place in litter)) == (0, True)
    assert "10.0 kB would be freed; nothing is deleted" in " ".join(out.split())
    assert fintone("gc", "--yes")[0] == 0
    assert [place for place in litter if place.exists()] == []
    assert adapter.is_dir()
    assert users_model.is_dir()
    assert "nothing to free" in fintone("gc", "--yes")[1]


@pytest.mark.parametrize(
    "use",
    [
        f"UPDATE cells SET base_revision = '{COMMIT}' WHERE kind = 'base'",
        f"UPDATE cells SET hyperparameters = json_object('revision', '{COMMIT}') WHERE kind = 'baseline'",
    ],
    ids=["base model", "encoder of a baseline"],
)
def test_a_model_of_the_hub_that_a_cell_uses_stays(study: StudyPlan, litter: list[Path], home: Path, use: str) -> None:
    with collecting() as garbage:
        assert {each.commit for each in garbage} == {None, COMMIT}
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute(use)
    with collecting() as garbage:
        assert {each.place for each in garbage} == set(litter[:4])


def test_a_file_that_is_gone_when_garbage_is_deleted_keeps_no_other(study: StudyPlan, litter: list[Path]) -> None:
    with collecting() as garbage:
        shutil.rmtree(garbage[0].place)
        delete_garbage(garbage)
    assert not any(each.place.exists() for each in garbage if each.commit is None)


def test_what_a_cell_or_an_unfinished_study_needs_stays(study: StudyPlan, litter: list[Path], home: Path) -> None:
    [cell] = study.cells
    assert cell.training_id
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET status = 'interrupted'")
        connection.execute("UPDATE cells SET base_revision = ? WHERE kind = 'base'", [COMMIT])
    (home / "checkpoints" / cell.training_id).mkdir()
    with collecting() as garbage:
        assert {each.place for each in garbage} == set(litter[:4])
    finish_study(home / "warehouse.duckdb", study.study_id, "finished")
    with collecting() as garbage:
        assert home / "checkpoints" / cell.training_id in {each.place for each in garbage}


@pytest.mark.parametrize("folder", ["gone", "of an encoder"])
def test_a_checkpoint_is_known_whatever_the_folder_of_its_base_model_holds_now(
    study: StudyPlan, home: Path, tmp_path: Path, folder: str
) -> None:
    [cell] = study.cells
    if folder == "of an encoder":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET status = 'interrupted'")
        connection.execute("UPDATE cells SET base_folder = ?", [str(tmp_path / folder)])
    checkpoints = home / "checkpoints" / str(cell.training_id)
    checkpoints.mkdir(parents=True)
    with collecting() as garbage:
        assert garbage == []
    carry_out(propose_deletion(study.study_id))
    assert not checkpoints.exists()


def test_checkpoints_stay_while_the_training_of_an_unfinished_cell_is_unknown(
    study: StudyPlan, litter: list[Path], home: Path
) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE cells SET training_id = NULL")
        connection.execute("UPDATE studies SET status = 'interrupted'")
    with collecting() as garbage:
        assert {each.place for each in garbage if each.commit is None} == {litter[0], litter[1], litter[3]}
    assert describe_deletion(propose_deletion(study.study_id))


def test_links_files_and_what_is_being_written_are_no_garbage(litter: list[Path], home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / "adapters" / "444444444444").symlink_to(tmp_path / "elsewhere")
    (home / "adapters" / "notes.txt").write_text("mine", encoding="utf-8")
    with appearing_folder(home / "adapters" / "555555555555", replace=False), collecting() as garbage:
        assert {each.place for each in garbage if each.commit is None} == set(litter[:4])


def test_during_a_run_nothing_is_collected_and_another_run_is_warned(
    fintone: Run, study: StudyPlan, litter: list[Path], home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_study(home, "5555") as pid:
        code, _, err = fintone("gc", "--yes")
        assert (code, all(place.exists() for place in litter)) == (1, True)
        assert f"home {home}: another process (PID {pid}, " in err
        caplog.clear()
        with caplog.at_level("WARNING", "fintone.locks"), registered_run(home / "warehouse.duckdb"):
            [message] = [record.getMessage() for record in caplog.records]
        assert f"(PID {pid}, " in message
        assert message.endswith(", study 5555, is running too; both continue and share the machine")
    with registered_run(home / "warehouse.duckdb"):
        pass
    assert not (home / "locks").exists()


def test_without_a_warehouse_nothing_is_collected(refuse: Refuse, litter: list[Path], home: Path) -> None:
    (home / "warehouse.duckdb").unlink()
    assert "does not exist; run `fintone run` first" in refuse("gc", "--yes")
    assert all(place.exists() for place in litter)
