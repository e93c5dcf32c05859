"""`fintone doctor` on a sound machine, and on machines that were broken on purpose."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from cli.doctor import checkup
from cli.doctor.checkup import GROUPS, examine

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
SUBJECTS = [subject for group in GROUPS for subject in group]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, no token and no hub, whatever this machine has."""
    for name in ("PREFECT_API_URL", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")


@pytest.mark.slow
def test_a_sound_machine_has_no_failure(fintone: Run, home: Path) -> None:
    code, out, err = fintone("doctor", "--format", "json")
    found = {row["subject"]: row for row in json.loads(out)}
    assert (code, err) == (0, "")
    assert list(found) == SUBJECTS
    assert {row["state"] for row in found.values()} <= {"ok", "note"}
    assert {row["subject"]: row["remedy"] for row in found.values() if row["state"] == "ok" and row["remedy"]} == {}
    assert [row for row in found.values() if row["state"] == "note" and not row["remedy"]] == []
    assert found["4-bit"]["state"] == found["versions"]["state"] == found["home"]["state"] == "ok"
    assert found["warehouse"]["message"] == "does not exist yet"
    assert not home.exists()
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.slow
def test_faults_are_reported_without_secrets(fintone: Run, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(warehouse) as connection:
        connection.execute("INSERT INTO fintone_migrations VALUES (999, 'later', now())")
    others = [group for group in GROUPS if "4-bit" not in group]  # it takes most of the time, and passes
    monkeypatch.setattr(checkup, "examine", lambda: examine(others))
    monkeypatch.setenv("HF_TOKEN", "hf_" + "secret" * 6)
    monkeypatch.setenv("PREFECT_API_KEY", "pnu_" + "secret" * 6)
    monkeypatch.setenv("PREFECT_API_URL", "http://user:secret@127.0.0.1:1/api")
    code, out, err = fintone("doctor")
    assert (code, err) == (1, "")
    message = " ".join(out.split())
    assert "fail warehouse" in message
    assert "a newer fintone made it (migration 999, " in message
    assert "-> upgrade fintone" in message
    assert "fail Prefect no Prefect server answers at http://127.0.0.1:1/api (" in message
    assert "a token is set by HF_TOKEN" in message
    assert message.endswith("fix this before a run: warehouse, Prefect")
    assert "secret" not in out


@pytest.mark.soak
def test_in_a_pipe_the_text_is_plain_and_no_wider_than_columns(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    environment = {**os.environ, "COLUMNS": "60", "FINTONE_HOME": str(tmp_path / "file"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", "from cli.main import main; main()", "doctor"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    assert max(map(len, result.stdout.splitlines())) <= 60
    assert "\x1b" not in result.stdout
    assert "is a file" in " ".join(result.stdout.split())  # wherever the lines break
    assert result.stdout.endswith("fix this before a run: home\n")


@pytest.mark.slow
def test_a_library_that_cannot_be_loaded_fails_only_its_own_checks(
    fintone: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken" / "bitsandbytes"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('libcudart.so: cannot open shared object file')")
    shutil.copytree(broken, broken.parent / "duckdb")
    monkeypatch.setenv("PYTHONPATH", f"{broken.parent}:{ROOT}")
    code, out, _ = fintone("doctor", "--format", "json")
    failed = {row["subject"]: row["message"] for row in json.loads(out) if row["state"] == "fail"}
    assert code == 1
    assert failed.keys() == {"4-bit", "warehouse"}
    assert failed["4-bit"].startswith("the check failed: OSError: libcudart.so: cannot open")
