"""The command-line options that the benchmarks of learning share. Measures nothing."""

import argparse
from pathlib import Path


def learning_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options `--data` and `--model`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="embedded", help="labelled headlines, split as the profile `paper` does")
    parser.add_argument("--model", type=Path, help="folder of the base model; on a CPU the embedded one if not given")
    return parser
