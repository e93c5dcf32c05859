"""A warehouse that another process has open for writing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import warehouse as warehouse_module

ROOT = Path(warehouse_module.__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from storage.warehouse import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@contextmanager
def held_elsewhere(warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    """The process that has it open in the block, or until it reads a line."""
    command = [sys.executable, "-c", HOLDER, str(warehouse)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.communicate("go on\n")
