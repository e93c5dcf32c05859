"""A home that can be read and not written is good for what only reads: reports elsewhere, and queries."""

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

run("report", "--output", warm + "/warm")  # whatever is imported is imported before rights are given up
run("sql", "SELECT 1")
if os.geteuid() == 0:
    os.setuid(65534)
print("stranger", flush=True)
run("report", "--output", out + "/report")
run("sql", "SELECT status FROM cells WHERE kind = 'fine-tuned'")
run("report")
"""


def test_a_report_and_a_query_need_no_right_to_write(
    trained: tuple[Path, str, StudyPlan], tmp_path: Path, readable_by_others: None
) -> None:
    with tempfile.TemporaryDirectory() as place:  # not under pytest's own folder, into which no one else may look
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
    said = done.stdout.partition("stranger\n")[2]
    assert [line for line in said.splitlines() if line.startswith("code")] == ["code 0", "code 0", "code 2"]
    assert "finished" in said
    assert "cannot be written (Permission denied)" in done.stderr
