"""The machine learning. Importing it mutes a warning of bitsandbytes at import: an optional kernel is absent."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
