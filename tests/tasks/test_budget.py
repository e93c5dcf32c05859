"""The budget of looks at test headlines: decisions of the real gate on simulated predictions."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from learning.study.comparison import compare
from learning.study.promotion import Rival
from operations.decision import Challenge, Measured, decide
from schemas.evaluation import PromotionSettings
from schemas.promotion import Champion, Look
from storage.champions import Decision, load_champion, load_champion_before, save_decision
from storage.headlines import save_ingestion
from storage.looks import Standing, load_standing
from storage.query import query
from storage.source_records import SourceRecord
from storage.splits import save_split
from storage.studies import StudyRecord, save_study

POOL, TEST = 600, 300
LENIENT = {"min_accuracy": 0.0, "max_unparsed_rate": 1.0}
CHAMPION = Champion("champion", 0.1)

Right = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass
class Desk:
    """A pool of labelled headlines: how hard each is, whether the champion has it right, and the decisions so far."""

    random: np.random.Generator
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chances = self.random.beta(4, 1, POOL)
        self.right = self.random.random(POOL) < self.chances

    def train(self, worth: float = 1.0) -> Right:
        """Whether a new challenger has each headline right; worth 1, it is as good as the champion."""
        return self.random.random(POOL) < 1 - (1 - self.chances) ** worth

    def judge(self, cell_id: str, right: Right, seed: int = 42, **settings: Any) -> Decision:
        """Run a study whose validation chose this cell, on a split by this seed, and let the gate judge it."""
        study_id, split_id = f"study {len(self.decisions) + 1}", f"split {seed}"
        places = np.random.default_rng(seed).permutation(POOL)[:TEST]
        challenge = Challenge(study_id, Champion(cell_id, 0.1), f"{cell_id} on {split_id}")
        standing = self.find_standing(challenge, split_id, places)
        measure = partial(self.measure, right[places], self.right[places], standing)
        decision = decide(challenge, standing, PromotionSettings(**(LENIENT | settings)), measure)
        self.save(decision, standing)
        return decision

    def find_standing(self, challenge: Challenge, split_id: str, places: Places) -> Standing:
        """What the gate knows, without a warehouse: all splits are of one pool, whose champion is a person's choice."""
        looks = {each.evaluation_id: each for each in reversed(self.decisions)}
        same = looks.get(challenge.evaluation_id)
        row = {**asdict(same), "previous_cell_id": CHAMPION.cell_id} if same else None
        earlier = tuple(Look(1, each.promotion_level or 0) for each in reversed(looks.values()))
        return Standing(CHAMPION, len(self.decisions) + 1, earlier, row)

    def measure(self, right: Right, other_right: Right, standing: Standing) -> Measured:
        """The challenger and its rival on test: the rival is the champion, or the best baseline while there is none."""
        compared = compare(np.ones(TEST, dtype=np.int64), right.astype(np.int64), other_right.astype(np.int64))
        rival, first = Rival("rival", compared), standing.champion is None
        return Measured(compared.accuracy, 0.0, rival if first else None, None if first else rival)

    def save(self, decision: Decision, standing: Standing) -> None:
        self.decisions.append(decision)


@dataclass
class Home(Desk):
    """A desk whose decisions are in a warehouse."""

    warehouse: Path = Path()

    def __post_init__(self) -> None:
        super().__post_init__()
        ids = [f"{number:016d}" for number in range(POOL)]
        frame = pd.DataFrame({"headline_id": ids, "text_id": ids, "masked_id": ids, "group_id": ids, "text": ids})
        frame = frame.assign(
            label="neutral", copies=1, context=None, instrument=None, agreement=pd.array([None] * POOL, dtype="Int64")
        )
        source = SourceRecord("i", "news.csv", "/news.csv", "csv", "a", "utf-8", False, POOL, 0, "pool")
        nothing = pd.DataFrame({"source": [], "row_number": [], "reason": [], "raw": []}, dtype="str")
        columns = ["source", "row_number", "text_id", "text", "resolution", "label"]
        save_ingestion(self.warehouse, source, frame, nothing, pd.DataFrame(columns=columns, dtype="str"))

    def find_standing(self, challenge: Challenge, split_id: str, places: Places) -> Standing:
        parts = {"test": [f"{place:016d}" for place in places]}
        save_split(self.warehouse, split_id, "pool", parts, {})
        facts = {"profile": "desk", "base_model": "m", "base_revision": None, "source": "s", "synthetic": False}
        place = {"snapshot_id": "pool", "split_id": split_id, "temperatures": (0.1,), "decoding_id": "all"}
        save_study(self.warehouse, StudyRecord(challenge.study_id, config={}, **facts, **place))
        return load_standing(self.warehouse, split_id, challenge.evaluation_id)

    def save(self, decision: Decision, standing: Standing) -> None:
        super().save(decision, standing)
        save_decision(self.warehouse, decision, standing.champion, standing.number)


