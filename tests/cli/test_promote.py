"""`fintone promote`: a person decides who is champion, with a recorded reason, and one command reverses it."""

import re
import shutil
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from getpass import getuser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from operations.floors import describe_proposal
from operations.promotion import carry_out, propose
from schemas.promotion import Champion
from storage.champions import ChampionChangedError, Decision, load_champion, save_decision
from storage.query import query
from storage.warehouse import writing
from tests.cli.judged_home import BASE, BASELINE, ONE, TWO, UNTRAINED, make_judged_home

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


@pytest.fixture(scope="module")
def judged(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("judged")
    make_judged_home(home, prepared)
    return home


@pytest.fixture
def study(judged: Path, home: Path) -> Path:
    return Path(shutil.copytree(judged, home)) / "warehouse.duckdb"


def find_champions(out: str) -> list[str]:
    """The lines that name the champion and the one before."""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    return [line for line in lines if re.match(r"(champion [0-9a-f]|before )", line)]


def test_the_page_of_all_studies_is_updated(fintone: Run, study: Path, home: Path) -> None:
    (home / "reports").mkdir()
    page = home / "reports" / "index.html"
    page.write_text("older", encoding="utf-8")
    assert fintone("promote", ONE, "--reason", "the gate is too strict", "--yes")[0] == 0
    assert "the gate is too strict" in page.read_text(encoding="utf-8")


def test_a_person_promotes_and_goes_back(fintone: Run, study: Path) -> None:
    code, out, err = fintone("promote", "aaaa", "--reason", "the  gate is\ntoo strict", "--by", " M. Curie ", "--yes")
    assert (code, err) == (0, "")
    assert find_champions(out) == [f"champion {ONE} at temperature 0.1", "before none"]
    assert fintone("promote", TWO, "--reason", "better on my desk", "--temperature", "1", "--yes")[0] == 0
    code, out, _ = fintone("promote", "--back", "--reason", "it was not", "--yes")
    assert code == 0
    assert find_champions(out) == [f"champion {ONE} at temperature 0.1", f"before {TWO} at temperature 1"]
    decisions = query(
        study,
        "SELECT decision, decided_by, reason, study_id, cell_id, champion_cell_id, champion_temperature,"
        " previous_cell_id, p_value, person, snapshot_id FROM champions ORDER BY decided_at",
    ).rows
    assert decisions == [
        ("promoted", "person", "the gate is too strict", "study", ONE, ONE, 0.1, None, None, "M. Curie", "snapshot"),
        ("promoted", "person", "better on my desk", "study", TWO, TWO, 1.0, ONE, None, getuser(), "snapshot"),
        ("rolled back", "person", "it was not", "study", ONE, ONE, 0.1, TWO, None, getuser(), "snapshot"),
    ]


def test_a_clock_that_is_set_back_changes_no_order(fintone: Run, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        """Two days behind."""

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - timedelta(days=2)

    assert fintone("promote", ONE, "--reason", "the first", "--yes")[0] == 0
    monkeypatch.setattr("storage.warehouse.datetime", Clock)
    _, out, _ = fintone("promote", TWO, "--reason", "better", "--yes")
    assert find_champions(out) == [f"champion {TWO} at temperature 0.1", f"before {ONE} at temperature 0.1"]
    assert query(study, "SELECT DISTINCT cell_id FROM leaderboard WHERE is_champion").rows == [(TWO,)]
    code, out, err = fintone("promote", "--back", "--reason", "it was not", "--yes")
    assert (code, err) == (0, "")
    assert find_champions(out) == [f"champion {ONE} at temperature 0.1", f"before {TWO} at temperature 0.1"]
    assert "is the first one" in fintone("promote", "--back", "--reason", "once more", "--yes")[2]


class Keyboard(StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets somebody type an answer on a terminal."""

    def answer(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", Keyboard(text))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    return answer


def test_on_a_terminal_it_shows_both_cells_and_the_missed_floors_and_asks(
    fintone: Run, study: Path, type_in: Callable[[str], None]
) -> None:
    fintone("promote", ONE, "--reason", "the first", "--yes")
    with writing(study) as connection:
        connection.execute("UPDATE evaluations SET accuracy = .25, unparsed_rate = .5 WHERE cell_id = ?", [TWO])
    for typed in ("n\n", "\n", ""):
        type_in(typed)
        code, out, err = fintone("promote", TWO, "--reason", "better")
        text = " ".join(out.split())
        assert f"champion now cell {ONE} (seed=0) at temperature 0.1: accuracy .500 [.500, .500], macro-F1 .500" in text
        assert f"becomes champion cell {TWO} (seed=1) at temperature 0.1: accuracy .250" in text
        assert "floors missed accuracy .250 is below the floor of 0.5; unparsed .500, above the 0.05 allowed;" in text
        assert f"cannot be compared with the champion {ONE}" in text
        assert "floors met none" in text
        assert (code, err) == (1, "fintone: promote: not confirmed, and nothing is changed\n")
        assert load_champion(study) == (ONE, 0.1)
    type_in("y\n")
    assert fintone("promote", TWO, "--reason", "better")[::2] == (0, "")
    assert load_champion(study) == (TWO, 0.1)


def test_without_a_terminal_it_changes_nothing_and_names_the_option_that_does(refuse: Refuse, study: Path) -> None:
    line = refuse("promote", ONE, "--reason", "x")
    assert line == "fintone: promote: cannot ask for confirmation, since this is not a terminal; add --yes\n"
    assert query(study, "FROM champions").rows == []


@pytest.mark.parametrize("by", ["", " ", "a\nb", "x" * 81])
def test_the_name_of_who_decides_must_be_one_line(refuse: Refuse, study: Path, by: str) -> None:
    assert "give one line of up to 80 characters" in refuse("promote", ONE, "--reason", "x", "--by", by, "--yes")


def test_a_system_without_user_names_asks_who_decides(
    refuse: Refuse, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("cli.promote.getuser", fail)
    assert "--by: this system has no user name; name the person who decides" in refuse("promote", ONE, "--reason", "x")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["aaaa"], "--reason: is missing or empty; give a reason, which is recorded"),
        (["aaaa", "--reason", " "], "--reason: is missing or empty"),
        ([], "give a cell, or --back"),
        (["aaaa", "--back", "--reason", "x"], "give a cell, or --back, not both"),
        (["--back", "--temperature", "1", "--reason", "x"], "--back keeps the temperature"),
        (
            ["--back", "--reason", "x"],
            "champion: no cell has been promoted, so that there is no earlier one to go back to",
        ),
        (["eeee", "--reason", "x"], "cell eeee: not in the warehouse"),
        (["cccc", "--reason", "x"], f"cell {UNTRAINED}: was not judged on test, it is planned; run its study"),
        (["dddd", "--reason", "x"], f"cell {BASELINE} is a baseline: no adapter"),
        (["ffff", "--reason", "x"], f"cell {BASE} is the untouched base: no adapter"),
        (["aaaa", "--reason", "x", "--temperature", "10"], f"temperature 10: cell {ONE} was judged at 0.1, 1"),
    ],
)
def test_what_cannot_be_promoted_is_reported_in_one_line(
    refuse: Refuse, study: Path, arguments: list[str], line: str
) -> None:
    assert line in refuse("promote", *arguments)
    assert query(study, "FROM champions").rows == []


def test_a_cell_that_a_race_dropped_is_not_promoted_and_the_reason_is_given(refuse: Refuse, study: Path) -> None:
    with writing(study) as connection:
        connection.execute(
            "INSERT INTO ledger.drops BY NAME SELECT 'study' AS study_id, ? AS cell_id, 1 AS epoch, ? AS best_cell_id,"
            " 9 AS n, 0.1 AS accuracy, 0.9 AS best_accuracy, 0.0 AS p_value, 0.05 AS bound, now() AS dropped_at",
            [UNTRAINED, ONE],
        )
    reason = "the race of study study dropped it before the end; `fintone run --set search=all` trains every cell"
    assert f"cell {UNTRAINED}: was not judged on test, {reason}" in refuse("promote", "cccc", "--reason", "x")
    assert f"cell {UNTRAINED}: no evaluation on test, {reason}" in refuse("compare", "aaaa", "cccc")


def answer_nine(study: Path) -> None:
    """Nine headlines that the first cell has right and the second wrong."""
    with writing(study) as connection:
        connection.execute(
            "INSERT INTO headlines BY NAME SELECT 'h' || range AS headline_id, 'text' AS text, 'neutral' AS label,"
            " 'i' AS first_ingest_id FROM range(9)"
        )
        for cell, answer in ((ONE, "neutral"), (TWO, "positive")):
            connection.execute(
                "INSERT INTO ledger.predictions BY NAME SELECT ? AS evaluation_id, 'h' || range AS headline_id,"
                " ? AS predicted FROM range(9)",
                [f"{cell} 0.1", answer],
            )


def test_floors_are_those_of_the_study_at_the_level_of_the_next_or_the_same_look(fintone: Run, study: Path) -> None:
    answer_nine(study)
    with writing(study) as connection:
        connection.execute("UPDATE studies SET config = ?", ['{"promotion": {"min_accuracy": 0.2, "level": 0.2}}'])
        connection.execute("UPDATE evaluations SET accuracy = .25, accuracy_low = .1 WHERE cell_id = ?", [TWO])
    assert fintone("promote", ONE, "--reason", "x", "--yes")[0] == 0
    lines = dict(describe_proposal(propose(TWO, "x", "me")))
    assert "accuracy .250 [.100, .500]" in lines["becomes champion"]
    assert "accuracy .250 reaches the floor of 0.2" in lines["floors met"]
    assert lines["floors missed"].endswith("p=.004 at level 0.122")  # 6 / pi^2 of the level of the study
    figures = {"evaluation_id": f"{TWO} 0.1", "look": 1, "level": 0.0123, "promotion_level": 0.05}
    save_decision(study, Decision("kept", "gate", "no", "study", TWO, 0.1, **figures), Champion(ONE, 0.1))
    assert "p=.004 at level 0.0123" in dict(describe_proposal(propose(TWO, "x", "me")))["floors missed"]


def test_a_cell_that_is_deleted_during_the_question_is_not_promoted(fintone: Run, refuse: Refuse, study: Path) -> None:
    proposal = propose(TWO, "better", "me")
    with writing(study) as connection:
        for table in ("study_cells", "evaluations", "cells"):
            connection.execute(f"DELETE FROM {table} WHERE cell_id = ?", [TWO])
    with pytest.raises(ChampionChangedError, match=f"cell {TWO}: was deleted in the meantime"):
        carry_out(proposal)
    save_decision(study, proposal.decision, None)  # as an earlier version did
    assert f"cell {TWO}: not in the warehouse, as its study was deleted" in refuse("show", "champion")
    assert (
        f"cell {TWO} at temperature 0.1: not in the warehouse"
        in dict(describe_proposal(propose(ONE, "x", "me")))["champion now"]
    )
    assert fintone("promote", ONE, "--reason", "x", "--yes")[0] == 0


def test_a_champion_of_another_split_is_compared_on_the_headlines_of_both(fintone: Run, study: Path) -> None:
    answer_nine(study)
    with writing(study) as connection:
        connection.execute("UPDATE evaluations SET split_id = 'other' WHERE cell_id = ?", [ONE])
    assert fintone("promote", ONE, "--reason", "x", "--yes")[0] == 0
    out = " ".join(fintone("promote", TWO, "--reason", "x", "--yes")[1].split())
    assert f"is worse than the champion {ONE} on 9 headlines" in out


def test_the_champion_may_be_named_so_wherever_a_cell_is_expected(fintone: Run, refuse: Refuse, study: Path) -> None:
    for command in (["promote", "champion", "--reason", "x"], ["export", "champion", "--output", "x"]):
        assert "champion: no cell has been promoted yet" in refuse(*command)
    assert fintone("promote", ONE, "--reason", "x", "--yes")[0] == 0
    assert f"cell {ONE}: it is the champion already" in refuse("promote", "champion", "--reason", "x")
    out = fintone("withdraw", "champion")[1]
    assert ONE in out
    assert "nothing: this adapter gave every stored answer of the cell" in " ".join(out.split())


def test_answers_are_withdrawn_only_of_a_fine_tuned_cell(refuse: Refuse, study: Path) -> None:
    assert f"cell {BASE} is the untouched base: no adapter" in refuse("withdraw", BASE)
    assert f"cell {BASELINE} is a baseline: no adapter" in refuse("withdraw", BASELINE)


def test_the_champion_is_not_promoted_twice(fintone: Run, refuse: Refuse, study: Path) -> None:
    fintone("promote", ONE, "--reason", "x", "--yes")
    assert f"cell {ONE}: it is the champion already, at temperature 0.1" in refuse("promote", ONE, "--reason", "x")
    assert fintone("promote", ONE, "--reason", "x", "--temperature", "1", "--yes")[0] == 0


def test_a_cell_whose_adapter_is_gone_is_not_promoted(refuse: Refuse, study: Path, home: Path) -> None:
    shutil.rmtree(home / "adapters" / ONE)
    assert f"cell {ONE} is finished and has no adapter" in refuse("promote", ONE, "--reason", "x")


def test_the_earlier_champion_is_checked_before_a_way_back(
    fintone: Run, refuse: Refuse, study: Path, home: Path
) -> None:
    for cell in (ONE, TWO):
        assert fintone("promote", cell, "--reason", "x", "--yes")[0] == 0
    assert "--reason: is missing or empty" in refuse("promote", "--back", "--reason", " ")
    shutil.rmtree(home / "adapters" / ONE)
    assert f"cell {ONE} is finished and has no adapter" in refuse("promote", "--back", "--reason", "x")
    assert load_champion(study) == (TWO, 0.1)


def test_a_decision_that_comes_in_between_is_not_undone(study: Path, home: Path) -> None:
    first, second = (propose(cell, "better", "me") for cell in (ONE, TWO))
    carry_out(first)
    with pytest.raises(ChampionChangedError, match=f"{ONE} became it in the meantime"):
        carry_out(second)
    assert load_champion(study) == (ONE, 0.1)


def test_without_a_warehouse_it_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    assert "does not exist; run `fintone run` first" in refuse("promote", "aaaa", "--reason", "x")
    assert not home.exists()
