"""A race: the cells that are not dropped equal those of the full grid, and nothing is trained or dropped twice."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flows.retrain import retrain
from operations import race
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from tests.asking import ask
from tests.flows.killed_trainings import kill_training

pytestmark = pytest.mark.usefixtures("server", "lasting_worker", "few_charts")

STUDY = (
    "split.train_per_class=30",
    "split.test_per_class=6",
    "split.validation_per_class=30",
    "baselines.names=majority class",
    "lora.r=16",
    "decoding.temperatures=0.1,1",
    "grid.learning_rates=1e-9,1e-2",
    "grid.epochs=1,3",
)
"""Two trainings race: one does not change the model, the other has learned after two epochs, where no cell ends."""
WORDS = {"positive": "profit rose", "negative": "loss fell", "neutral": "unchanged"}
BAD = "lr=1e-09 epochs=3"
GRID = 4
DROPS = "SELECT cell_name, status, epoch, best_cell_name, n FROM dropped_cells ORDER BY ALL"
CELLS = (
    "SELECT cell_id, status, steps, adapter_hash FROM cells WHERE kind = 'fine-tuned' AND adapter_hash IS NOT NULL"
    " ORDER BY cell_id"
)
LOG = "SELECT step, loss, learning_rate, grad_norm FROM training_log WHERE cell_id = '{}' ORDER BY step"
EVALUATIONS = (
    "SELECT cell_id, part, temperature, headline_id, predicted, p_negative, p_neutral, p_positive FROM predictions"
    " WHERE {} ORDER BY ALL"
)
Configure = Callable[..., StudyConfig]


@dataclass(frozen=True)
class Raced:
    """A study that has run."""

    home: Path
    study_id: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return ask(self.home, sql)


@pytest.fixture(scope="module")
def configure(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Configure:
    """Configures studies of headlines whose labels are easy to learn."""
    source, random = tmp_path_factory.mktemp("race") / "headlines.csv", Random(5)
    rows = [(f"{words} {random.randrange(10**6)}", label) for _ in range(66) for label, words in WORDS.items()]
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])

    def make(*assignments: str) -> StudyConfig:
        paths = (f"data.source={source}", f"base_model.name={tiny_folder}")
        return build_config(apply_overrides(load_profile("demo"), [*STUDY, *paths, *assignments]))

    return make


def run(home: Path, config: StudyConfig) -> Raced:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(home))
        return Raced(home, retrain(config))


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory, configure: Configure) -> Raced:
    """A race that was interrupted after its second epoch, before anything was dropped, and then continued."""
    home, config, judge = tmp_path_factory.mktemp("raced") / "home", configure("search=race"), race.drop_cells

    def interrupt(study: Any, epoch: int) -> Any:
        if epoch > 1:
            raise KeyboardInterrupt
        return judge(study, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.race.drop_cells", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(home, config)
    return run(home, config)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, configure: Configure) -> Raced:
    """The same grid without a race."""
    return run(tmp_path_factory.mktemp("whole") / "home", configure())


def check_same(raced: Raced, whole: Raced) -> None:
    """What the race did not drop has, bit for bit, the adapter, the log and the answers of the full grid."""
    cells = raced.ask(CELLS)
    assert len(cells) == GRID - len(raced.ask(DROPS))
    assert set(cells) < set(whole.ask(CELLS))
    is_kept = f"cell_id IN ({', '.join(repr(cell_id) for cell_id, *_ in cells)})"
    assert raced.ask(EVALUATIONS.format(is_kept)) == whole.ask(EVALUATIONS.format(is_kept)) != []
    for cell_id, *_ in cells:
        weights = Path("adapters") / cell_id / "adapter_model.safetensors"
        assert (raced.home / weights).read_bytes() == (whole.home / weights).read_bytes()
        assert raced.ask(LOG.format(cell_id)) == whole.ask(LOG.format(cell_id)) != []


def test_what_is_not_dropped_is_bit_equal_to_the_full_grid_also_after_an_interruption(
    raced: Raced, whole: Raced
) -> None:
    assert raced.study_id != whole.study_id
    assert raced.ask("SELECT status FROM studies") == [("finished",)]
    assert raced.ask(DROPS) == [(BAD, "dropped", 2, "lr=1e-02 epochs=3", 90)]
    assert whole.ask(DROPS) == []
    check_same(raced, whole)
    chosen = "SELECT cell_id, accuracy FROM champions"
    assert raced.ask(chosen) == whole.ask(chosen)


def test_later_epochs_of_a_dropped_cell_are_not_trained(raced: Raced) -> None:
    [(cell_id, p_value, bound)] = raced.ask("SELECT cell_id, p_value, bound FROM dropped_cells")
    assert p_value < bound == 0.05 / 2  # one pair, after the first epoch and the second
    assert raced.ask(f"SELECT max(step) FROM training_log WHERE cell_id = '{cell_id}'") == [(24,)]
    assert raced.ask(f"SELECT count(*) FROM evaluations WHERE cell_id = '{cell_id}'") == [(0,)]
    assert not (raced.home / "adapters" / cell_id).exists()
    assert len(list((raced.home / "adapters").iterdir())) == GRID - 1
    assert list(raced.home.glob("checkpoints/*")) == []


def test_a_dropped_cell_is_not_missing_and_is_shown_as_dropped(raced: Raced, monkeypatch: pytest.MonkeyPatch) -> None:
    from operations.catalogue import list_cells
    from operations.show import show

    monkeypatch.setenv("FINTONE_HOME", str(raced.home))
    assert raced.ask("FROM missing_cells") == []
    states = {row[1]: row[2] for row in list_cells().rows}
    assert states[BAD] == "dropped"
    assert set(states.values()) == {"finished", "dropped"}
    assert show(BAD).facts["status"] == "dropped"
    assert [row["cell_name"] for row in show(raced.study_id).tables["dropped_cells"]] == [BAD]
    page = (raced.home / "reports" / raced.study_id / "index.html").read_text(encoding="utf-8")
    assert "Dropped by the race" in page
    assert BAD in page


def test_a_second_run_trains_and_drops_nothing(
    raced: Raced, configure: Configure, events: list[dict[str, Any]]
) -> None:
    queries = (
        "FROM ledger.drops",
        "FROM ledger.pauses ORDER BY ALL",
        "SELECT cell_id, started_at, finished_at FROM cells",
    )
    before = [raced.ask(sql) for sql in queries]
    assert run(raced.home, configure("search=race")).study_id == raced.study_id
    assert [raced.ask(sql) for sql in queries] == before
    assert any("nothing new" in event.get("text", "") for event in events)


@pytest.mark.soak
def test_a_full_grid_after_a_race_trains_what_was_dropped_and_the_race_stays_as_it_is(
    raced: Raced, whole: Raced, configure: Configure
) -> None:
    board = f"SELECT cell_name, temperature, accuracy FROM leaderboard WHERE study_id = '{raced.study_id}' ORDER BY ALL"
    before = raced.ask(board)
    later = run(raced.home, configure())
    assert later.study_id == whole.study_id
    assert later.ask(CELLS) == whole.ask(CELLS)
    assert raced.ask(board) == before
    assert raced.ask(f"FROM missing_cells WHERE study_id = '{raced.study_id}'") == []


@pytest.mark.soak
def test_a_race_under_a_cosine_compares_trainings_before_they_end(tmp_path: Path, configure: Configure) -> None:
    """No cell ends with an epoch after which they are compared, and no two share a training."""
    cosine = ("training.schedule=cosine", "grid.epochs=3,4")
    raced, whole = run(tmp_path / "race", configure("search=race", *cosine)), run(tmp_path / "all", configure(*cosine))
    assert len(raced.ask(DROPS)) == 2
    check_same(raced, whole)


@pytest.mark.soak
def test_cells_whose_process_is_killed_before_a_comparison_are_still_trained(
    whole: Raced, tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = kill_training(
        monkeypatch, lambda log, event: log.cell.settings.training.epochs > 1 and event.step == 20, times=2
    )
    raced = run(tmp_path / "home", configure("search=race", "training.checkpoint_steps=5"))
    assert left() == 0
    assert [row[0] for row in raced.ask(DROPS)] == [BAD]
    check_same(raced, whole)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["training.side_by_side=2", "runner.kind=ray"])
def test_side_by_side_and_on_a_cluster_the_same_cells_are_dropped(
    raced: Raced, tmp_path: Path, configure: Configure, how: str
) -> None:
    other = run(tmp_path / "home", configure("search=race", how))
    assert other.study_id == raced.study_id
    assert other.ask(DROPS) == raced.ask(DROPS)
    assert other.ask("SELECT status FROM studies") == [("finished",)]
    assert len(list((other.home / "adapters").iterdir())) == GRID - 1
    assert list(other.home.glob("shared/*/*")) == []
