"""The environment of processes that load torch."""

import os

_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
"""glibc keeps freed tensors of up to 32 MiB for the next ones: getting cleared memory from the system for each batch
takes a twentieth of scoring. Other C libraries ignore it."""
_SHORT_WAITS = {"GOMP_SPINCOUNT": "2000"}
"""How long a waiting thread of GNU's OpenMP spins before it gives up its core. Its default makes training many times
slower while another program runs; this value costs nothing on an idle machine."""
_NO_COMPILER = {"TORCHDYNAMO_DISABLE": "1"}
"""torch compiles nothing. bitsandbytes marks functions for compilation that nothing here calls; that alone loads the
compiler, which takes a fifth of the time of all libraries."""


def torch_environment() -> dict[str, str]:
    """The variables of this process, and those that it lacks of the ones above."""
    return {**_KEPT_MEMORY, **_SHORT_WAITS, **_NO_COMPILER, **os.environ}
