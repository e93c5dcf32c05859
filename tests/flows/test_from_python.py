"""A flow that a user's script calls: its process ends without noise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from flows.retrain import retrain
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile

try:
    retrain(build_config(apply_overrides(load_profile("demo"), ["data.source=absent.csv"])))
except Exception as error:
    print(error)
"""


@pytest.mark.soak
def test_a_script_with_prefects_own_server_whose_flow_fails_ends_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    ours = {
        "FINTONE_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a start of 8 s takes over 20 beside other work
    }
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | ours
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "absent.csv" in done.stdout
    assert "Traceback" not in done.stderr
    assert "Stopping temporary server" in done.stderr.splitlines()[-1]
