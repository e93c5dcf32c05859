"""The flows, and the root of the project in front of the path on which modules are found, where that is needed.

Prefect looks for the hooks of a run that was cancelled by a script of its own, whose folder has another `storage`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_found = find_spec("storage")
if _found is None or _found.origin is None or _ROOT not in Path(_found.origin).resolve().parents:
    sys.path.insert(0, str(_ROOT))
