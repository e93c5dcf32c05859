"""What a person types names one thing: an id, the beginning of one, or a name; else an error lists what fits."""

from pathlib import Path

import pytest

from schemas.promotion import Champion
from storage.catalogue import list_cells, list_champions, list_studies
from storage.cells import add_cells, find_cell, load_short_ids
from storage.champions import Decision, save_decision
from storage.lookup import AmbiguousIdError, UnknownIdError, find_entry, find_study
from storage.studies import save_study
from storage.warehouse import writing

LR = "lr=2e-04 epochs=3"


@pytest.fixture
def twins(finished: Path, study, cell) -> Path:
    """Two more studies, of one name, and two cells whose ids begin alike, of another name."""
    for study_id in ("beef1", "beef2"):
        save_study(finished, study(study_id=study_id, name="weekly"))
    add_cells(finished, "beef1", [cell(cell_id="beefcell1", name="twin"), cell(cell_id="cafe1", name="r=16")])
    add_cells(finished, "beef2", [cell(cell_id="beefcell2", name="twin"), cell(cell_id="cafe22", name="r=64")])
    return finished


def test_an_id_a_beginning_and_a_name_are_found(twins: Path) -> None:
    wanted = {
        "study": ("study", "study"),
        "tuned": ("cell", "tuned"),
        "tune": ("cell", "tuned"),
        "r=16": ("cell", "cafe1"),
        "snap": ("snapshot", "snapshot"),
        "split": ("split", "split"),
        "inge": ("ingestion", "ingest"),
        "tuned at 0.1": ("evaluation", "tuned at 0.1"),
        "0000000000000003": ("headline", "0000000000000003"),
    }
    assert {text: find_entry(twins, text)[:2] for text in wanted} == wanted


def test_a_text_that_names_nothing_or_several_things_is_refused(twins: Path) -> None:
    beginnings = {
        "nonesuch": "nonesuch: no id or name; `fintone list` shows studies",
        "cel": "id 'cel': give a name, or the first 4 characters or more of an id",
        "beef": "beef: 4 things match: cell beefcell1 (twin), cell beefcell2 (twin), study",
        "twin": "twin: 2 things match: cell beefcell1 (twin), cell beefcell2 (twin)",
        "weekly": "weekly: 2 things match: study beef1 (weekly), study beef2 (weekly)",
        "champion": "champion: no cell has been promoted yet",
        "tunde": "tunde: no id or name, did you mean 'tuned'?; `fintone list`",
        "weekyl": "weekyl: no id or name, did you mean 'weekly'?; ",
        "snop": "snop: no id or name, did you mean 'snapshot'?; ",
        "champoin": "champoin: no id or name, did you mean 'champion'?; ",
        "champ": "champ: no id or name, did you mean 'champion'?; ",
    }
    for text, line in beginnings.items():
        with pytest.raises((UnknownIdError, AmbiguousIdError)) as raised:
            find_entry(twins, text)
        assert str(raised.value).startswith(line)


def test_commands_take_names_of_cells_and_studies(twins: Path, cell) -> None:
    wanted = {"r=64": "cafe22", "cafe1": "cafe1", "tune": "tuned"}
    assert {text: find_cell(twins, text).record.cell_id for text in wanted} == wanted
    matches = r"cell beefcell1 \(twin\), cell beefcell2 \(twin\); give an id, or more of it"
    with pytest.raises(AmbiguousIdError, match=f"^cell twin: 2 things match: {matches}"):
        find_cell(twins, "twin")
    with pytest.raises(AmbiguousIdError, match=f"^cell beef: 2 things match: {matches}"):
        find_cell(twins, "beef")
    with pytest.raises(AmbiguousIdError, match=r"^study weekly: 2 things match: study beef1 \(weekly\), study beef2"):
        find_study(twins, "weekly")
    for text in ("bee", ""):  # an empty id is not the latest study, which `fintone delete ""` would offer to delete
        with pytest.raises(
            AmbiguousIdError, match=f"^study '{text}': give a name, or the first 4 characters or more of an id"
        ):
            find_study(twins, text)
    with writing(twins) as connection:
        connection.execute("UPDATE studies SET name = 'first' WHERE study_id = 'beef1'")
    assert [find_study(twins, text) for text in ("first", "weekly", "beef2", None)] == ["beef1", *["beef2"] * 3]


def test_short_ids_are_taken_by_commands_and_name_one_cell(twins: Path) -> None:
    short = load_short_ids(twins)
    assert (short["tuned"], short["beefcell1"], short["cafe1"], short["cafe22"]) == (
        "tune",
        "beefcell1",
        "cafe1",
        "cafe2",
    )
    known = {cell_id: beginning for cell_id, beginning in short.items() if len(cell_id) > 3}
    assert [find_cell(twins, beginning).record.cell_id for beginning in known.values()] == list(known)


def test_a_former_champion_has_its_accuracy_although_its_decisions_study_is_gone(finished: Path) -> None:
    save_decision(finished, Decision("promoted", "gate", "good", "earlier", "tuned", 0.1), None)
    assert [row[3] for row in list_champions(finished).rows] == [0.83]


def test_lists_have_figures_and_who_is_champion(finished: Path) -> None:
    save_decision(finished, Decision("promoted", "gate", "good", "study", "tuned", 0.1), None)
    save_decision(finished, Decision("kept", "gate", "worse", "study", "base", 0.1), Champion("tuned", 0.1))
    studies, cells, champions = (
        [dict(zip(listed.columns, row, strict=True)) for row in listed.rows]
        for listed in (list_studies(finished), list_cells(finished), list_champions(finished))
    )
    assert [(row["study"], row["accuracy"], row["cells"], row["tuned"]) for row in studies] == [
        ("study", 0.83, 3, ["tuned"])
    ]
    assert [(row["cell"], row["accuracy"], row["is_champion"]) for row in cells] == [
        ("base", 0.83, False),
        ("svm", 0.83, False),
        ("tuned", 0.83, True),
    ]
    assert [(row["cell"], row["name"], row["temperature"], row["decided_by"]) for row in champions] == [
        ("tuned", LR, 0.1, "gate")
    ]


def test_for_a_mistyped_cell_or_study_the_nearest_is_suggested(twins: Path) -> None:
    with pytest.raises(UnknownIdError, match=r"^cell cafe2x: not in the warehouse, did you mean 'cafe22'\?; "):
        find_cell(twins, "cafe2x")
    with pytest.raises(UnknownIdError, match=r"^cell Champion: not in the warehouse, did you mean 'champion'\?; "):
        find_cell(twins, "Champion")
    with pytest.raises(UnknownIdError, match=r"^study champion: not in the warehouse; "):
        find_study(twins, "champion")
    with pytest.raises(UnknownIdError, match=r"^study stduy: not in the warehouse, did you mean 'study'\?; "):
        find_study(twins, "stduy")


def test_the_id_of_something_else_is_recognised(twins: Path) -> None:
    with pytest.raises(UnknownIdError, match=r"^cell stud: not in the warehouse, but study study is; "):
        find_cell(twins, "stud")
    with pytest.raises(UnknownIdError, match=r"^study cafe2: not in the warehouse, but cell cafe22 is; "):
        find_study(twins, "cafe2")
