"""A warehouse that is damaged, or has a foreign log next to it, is refused with the reason and left as it is."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from schemas.errors import InputError
from storage import warehouse as warehouse_module
from storage.checkup import check_warehouse
from storage.home import Home
from storage.query import query
from storage.unfit import HEADERS, WarehouseDamagedError, explain_opening
from storage.warehouse import inspect_warehouse, prepare_warehouse, reading, writing

KILLED = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("SET wal_autocheckpoint = '1GB'")
connection.execute(sys.argv[2])
os.kill(os.getpid(), 9)
"""
USES: dict[str, Callable[[Path], object]] = {
    "prepare": prepare_warehouse,
    "read": lambda path: query(path, "FROM headlines"),
    "write": lambda path: writing(path).__enter__(),
    "inspect": lambda path: inspect_warehouse(path, 1),
}


def leave_log(path: Path, sql: str) -> bytes:
    """Run SQL on a database in a process that is killed; the log that it leaves."""
    subprocess.run([sys.executable, "-c", KILLED, path, sql], check=False)
    return path.with_name(f"{path.name}.wal").read_bytes()


def add_headlines(path: Path, count: int = 50_000) -> None:
    with writing(path) as connection:
        values = "sha256(i::VARCHAR), sha256(i::VARCHAR), 'neutral', 'x', NULL, NULL"
        columns = "headline_id, text, label, first_ingest_id, text_id, masked_id"
        connection.execute(f"INSERT INTO headlines ({columns}) SELECT {values} FROM range({count}) AS numbers(i)")


@pytest.mark.parametrize("use", USES)
def test_the_log_of_another_database_is_named(warehouse, tmp_path, use):
    log = leave_log(tmp_path / "other.duckdb", "CREATE TABLE t AS SELECT 1")
    (tmp_path / "warehouse.duckdb.wal").write_bytes(log)
    with pytest.raises(WarehouseDamagedError, match=r"\.wal beside it is the log of another database; "):
        USES[use](warehouse)
    assert (tmp_path / "warehouse.duckdb.wal").read_bytes() == log


@pytest.mark.parametrize("use", USES)
def test_a_log_that_was_left_over_is_named(warehouse, tmp_path, use):
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    log = leave_log(copy, "UPDATE published_results SET accuracy = 0.5")
    with writing(warehouse) as connection:
        connection.execute("UPDATE published_results SET accuracy = 0.25")
    (tmp_path / "warehouse.duckdb.wal").write_bytes(log)
    with pytest.raises(WarehouseDamagedError, match="beside it is of an earlier state of this warehouse"):
        USES[use](warehouse)


def test_a_killed_writers_own_log_is_read(warehouse):
    leave_log(warehouse, "UPDATE published_results SET accuracy = 0.5 WHERE epochs = 13")
    assert query(warehouse, "SELECT accuracy FROM published_results WHERE epochs = 13").rows == [(0.5,)]


