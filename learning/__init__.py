"""The machine learning. Importing it mutes what bitsandbytes warns at its import: an optional kernel is absent."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
