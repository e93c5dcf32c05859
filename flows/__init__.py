"""The flows, and the root of the project in front of the path on which modules are found.

Prefect looks for the hooks of a run that was cancelled by a script of its own, whose folder has another `storage`.
"""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])
if sys.path[0] != _ROOT:
    sys.path.insert(0, _ROOT)
