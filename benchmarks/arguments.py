"""What the benchmarks of learning take from the command line. Measures nothing."""

import argparse
from pathlib import Path


def learning_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of `--data` and `--model`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="embedded", help="labelled headlines, split as the profile `paper` does")
    parser.add_argument("--model", type=Path, help="folder of the base model; on a CPU the embedded one if not given")
    return parser