def rerun_until_promoted(desk: Desk, times: int) -> None:
    """Run again with other seeds of training and split and other thresholds, or only with other thresholds."""
    random, cell, right = desk.random, 0, desk.train()
    for rerun in range(times):
        if rerun and random.random() < 0.8:
            cell, right = cell + 1, desk.train()
        level = float(random.choice([0.01, 0.05, 0.2, 0.5])) if rerun else 0.05
        settings = {"level": level, "min_accuracy": float(random.choice([0, 0.5, 0.8]))}
        desk.judge(f"cell {cell}", right, int(random.choice([42, 42, rerun])), **settings)
        if desk.decisions[-1].decision == "promoted":
            return


@pytest.fixture
def make_home(prepared: Path, tmp_path: Path) -> Callable[..., Home]:
    """Makes a home, with a champion that a person chose."""

    def make(seed: int = 7, champion: Champion | None = CHAMPION) -> Home:
        path = Path(shutil.copy(prepared, tmp_path / f"{seed}.duckdb"))
        home = Home(np.random.default_rng(seed), warehouse=path)
        if champion:
            save_decision(path, Decision("promoted", "person", "ours", "study 0", *champion), None)
        return home

    return make


@pytest.fixture
def desk(make_home: Callable[..., Home]) -> Home:
    return make_home()


def test_each_judgement_by_the_same_headlines_has_a_smaller_level(desk: Home) -> None:
    decisions = [desk.judge(f"cell {number}", desk.train()) for number in range(3)]
    decisions.append(desk.judge("cell 3", desk.train(), seed=43))  # another test part of the same pool
    assert [decision.look for decision in decisions] == [1, 2, 3, 4]
    assert [decision.level for decision in decisions] == pytest.approx([0.3 / (np.pi * k) ** 2 for k in (1, 2, 3, 4)])
    shown = query(desk.warehouse, "SELECT look, level, promotion_level FROM champions WHERE look > 3").rows
    assert shown == [(4, pytest.approx(0.3 / (np.pi * 4) ** 2), 0.05)]
    assert decisions[1].reason.endswith("; look 2 at these test headlines: level 0.0076 of 0.05")


def test_the_same_figures_get_the_same_decision_whatever_the_thresholds(desk: Home) -> None:
    right = desk.train()
    first = desk.judge("cell", right)
    assert first.decision == "kept"
    for settings in ({"level": 0.9}, {"level": 0.9, "beat_baseline": False}, {"min_accuracy": 0.2}):
        again = desk.judge("cell", right, **settings)
        assert (again.decision, again.look, again.level, again.p_value) == ("kept", 1, first.level, first.p_value)
        assert "study 1 judged it before on the same headlines against the same champion" in again.reason
        assert again.reason.endswith(f"It was not promoted then: {first.reason}")
    assert desk.judge("another", desk.train()).look == 2


def test_raising_the_level_after_the_first_look_has_no_effect(desk: Home) -> None:
    desk.judge("cell", desk.train(), level=0.05)
    later = desk.judge("another", desk.train(), level=0.9)
    assert (later.look, later.promotion_level) == (2, 0.05)


def test_a_cell_that_is_much_better_is_promoted_once_and_stays_champion(desk: Home) -> None:
    for number in range(5):
        desk.judge(f"cell {number}", desk.train())
    right = desk.train(worth=4)
    assert desk.judge("good", right).decision == "promoted"
    assert load_champion(desk.warehouse) == Champion("good", 0.1)
    again = desk.judge("good", right)
    assert (again.decision, again.reason, again.look) == ("kept", "it is the champion already", None)
    assert desk.judge("next", desk.train()).look == 7


def test_the_champion_at_another_temperature_is_the_champion_already(desk: Home) -> None:
    challenge = Challenge("study 1", Champion(CHAMPION.cell_id, 1.0), "champion, hotter")
    standing = desk.find_standing(challenge, "split 42", np.arange(TEST))
    decision = decide(challenge, standing, PromotionSettings(), lambda: pytest.fail("this is no look"))
    assert decision == Decision("kept", "gate", "it is the champion already", "study 1", CHAMPION.cell_id, 1.0)


