"""Profiles: those that ship are listed and shown, and a file of settings is one from any folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.profiles import PROFILES, load_profile, load_profile_text

Run = Callable[..., tuple[int, str, str]]


def test_the_profiles_are_listed_with_what_each_is(fintone: Run) -> None:
    code, out, err = fintone("profiles")
    assert (code, [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]) == (0, list(PROFILES))
    assert "The protocol of Camargo 2024" in " ".join(out.split())
    assert "fintone profiles desk > my.yaml" in err


def test_a_profile_is_shown_as_the_file_that_makes_it(fintone: Run, home: Path) -> None:
    code, out, _ = fintone("profiles", "desk-pt")
    assert (code, out) == (0, load_profile_text("desk-pt"))
    Path("my.yaml").write_text(out)
    assert load_profile("my.yaml") == load_profile("desk-pt")
    assert fintone("profiles", "my.yaml")[1] == out


def test_a_users_profile_runs_by_its_path_from_any_folder(fintone: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "Our desk_2.yml").write_text(load_profile_text("demo").replace("name: demo\n", ""))
    for path in ("../Our desk_2.yml", str(tmp_path / "Our desk_2.yml")):
        code, out, _ = fintone("run", "--profile", path, "--dry-run")
        assert (code, "profile our-desk-2" in out, "2e-06" in out) == (0, True, True)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "dsk",
            "unknown profile 'dsk', did you mean 'desk'?; there are demo, desk, desk-pt, paper (`fintone profiles`",
        ),
        ("dsk", "or give a file of your own by its path, as in --profile my.yaml"),
        ("none.yaml", "profile none.yaml: cannot be read (No such file or directory); check its path"),
        ("../", "profile ..: is not a regular file; give a file of settings, as `fintone profiles desk` prints them"),
        ("list.yaml", "profile list.yaml: no settings; write settings, as `fintone profiles desk` prints them"),
        ("torn.yaml", "profile torn.yaml: no valid YAML or JSON"),
        ("group.yaml", "profile group.yaml: training = 3: must be a group of settings"),
        ("grid.yaml", "grid: 1 must be a valid dictionary"),
        ("typo.yaml", "unknown setting data.sauce; did you mean data.source?"),
        ("part.yaml", "split is missing: give it a value"),
    ],
)
def test_an_invalid_profile_is_reported_in_one_line(
    refuse: Callable[..., str], home: Path, name: str, line: str
) -> None:
    texts = {
        "list": "- 1",
        "torn": "a: [",
        "group": "training: 3",
        "grid": "grid: [1]",
        "part": "data: {source: x.csv}",
    }
    texts["typo"] = load_profile_text("demo").replace("  source:", "  sauce:")
    for stem, text in texts.items():
        Path(f"{stem}.yaml").write_text(text)
    assert line in refuse("run", "--profile", name, "--data", "x.csv", "--base-model", "embedded", "--epochs", "1")
