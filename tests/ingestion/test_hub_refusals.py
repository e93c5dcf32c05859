"""A data set of the hub that cannot be read is refused in one line, and no code of it is run."""

from pathlib import Path

import pytest

from ingestion.hub_dataset import HubReference
from tests.ingestion.fake_hub import COMMIT, CSV, NAME, NEWS, OTHER, FakeHub, error_of, pairs, read_rows

TWO_CONFIGS = b"""---
configs:
- config_name: agree
  data_files: agree.csv
- config_name: all
  data_files: all.csv
---
"""


def test_one_of_several_configs_must_be_named(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"README.md": TWO_CONFIGS, "agree.csv": CSV, "all.csv": CSV + b"Flat.,neutral\n"}}
    assert error_of() == (
        "source 'hf:org/news' has several configs, its configs are ['agree', 'all']: "
        "name one as hf:org/news:CONFIG@REVISION"
    )
    assert error_of(HubReference(NAME, "al", "main")) == (
        "source 'hf:org/news:al@main' has no config 'al', its configs are ['agree', 'all']: "
        "name one as hf:org/news:CONFIG@main"
    )
    assert pairs(read_rows(HubReference(NAME, "all")))[2:] == [("Flat.", "neutral")]


def test_a_loading_script_is_never_run(hub: FakeHub, tmp_path: Path) -> None:
    script = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    hub.commits = {COMMIT: {"news.py": script, "README.md": b"# News\n"}}
    assert error_of().startswith(
        "source 'hf:org/news' needs a loading script, and code of a data set is never run: give"
    )
    assert not (tmp_path / "ran").exists()


def test_a_broken_file_is_refused_with_its_commit(hub: FakeHub, capfd: pytest.CaptureFixture[str]) -> None:
    hub.commits = {COMMIT: {"news.parquet": b"PAR1 and then nothing"}}
    assert error_of().startswith(f"source 'hf:org/news' cannot be read at commit {COMMIT} (")
    assert capfd.readouterr() == ("", "")


def test_files_of_no_known_kind_are_refused(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"README.md": b"# News\n", "news.exe": b"MZ"}}
    assert "has no file of a kind that is known at commit" in error_of()


def test_a_card_that_points_out_of_its_commit_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(CSV)
    card = f"---\nconfigs:\n- config_name: default\n  data_files: {tmp_path}/mine.csv\n---\n"
    hub.commits = {COMMIT: {"README.md": card.encode()}}
    assert "(Data files don't belong to org/news" in error_of()


def test_the_reason_why_the_hub_refuses_is_reported(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}}
    assert error_of(NEWS, OTHER) == f"source 'hf:org/news' has no revision '{OTHER}'; give a commit, branch or tag"
    gone = HubReference("org/gone")
    assert error_of(gone) == "source 'hf:org/gone' is not on the hub, or private; check it or set HF_TOKEN"
    hub.gated = True
    assert error_of() == (
        "source 'hf:org/news' is gated; accept its terms on the hub and set HF_TOKEN to a token that may read it"
    )


def test_a_copy_of_another_commit_is_never_used_instead(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {"news.csv": CSV}, OTHER: {"news.py": b"", "README.md": b""}}
    read_rows()
    assert error_of(NEWS, OTHER) == (
        f"source 'hf:org/news' cannot be read at commit {OTHER}, and the copy on this machine is of commit {COMMIT}: "
        "give that one as @REVISION"
    )