@pytest.mark.slow
@pytest.mark.parametrize("use", ["read", "inspect"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_warehouse_that_is_cut_short_is_damaged(warehouse, use, share):
    add_headlines(warehouse)
    with reading(warehouse) as connection:
        needed = warehouse_module._count_bytes(connection)  # free blocks may follow
    warehouse.write_bytes(warehouse.read_bytes()[: int(needed * share)])
    with pytest.raises(WarehouseDamagedError, match=r": is damaged \(.*\); put a backup in its place, or move it away"):
        USES[use](warehouse)


def test_a_warehouse_that_is_shorter_than_its_headers_is_damaged(warehouse):
    warehouse.write_bytes(warehouse.read_bytes()[:5_000])
    for use in USES.values():
        with pytest.raises(WarehouseDamagedError, match="it is cut short: 5,000 of 12,288 bytes or more are there"):
            use(warehouse)
    assert warehouse.stat().st_size == 5_000


def test_bytes_that_changed_are_damage(warehouse):
    add_headlines(warehouse)
    content = bytearray(warehouse.read_bytes())
    for block in range(12_288 + 2 * 262_144, len(content) - 262_144, 262_144):
        content[block + 5_000 : block + 9_000] = bytes(4_000)
    warehouse.write_bytes(content)
    with pytest.raises(WarehouseDamagedError, match="is damaged"):
        query(warehouse, "SELECT sum(length(text)), max(headline_id) FROM headlines")


def test_doctor_counts_the_blocks_of_a_large_warehouse_that_shrank(warehouse, monkeypatch):
    """DuckDB cuts a file behind its last block, and leaves the old number of blocks in its header."""
    monkeypatch.setenv("FINTONE_HOME", str(warehouse.parent))
    add_headlines(warehouse)
    with writing(warehouse) as connection:
        connection.execute("DELETE FROM headlines")
    assert check_warehouse().state == "ok"


ODD_NAMES = [b"a#b", b"a:b", b"md:a", b"s3:", b"http:", b"a b", b"a'b", b'a"b', b"a%20b",
             b":memory:", b"~a", b"$HOME", b"a*[b]", b"a\nb", "é☃".encode()]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "is_relative"), [*((name, True) for name in ODD_NAMES), *((name, False) for name in ODD_NAMES[:8])]
)
def test_a_home_may_have_any_name(tmp_path, monkeypatch, prepared, name, is_relative):
    monkeypatch.chdir(tmp_path)
    folder = Path(name.decode()) if is_relative else tmp_path / name.decode()
    path = folder / "warehouse.duckdb"
    if not is_relative:
        folder.mkdir(parents=True)
        shutil.copy(prepared, path)
    prepare_warehouse(path)
    add_headlines(path, 1)
    with reading(path) as connection:
        assert connection.execute("SELECT count(*) FROM headlines").fetchall() == [(1,)]
    assert [each.name for each in tmp_path.iterdir()] == [name.decode()]
    assert [each.name for each in folder.iterdir()] == ["warehouse.duckdb"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("\udcff\udcfe", r"\\xff\\xfe: its name is not UTF-8; name another folder"),
        ("a?b", r"a\?b: DuckDB opens no file in a folder with \? in its name; name another"),
        ("a\\b/c", "with .* in its name; name another"),
    ],
)
def test_a_home_whose_name_duckdb_cannot_open_is_refused(monkeypatch, tmp_path, name, message):
    monkeypatch.setenv("FINTONE_HOME", f"{tmp_path}/{name}")
    with pytest.raises(InputError, match=f"^FINTONE_HOME {tmp_path}/.*{message}$"):
        Home.from_environment()
    assert list(tmp_path.iterdir()) == []


def test_a_home_in_a_folder_whose_name_is_not_utf_8_is_refused(monkeypatch, tmp_path):
    (tmp_path / "\udcff").mkdir()
    monkeypatch.chdir(tmp_path / "\udcff")
    monkeypatch.delenv("FINTONE_HOME", raising=False)
    with pytest.raises(InputError, match=r"\\xff/\.fintone: its name is not UTF-8; name another folder$"):
        Home.from_environment()


@pytest.mark.parametrize("size", [0, 4_096, 8_192])
@pytest.mark.parametrize("beside", ["adapters/3f9a11112222", "reports/index.html"])
def test_the_beginning_of_a_warehouse_in_a_home_with_results_is_damage(prepared, tmp_path, size, beside):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(prepared.read_bytes()[:size])
    (tmp_path / beside).mkdir(parents=True)
    for use in (prepare_warehouse, lambda path: reading(path).__enter__()):
        with pytest.raises(WarehouseDamagedError, match=rf"cut short: {size:,} of 12,288 bytes or more are there"):
            use(path)
    assert path.stat().st_size == size


def test_the_headers_are_those_of_this_duckdb(tmp_path):
    duckdb.connect(tmp_path / "empty.duckdb").close()
    assert (tmp_path / "empty.duckdb").stat().st_size == HEADERS


def test_a_warehouse_for_which_memory_does_not_suffice_is_no_foreign_file(tmp_path: Path) -> None:
    error = duckdb.OutOfMemoryException("Out of Memory Error: Allocation failure")
    assert isinstance(explain_opening(error, tmp_path / "warehouse.duckdb", read_only=True), MemoryError)
