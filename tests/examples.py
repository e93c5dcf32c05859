"""How many examples a property test tries: few in `make test`, all in `make soak`."""

import os

IS_SOAK = bool(os.environ.get("FINTONE_SOAK"))


def examples(count: int) -> int:
    """All of them in a soak, else a fifth, and at least 8."""
    return count if IS_SOAK else max(count // 5, 8)
