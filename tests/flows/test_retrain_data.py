"""The flow on data that is hard to split: too few headlines, the real FinancialPhraseBank, copies in train and test."""

from pathlib import Path
from typing import Any

import pytest

from flows.retrain import retrain
from schemas.config import StudyConfig
from schemas.profiles import build_config, load_profile
from tests.asking import ask
from tests.flows.small_study import configure_one_cell

pytestmark = pytest.mark.usefixtures("server", "lasting_worker", "few_charts")


def test_a_split_that_the_data_cannot_fill_trains_nothing(home: Path, config: StudyConfig) -> None:
    greedy = config.model_copy(update={"split": config.split.model_copy(update={"train_per_class": 1_000})})
    with pytest.raises(ValueError, match="split: 1011 negative headlines are needed"):
        retrain(greedy)
    assert ask(home, "SELECT count(*) FROM cells") == [(0,)]


@pytest.mark.soak
def test_the_real_phrasebank_is_split_as_in_the_study(home: Path, config: StudyConfig, fpb_folder: Path) -> None:
    """Rows of the archive, 900 train and 900 test headlines, a base and a fine-tuned cell at three temperatures."""
    paper = load_profile("paper")
    settings = build_config(
        {
            **paper,
            "data": {**paper["data"], "source": str(fpb_folder / "FinancialPhraseBank-v1.0.zip")},
            "split": {**paper["split"], "validation_per_class": 4},
            "base_model": {"name": config.base_model.name},
            "lora": {"r": 4},
            "training": {**paper["training"], "micro_batch_size": 8},
            "grid": {"learning_rates": [1e-3], "epochs": [1]},
            "curve_epochs": [],
        }
    )
    retrain(settings)
    parts = dict(ask(home, "SELECT part, count(*) FROM splits GROUP BY part"))
    assert parts == {"train": 900, "test": 900, "validation": 12}
    board = ask(
        home,
        "SELECT kind, n, count(*) FROM leaderboard WHERE part = 'test' AND kind <> 'baseline' GROUP BY ALL"
        " ORDER BY ALL",
    )
    assert board == [("base", 900, 3), ("fine-tuned", 900, 3)]
    measured = ask(home, "SELECT count(measured_accuracy) FROM reproduction")
    assert measured == [(3,)]


def test_copies_of_test_headlines_in_train_are_reported_and_no_model_is_judged_by_them(
    home: Path, config: StudyConfig, tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    study_id = retrain(configure_one_cell(config, tmp_path / "copies.csv"))
    warning = "9 of 9 test headlines have near copies in train"
    assert any(f"note: {warning}" in event.get("text", "") for event in events)
    page = (home / "reports" / study_id / "index.html").read_text(encoding="utf-8")
    assert f"Mind that {warning}" in page
    assert "9 test headlines have near copies in train: 3 groups, with 9 headlines in train." in page
    [(decision, reason)] = ask(home, "SELECT decision, reason FROM champions")
    assert decision == "kept"
    refusal = "cannot be compared with the best baseline TF-IDF + linear SVM: it was trained on every one of"
    assert f"{refusal} these test headlines" in reason
    assert "None" not in reason