@pytest.mark.parametrize("champion", [CHAMPION, None])
def test_a_decision_records_the_match_with_the_champion_or_the_accuracy_alone(
    make_home: Callable[..., Home], champion: Champion | None
) -> None:
    desk = make_home(champion=champion)
    right = desk.train()
    decision = desk.judge("cell", right)
    places = np.random.default_rng(42).permutation(POOL)[:TEST]
    compared = compare(np.ones(TEST, dtype=int), right[places].astype(int), desk.right[places].astype(int))
    match = (TEST, compared.other_accuracy, compared.difference, compared.difference_low, compared.difference_high)
    recorded = (decision.n, decision.previous_accuracy, decision.difference)
    assert decision.accuracy == compared.accuracy
    assert (*recorded, decision.difference_low, decision.difference_high) == (match if champion else (None,) * 5)
    assert decision.p_value == (compared.p_value if champion else None)


def test_baselines_that_were_not_compared_are_in_the_reason(desk: Home) -> None:
    challenge = Challenge("study 1", Champion("cell", 0.1), "cell on split 42")
    standing = desk.find_standing(challenge, "split 42", np.arange(TEST))
    figures = Measured(0.9, 0.0, None, None, "compared with no baseline")
    decision = decide(challenge, standing, PromotionSettings(**LENIENT), lambda: figures)
    assert "; compared with no baseline; look 1 at" in decision.reason


def test_figures_whose_promotion_a_person_rolled_back_do_not_promote_again(desk: Home) -> None:
    right = desk.train(worth=4)
    assert desk.judge("good", right).decision == "promoted"
    back = load_champion_before(desk.warehouse)
    save_decision(desk.warehouse, Decision("rolled back", "person", "no", "x", *back), load_champion(desk.warehouse))
    again = desk.judge("good", right, level=0.9)
    assert again.decision == "kept"
    assert "It was promoted then: " in again.reason
    assert load_champion(desk.warehouse) == CHAMPION


def test_the_same_cell_against_another_champion_is_another_look(desk: Home) -> None:
    right = desk.train()
    desk.judge("cell", right)
    save_decision(desk.warehouse, Decision("promoted", "person", "better", "x", "other", 0.1), CHAMPION)
    assert desk.judge("cell", right).look == 2


def test_a_first_champion_spends_from_the_same_budget(make_home: Callable[..., Home]) -> None:
    desk = make_home(champion=None)
    looks = [desk.judge(f"cell {number}", desk.train()) for number in range(2)]
    assert [decision.look for decision in looks] == [1, 2]
    assert "does not beat the best baseline rival" in looks[1].reason
    assert looks[1].level == pytest.approx(0.3 / (np.pi * 2) ** 2)


@pytest.mark.slow
def test_a_desk_without_a_warehouse_decides_as_one_with_it(make_home: Callable[..., Home]) -> None:
    """The simulation below has no warehouse, to be fast; its decisions must be those of the gate."""
    for seed in range(3):
        home, desk = make_home(seed), Desk(np.random.default_rng(seed))
        for each in (home, desk):
            rerun_until_promoted(each, 6)
        assert home.decisions == desk.decisions


DESKS, RERUNS = 1_000, 10


@pytest.mark.soak
def test_of_a_thousand_desks_at_most_one_in_twenty_ever_promotes_what_is_no_better(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each desk runs repeatedly until something is promoted; with the full level each time, many more would promote."""
    random = np.random.default_rng(2026)
    desks = [Desk(random) for _ in range(DESKS)]
    for desk in desks:
        rerun_until_promoted(desk, RERUNS)
    promoted = sum(desk.decisions[-1].decision == "promoted" for desk in desks)
    better = [
        any((each.difference or 0) > 0 and (each.p_value or 1) < 0.05 for each in desk.decisions) for desk in desks
    ]
    looks = sum(len({each.evaluation_id for each in desk.decisions}) for desk in desks)
    with capsys.disabled():
        sys.stdout.write(f"\n{promoted} of {DESKS} desks promoted in {looks} looks; {sum(better)} at .05 each time\n")
    assert promoted <= 0.05 * DESKS
    assert sum(better) > 0.1 * DESKS
