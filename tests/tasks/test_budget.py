"""The budget of looks at test headlines: real decisions in a real warehouse, on predictions that are simulated."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from learning.comparison import compare
from learning.promotion import Rival
from schemas.config import PromotionSettings
from schemas.promotion import Champion
from storage.champions import Decision, load_champion, load_champion_before, save_decision
from storage.headlines import SourceRecord, save_ingestion
from storage.looks import load_standing
from storage.query import query
from storage.splits import save_split
from storage.studies import StudyRecord, save_study
from storage.warehouse import prepare_warehouse
from tasks.decision import Challenge, Measured, decide

POOL, TEST = 600, 300
LENIENT = {"min_accuracy": 0.0, "max_unparsed_rate": 1.0}
CHAMPION = Champion("champion", 0.1)


@dataclass
class Desk:
    """A home with a pool of labelled headlines: how hard each is, and whether the champion has it right."""

    warehouse: Path
    random: np.random.Generator
    chances: np.ndarray = field(init=False)
    right: np.ndarray = field(init=False)
    studies: int = 0
    splits: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chances = self.random.beta(4, 1, POOL)
        self.right = self.random.random(POOL) < self.chances
        ids = [f"{number:016d}" for number in range(POOL)]
        frame = pd.DataFrame({"headline_id": ids, "text_id": ids, "masked_id": ids, "group_id": ids, "text": ids})
        frame = frame.assign(label="neutral", copies=1, agreement=pd.array([None] * POOL, dtype="Int64"))
        source = SourceRecord("i", "news.csv", "/news.csv", "csv", "a", "utf-8", False, POOL, 0, "pool")
        nothing = pd.DataFrame({"source": [], "row_number": [], "reason": [], "raw": []}, dtype="str")
        columns = ["source", "row_number", "text_id", "text", "resolution", "label"]
        save_ingestion(self.warehouse, source, frame, nothing, pd.DataFrame(columns=columns, dtype="str"))

    def split(self, seed: int) -> np.ndarray:
        """The places in the pool that a split with this seed has in test; the rest is train."""
        places = np.random.default_rng(seed).permutation(POOL)
        ids = [f"{place:016d}" for place in places]
        if seed not in self.splits:
            save_split(self.warehouse, f"split {seed}", "pool", {"test": ids[:TEST], "train": ids[TEST:]}, {})
            self.splits.add(seed)
        return places[:TEST]

    def train(self, worth: float = 1.0) -> np.ndarray:
        """Whether a new challenger has each headline right; worth 1, it is as good as the champion."""
        return self.random.random(POOL) < 1 - (1 - self.chances) ** worth

    def judge(self, cell_id: str, right: np.ndarray, seed: int = 42, **settings: Any) -> Decision:
        """Run a study whose validation chose this cell, and hold it to the gate."""
        self.studies += 1
        study_id, split_id, places = f"study {self.studies}", f"split {seed}", self.split(seed)
        facts = {"profile": "desk", "base_model": "m", "base_revision": None, "source": "s", "synthetic": False}
        place = {"snapshot_id": "pool", "split_id": split_id, "temperatures": (0.1,), "decoding_id": "all"}
        save_study(self.warehouse, StudyRecord(study_id, config={}, **facts, **place))
        challenge = Challenge(study_id, Champion(cell_id, 0.1), f"{cell_id} on {split_id}")
        standing = load_standing(self.warehouse, split_id, challenge.evaluation_id)

        def measure() -> Measured:
            labels = np.ones(TEST, dtype=np.int64)
            own, other = (np.where(each[places], 1, 0).astype(np.int64) for each in (right, self.right))
            compared = compare(labels, own, other)
            rival = Rival("rival", compared)
            first = standing.champion is None
            return Measured(compared.accuracy, 0.0, rival if first else None, None if first else rival)

        decision = decide(challenge, standing, PromotionSettings(**(LENIENT | settings)), measure)
        save_decision(self.warehouse, decision, standing.champion, standing.number)
        return decision


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    prepare_warehouse(path)
    return path


@pytest.fixture
def desk(prepared: Path, tmp_path: Path) -> Desk:
    """A desk with a champion that a person chose."""
    made = Desk(Path(shutil.copy(prepared, tmp_path)), np.random.default_rng(7))
    save_decision(made.warehouse, Decision("promoted", "person", "ours", "study 0", *CHAMPION), None)
    return made


def test_each_judgement_by_the_same_headlines_has_a_smaller_level(desk: Desk) -> None:
    decisions = [desk.judge(f"cell {number}", desk.train()) for number in range(3)]
    decisions.append(desk.judge("cell 3", desk.train(), seed=43))  # another test part of the same pool
    assert [decision.look for decision in decisions] == [1, 2, 3, 4]
    assert [decision.level for decision in decisions] == pytest.approx([0.3 / (np.pi * k) ** 2 for k in (1, 2, 3, 4)])
    shown = query(desk.warehouse, "SELECT look, level, promotion_level FROM champions WHERE look > 3").rows
    assert shown == [(4, pytest.approx(0.3 / (np.pi * 4) ** 2), 0.05)]
    assert decisions[1].reason.endswith("; look 2 at these test headlines: level 0.0076 of 0.05")


def test_the_same_figures_get_the_answer_that_they_got_whatever_the_thresholds(desk: Desk) -> None:
    right = desk.train()
    first = desk.judge("cell", right)
    assert first.decision == "kept"
    for settings in ({"level": 0.9}, {"level": 0.9, "beat_baseline": False}, {"min_accuracy": 0.2}):
        again = desk.judge("cell", right, **settings)
        assert (again.decision, again.look, again.level, again.p_value) == ("kept", 1, first.level, first.p_value)
        assert "study 1 judged it before by the same headlines against the same champion" in again.reason
        assert again.reason.endswith(f"It was not promoted then: {first.reason}")
    assert desk.judge("another", desk.train()).look == 2


def test_a_level_that_is_raised_after_the_first_look_is_not_raised(desk: Desk) -> None:
    desk.judge("cell", desk.train(), level=0.05)
    later = desk.judge("another", desk.train(), level=0.9)
    assert (later.look, later.promotion_level) == (2, 0.05)


def test_a_cell_that_is_much_better_is_promoted_and_then_is_the_champion_already(desk: Desk) -> None:
    for number in range(5):
        desk.judge(f"cell {number}", desk.train())
    right = desk.train(worth=4)
    assert desk.judge("good", right).decision == "promoted"
    assert load_champion(desk.warehouse) == Champion("good", 0.1)
    again = desk.judge("good", right)
    assert (again.decision, again.reason, again.look) == ("kept", "it is the champion already", None)
    assert desk.judge("next", desk.train()).look == 7


def test_what_a_person_took_back_the_same_figures_do_not_promote_again(desk: Desk) -> None:
    right = desk.train(worth=4)
    assert desk.judge("good", right).decision == "promoted"
    back = load_champion_before(desk.warehouse)
    save_decision(desk.warehouse, Decision("rolled back", "person", "no", "x", *back), load_champion(desk.warehouse))
    again = desk.judge("good", right, level=0.9)
    assert again.decision == "kept"
    assert "It was promoted then: " in again.reason
    assert load_champion(desk.warehouse) == CHAMPION


def test_the_same_cell_against_another_champion_is_another_look(desk: Desk) -> None:
    right = desk.train()
    desk.judge("cell", right)
    save_decision(desk.warehouse, Decision("promoted", "person", "better", "x", "other", 0.1), CHAMPION)
    assert desk.judge("cell", right).look == 2


def test_a_first_champion_spends_of_the_same_budget(prepared: Path, tmp_path: Path) -> None:
    desk = Desk(Path(shutil.copy(prepared, tmp_path)), np.random.default_rng(7))
    looks = [desk.judge(f"cell {number}", desk.train()) for number in range(2)]
    assert [decision.look for decision in looks] == [1, 2]
    assert "does not beat the best baseline rival" in looks[1].reason
    assert looks[1].level == pytest.approx(0.3 / (np.pi * 2) ** 2)


DESKS, RERUNS = 1_000, 10


@pytest.mark.slow
def test_of_a_thousand_desks_at_most_one_in_twenty_ever_promotes_what_is_no_better(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each desk runs again and again, with other seeds of training and split and other thresholds, until one passes.

    At the full level at each look, as before looks were counted, many more would.
    """
    random, promoted, uncorrected, looks = np.random.default_rng(2026), 0, 0, 0
    for number in range(DESKS):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        desk = Desk(Path(shutil.copy(prepared, folder)), random)
        save_decision(desk.warehouse, Decision("promoted", "person", "ours", "study 0", *CHAMPION), None)
        decisions, cell = [], 0
        right = desk.train()
        for rerun in range(RERUNS):
            if rerun and random.random() < 0.8:  # else the same cell with other thresholds
                cell, right = cell + 1, desk.train()
            level = 0.05 if not rerun else float(random.choice([0.01, 0.05, 0.2, 0.5]))
            settings = {"level": level, "min_accuracy": float(random.choice([0, 0.5, 0.8]))}
            decisions.append(desk.judge(f"cell {cell}", right, int(random.choice([42, 42, rerun])), **settings))
            if decisions[-1].decision == "promoted":
                break
        promoted += decisions[-1].decision == "promoted"
        uncorrected += any((each.difference or 0) > 0 and (each.p_value or 1) < 0.05 for each in decisions)
        looks += len({each.evaluation_id for each in decisions})
        shutil.rmtree(folder)
    told = f"{promoted} of {DESKS} desks promoted after {looks} looks; {uncorrected} would at the full level each time"
    with capsys.disabled():
        sys.stdout.write(f"\n{told}\n")
    assert promoted <= 0.05 * DESKS
    assert uncorrected > 0.1 * DESKS
