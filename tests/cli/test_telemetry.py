"""Prefect's telemetry is turned off before Prefect is imported, whichever command imports it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBE = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "prefect":
            print("imported with", os.environ.get("DO_NOT_TRACK"), os.environ.get("PREFECT_SERVER_ANALYTICS_ENABLED"))
            os._exit(0)

sys.meta_path.insert(0, Watch())
from cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", [["ingest", "news.csv"], ["run", "--data", "news.csv"]])
def test_telemetry_is_forbidden_before_prefect_is_imported(tmp_path: Path, command: list[str]) -> None:
    rows = [
        f"{company} said it is {label},{label}" for company in "ABC" for label in ("positive", "negative", "neutral")
    ]
    (tmp_path / "news.csv").write_text("\n".join(["text,label", *rows]))
    (tmp_path / "profiles.toml").write_text('active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n')
    variables = {"PREFECT_HOME": str(tmp_path), "FINTONE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in os.environ.items() if "TRACK" not in name and "PREFECT" not in name}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command],
        cwd=tmp_path,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "imported with 1 false\n"
