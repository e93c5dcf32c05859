"""The flows find the project's own packages, whatever is found first."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_storage_beside_the_script_does_not_hide_the_project_s(tmp_path: Path) -> None:
    (tmp_path / "storage.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.append({str(ROOT)!r}); import flows.retrain, storage; print(storage.__file__)"
    )
    shown = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert Path(shown.strip()) == ROOT / "storage" / "__init__.py"
