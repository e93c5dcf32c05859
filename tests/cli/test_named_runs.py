"""`fintone run --name --tag`: what a person calls a study, checked before anything runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


def test_a_dry_run_shows_name_and_tags(fintone: Run, home: Path) -> None:
    code, out, _ = fintone("run", "--dry-run", "--name", "weekly: 1, 2", "--tag", "desk=fx", "--tag", "why=a=b, c")
    assert code == 0
    assert "profile demo, named weekly: 1, 2, desk=fx, why=a=b, c" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--tag", "desk"], "--tag desk: sets nothing; write --tag KEY=VALUE"),
        (["--tag", "a=1", "--tag", "a=2"], "--tag a=2: comes twice"),
        (["--tag", "my desk=fx"], "'my desk' is no key of a tag"),
        (["--tag", "desk="], "tags"),
        (["--name", "a\nb"], "write one line"),
        (["--name", "x" * 81], "study_name"),
    ],
)
def test_an_invalid_name_or_tag_is_reported_in_one_line(
    refuse: Refuse, home: Path, arguments: list[str], line: str
) -> None:
    assert line in refuse("run", "--dry-run", *arguments)
