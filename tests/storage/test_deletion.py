"""A deleted study takes with it what no other study has; decisions and looks stay, and the champion never goes."""

from pathlib import Path

import pandas as pd
import pytest

from schemas.promotion import Champion
from storage.cell_progress import finish_cell
from storage.cells import CellOutcome, add_cells
from storage.champions import Decision, save_decision
from storage.deletion import ChampionsStudyError, Deletion, delete_study, plan_deletion
from storage.evaluations import save_evaluations
from storage.looks import load_standing
from storage.studies import save_study
from tests.asking import ask


@pytest.fixture
def pair(finished: Path, study, cell, evaluation, predict) -> Path:
    """A second study at one temperature: it shares the cell `tuned` with the first, and has `late` for itself."""
    save_study(finished, study(study_id="second", temperatures=(0.1, 5)))
    add_cells(finished, "second", [cell(), cell(cell_id="late")])
    finish_cell(finished, "late", CellOutcome())
    evaluations = [evaluation("late", 0.1), evaluation("tuned", 5)]
    save_evaluations(finished, evaluations, pd.concat([predict(each.evaluation_id) for each in evaluations]))
    return finished


def ids(warehouse: Path, table: str, column: str) -> set[str]:
    return {name for (name,) in ask(warehouse, f"SELECT DISTINCT {column} FROM {table}")}


def test_what_another_study_shares_stays(pair: Path) -> None:
    deletion = delete_study(pair, "study")
    others = ("base at 0.1", "base at 1", "base at 10", "svm at None", "tuned at 1", "tuned at 10")
    assert deletion == Deletion("study", ("svm", "base"), ("tuned",), others, ())
    assert ids(pair, "studies", "study_id") == {"second"}
    assert ids(pair, "cells", "cell_id") == ids(pair, "study_cells", "cell_id") == {"tuned", "late"}
    left = {"tuned at 0.1", "tuned at 5", "late at 0.1"}
    assert ids(pair, "evaluations", "evaluation_id") == ids(pair, "ledger.predictions", "evaluation_id") == left
    assert ids(pair, "headlines", "count(*)::VARCHAR") == {"6"}
    assert ids(pair, "splits", "split_id") == {"split"}


def test_the_champion_stays_with_all_its_evaluations(pair: Path) -> None:
    save_decision(pair, Decision("promoted", "gate", "good", "second", "late", 0.1), None)
    with pytest.raises(
        ChampionsStudyError, match="study second: has the champion, cell late, which no other study has"
    ):
        delete_study(pair, "second")
    assert ids(pair, "studies", "study_id") == {"study", "second"}
    save_decision(pair, Decision("promoted", "gate", "better", "study", "tuned", 1), Champion("late", 0.1))
    assert plan_deletion(pair, "second").former_champions == ("late",)
    delete_study(pair, "study")
    assert ids(pair, "evaluations", "evaluation_id") >= {"tuned at 0.1", "tuned at 1", "tuned at 10"}


def test_a_look_at_test_headlines_counts_although_its_study_is_deleted(pair: Path) -> None:
    looked = Decision("kept", "gate", "weak", "study", "base", 0.1, evaluation_id="base at 0.1", promotion_level=0.05)
    save_decision(pair, looked, None)
    before = load_standing(pair, "split", "late at 0.1").looks
    assert len(before) == 1
    delete_study(pair, "study")
    assert load_standing(pair, "split", "late at 0.1").looks == before
    assert ask(pair, "SELECT study_id, snapshot_id, decision FROM champions") == [("study", "snapshot", "kept")]
