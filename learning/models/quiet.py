"""Silences the libraries' warnings and notices in the user's terminal. Their errors still show."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.quiet import quiet_loggers

CHATTY = (
    "transformers",
    "trl",
    "accelerate",
    "peft",
    "datasets",
    "bitsandbytes",
    "sentence_transformers",
    "torch.utils.checkpoint",
)

_EXPERTS = r"The following (?:rank|alpha)_pattern keys did not match"
"""Peft's patterns for the experts of Mixtral match parameters, of which the warning knows nothing."""


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence log lines below errors and deprecation warnings in the block, and progress bars from then on."""
    with quiet_loggers(CHATTY, logging.ERROR), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", _EXPERTS, RuntimeWarning)
        from transformers.utils import logging as transformers_logging

        if "datasets" in sys.modules:  # scoring does without it, and it takes a second to load
            from datasets.utils.logging import disable_progress_bar

            disable_progress_bar()
        transformers_logging.disable_progress_bar()
        yield
