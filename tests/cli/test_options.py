"""What the commands share."""

import pytest

from cli.options import describe_interruption


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["run", "--profile", "paper"], "; what was finished is kept, and the same command goes on from there"),
        (["score", "news.csv"], "; what was finished is kept, and the same command goes on from there"),
        (["--debug", "score", "-"], "; what was answered is kept, but a pipe is not read again"),
        (["sql", "FROM studies"], ""),
        ([], ""),
    ],
)
def test_an_interruption_promises_only_what_the_command_keeps(arguments: list[str], kept: str) -> None:
    assert describe_interruption(arguments) == f"fintone: interrupted{kept}"
