"""A home that can only be read serves commands that only read it: reports elsewhere, queries and exports."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cli import main as cli
from schemas.plan import StudyPlan
from storage.warehouse import writing

ROOT = Path(cli.__file__).parents[1]
STRANGER = """
import os, sys
from cli.main import main
from tests.few_charts import drawing_few_charts

warm, out, cell, study = sys.argv[1:]

def run(*words):
    sys.argv = ["fintone", *words]
    try:
        with drawing_few_charts():
            main()
    except SystemExit as end:
        print("code", end.code, flush=True)

run("report", "--output", warm + "/warm")  # so that all imports happen before rights are given up
run("sql", "SELECT 1")
run("export", cell, "--output", warm + "/exported")
if os.geteuid() == 0:
    os.setuid(65534)
print("stranger", flush=True)
run("report", "--output", out + "/report")
run("sql", "SELECT status FROM cells WHERE kind = 'fine-tuned'")
run("report")
run("export", cell, "--output", out + "/exported")
run("delete", study, "--yes")
run("gc", "--yes")
"""


@pytest.mark.slow
def test_commands_that_only_read_need_no_write_permission_and_others_report_that_they_do(
    trained: tuple[Path, str, StudyPlan], tiny_folder: Path, tmp_path: Path, readable_by_others: None
) -> None:
    with tempfile.TemporaryDirectory() as place:  # not in pytest's folder, which other users may not read
        home, out = Path(place) / "home", Path(place) / "out"
        Path(place).chmod(0o755)
        shutil.copytree(trained[0], home)
        base = shutil.copytree(tiny_folder, Path(place) / "base")
        with writing(home / "warehouse.duckdb") as connection:
            connection.execute("UPDATE cells SET base_folder = ?", [str(base)])
        out.mkdir()
        out.chmod(0o777)
        environment = {**os.environ, "FINTONE_HOME": str(home), "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(out)}
        script = tmp_path / "stranger.py"
        script.write_text(STRANGER)
        subprocess.run(["chmod", "-R", "a-w,a+rX", home, base], check=True)
        command = [sys.executable, script, tmp_path, out, trained[1], trained[2].study_id]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (out / "report" / "index.html").exists(), done.stdout + done.stderr
        assert (out / "exported" / "README.md").exists(), done.stdout + done.stderr
        subprocess.run(["chmod", "-R", "u+w", home, base], check=True)
    output = done.stdout.partition("stranger\n")[2]
    codes = [line.removeprefix("code ") for line in output.splitlines() if line.startswith("code")]
    assert codes == ["0", "0", "2", "0", "1", "1"], done.stderr
    assert "finished" in output
    assert "cannot be written (Permission denied)" in done.stderr
    assert done.stderr.count(f"fintone: home {home}: may not be written; make it writable, or set FINTONE_HOME\n") == 2
