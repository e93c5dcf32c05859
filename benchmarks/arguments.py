"""The command lines of benchmarks: the options that those of learning share. Measures nothing."""

import argparse
from pathlib import Path


def learning_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options `--data` and `--model`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--model", type=Path, help="folder of the base model; on a CPU the embedded one if not given")
    return parser


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option `--data`."""
    explanation = "labelled headlines, split as the profile `paper` does"
    parser.add_argument("--data", type=_resolve_source, default="embedded", help=explanation)


def _resolve_source(word: str) -> str:
    """A source, as the type of an option: a path is made absolute, since studies run elsewhere."""
    return word if word == "embedded" else str(Path(word).resolve())


def parse_nothing(description: str | None) -> None:
    """Take no option but `--help`."""
    argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()


def positive(word: str) -> int:
    """A whole number of 1 or more, as the type of an option."""
    number = int(word)
    if number < 1:
        raise ValueError
    return number
