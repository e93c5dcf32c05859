"""A home that can only be read serves commands that only read it: reports elsewhere, and queries."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cli import main as cli
from schemas.plan import StudyPlan

ROOT = Path(cli.__file__).parents[1]
STRANGER = """
import os, sys
from cli.main import main

warm, out = sys.argv[1:]

def run(*words):
    sys.argv = ["fintone", *words]
    try:
        main()
    except SystemExit as end:
        print("code", end.code, flush=True)

run("report", "--output", warm + "/warm")  # so that all imports happen before rights are given up
run("sql", "SELECT 1")
if os.geteuid() == 0:
    os.setuid(65534)
print("stranger", flush=True)
run("report", "--output", out + "/report")
run("sql", "SELECT status FROM cells WHERE kind = 'fine-tuned'")
run("report")
"""


def test_a_report_and_a_query_need_no_write_permission(
    trained: tuple[Path, str, StudyPlan], tmp_path: Path, readable_by_others: None
) -> None:
    with tempfile.TemporaryDirectory() as place:  # not in pytest's folder, which other users may not read
        home, out = Path(place) / "home", Path(place) / "out"
        Path(place).chmod(0o755)
        shutil.copytree(trained[0], home)
        out.mkdir()
        out.chmod(0o777)
        environment = {**os.environ, "FINTONE_HOME": str(home), "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(out)}
        script = tmp_path / "stranger.py"
        script.write_text(STRANGER)
        subprocess.run(["chmod", "-R", "a-w,a+rX", home], check=True)
        command = [sys.executable, script, tmp_path, out]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (out / "report" / "index.html").exists(), done.stdout + done.stderr
        subprocess.run(["chmod", "-R", "u+w", home], check=True)
    output = done.stdout.partition("stranger\n")[2]
    assert [line for line in output.splitlines() if line.startswith("code")] == ["code 0", "code 0", "code 2"]
    assert "finished" in output
    assert "cannot be written (Permission denied)" in done.stderr
