"""The places of files under FINTONE_HOME."""

from pathlib import Path

import pytest

from schemas.errors import InputError
from storage.home import Home


def test_the_home_is_the_folder_that_the_environment_names(monkeypatch, tmp_path):
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    home = Home.from_environment()
    assert home.warehouse == tmp_path / "home" / "warehouse.duckdb"
    assert home.adapter("cell") == tmp_path / "home" / "adapters" / "cell"
    assert home.report("study") == tmp_path / "home" / "reports" / "study" / "index.html"
    assert not home.root.exists()


@pytest.mark.parametrize("value", [None, ""])
def test_the_home_is_in_the_working_folder_by_default(monkeypatch, value):
    monkeypatch.delenv("FINTONE_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("FINTONE_HOME", value)
    assert Home.from_environment().root == Path(".fintone")


def test_create_makes_the_folders_once_or_twice(tmp_path):
    home = Home(tmp_path / "new" / "home")
    home.create()
    home.create()
    assert home.adapters.is_dir()
    assert home.models.is_dir()
    assert home.reports.is_dir()
    assert not home.warehouse.exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "home").write_text("mine")
    with pytest.raises(InputError, match=r"FINTONE_HOME .*home: cannot create .*File exists"):
        Home(tmp_path / "home").create()
    assert (tmp_path / "home").read_text() == "mine"


@pytest.mark.parametrize(("name", "fault"), [("~nobody-of-this-name/home", "names no user"), ("x" * 300, "too long")])
def test_a_name_that_no_folder_can_have_is_refused(monkeypatch, name, fault):
    monkeypatch.setenv("FINTONE_HOME", name)
    with pytest.raises(InputError, match=f"^FINTONE_HOME .*{fault}"):
        Home.from_environment()


@pytest.mark.parametrize("identifier", ["../outside", "", "..", "a\0b"])
def test_an_id_that_is_no_name_of_a_file_leads_nowhere(tmp_path, identifier):
    home = Home(tmp_path)
    for find in (home.adapter, home.report, home.checkpoint):
        with pytest.raises(InputError, match=r"is no id that fintone gives"):
            find(identifier)
