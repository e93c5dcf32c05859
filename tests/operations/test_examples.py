"""The examples of a study: ones that do not fit are refused before anything trains, and none is trained on."""

import csv
import shutil
from pathlib import Path
from random import Random

import pytest

from embedded.grammar import SyntheticHeadline, generate_headline
from learning.prompt.question import examples_of
from operations.examples import ExamplesError, ask_to_train, load_chooser
from operations.intake import ingest_and_save
from operations.preview import check_inputs, describe_study
from operations.splitting import settle_study_split
from schemas.config import StudyConfig
from schemas.label import Label
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.splits import load_part

SMALL = ("data.duplicates=merge", "split.method=hashed", "split.train_per_class=9", "split.test_per_class=5")


def generate_some(seed: int, count: int) -> list[SyntheticHeadline]:
    random = Random(seed)
    return [generate_headline(random) for _ in range(count)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    """A home, and a source of 90 headlines in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    shutil.copy(prepared, tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    rows = [(row.text, row.sentiment) for row in generate_some(3, 90)]
    with Path("news.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return tmp_path / "home"


def configure(*assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), ["data.source=news.csv", *SMALL, *assignments]))


TOO_FEW = (
    r"^prompt\.examples 27: 9 (negative|neutral|positive) examples and another \1 headline to train on are needed, "
    r"near copies aside, and the train part has [3-9]; lower prompt\.examples, or raise split\.train_per_class$"
)
TOO_NEAR = r"^prompt\.examples 27: the train part has 2\d headlines that are no near copy of '.+'; set prompt\.examples"
TOO_LONG = (
    r"^prompt\.examples 20: with their examples, \d+ of \d+ headlines are longer than embedded takes \(up to \d+ "
    r"tokens with prompt and label, it takes 512\); lower prompt\.examples, set data\.too_long=truncate, or take"
)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["prompt.examples=27"], TOO_FEW),
        (["prompt.examples=27", "prompt.examples_by=nearest"], TOO_NEAR),
        (["prompt.examples=20", "prompt.examples_by=nearest", f"prompt.instruction={'Good or bad? ' * 30}"], TOO_LONG),
    ],
)
def test_examples_that_cannot_be_shown_are_refused_before_anything_trains(assignments: list[str], message: str) -> None:
    config = configure(*assignments)
    with pytest.raises(ExamplesError, match=message):
        describe_study(config)
    with pytest.raises(ExamplesError, match=message):
        check_inputs(config, lambda _: None)


def test_a_headline_that_is_too_long_with_its_examples_is_refused_or_truncated() -> None:
    [row] = generate_some(9, 1)
    with Path("news.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow((row.text + " and profit rose again" * 100, row.sentiment))
    assert "examples" not in dict(describe_study(configure()))
    with pytest.raises(ExamplesError, match=r"^prompt\.examples 6: with their examples, 1 of \d+ headlines are longer"):
        describe_study(configure("prompt.examples=6"))
    message = dict(describe_study(configure("prompt.examples=6", "data.too_long=truncate")))["examples"]
    assert message == "6 fixed of the train part before each headline; fixed ones are not trained on"


def test_examples_are_checked_in_each_fold() -> None:
    [row] = generate_some(9, 1)
    with Path("news.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow((row.text + " and profit rose again" * 100, row.sentiment))
    config = configure(
        "split.folds=3",
        "split.train_per_class=4",
        "split.validation_per_class=1",
        "split.seed=1",  # the long headline is in no part of the first fold
        "prompt.examples=6",
    )
    with pytest.raises(ExamplesError, match=r"^prompt\.examples 6: with their examples, 1 of \d+ headlines are longer"):
        settle_study_split(config, ingest_and_save(config.data, lambda _: None))


@pytest.mark.parametrize("by", ["fixed", "nearest"])
def test_no_headline_is_its_own_example_in_training(home: Path, by: str) -> None:
    config = configure("prompt.examples=4", f"prompt.examples_by={by}")
    split, _ = settle_study_split(config, ingest_and_save(config.data, lambda _: None))
    train = load_part(home / "warehouse.duckdb", split, "train")
    chooser = load_chooser(split, config.prompt, config.data.near_duplicates)
    questions, labels = ask_to_train(train["text"], [Label(label) for label in train["label"]], chooser)
    label_of = dict(zip(train["text"], train["label"], strict=True))
    assert [label_of[headline] for headline in questions] == list(labels)
    for headline in questions:
        shown = examples_of(headline)
        assert len(shown) == 4
        assert headline not in {example.headline for example in shown}
        assert all(label_of[text] == label for text, label in shown)
    if by == "nearest":
        assert len(questions) == len(train)
    else:
        shown = examples_of(questions[0])
        assert {examples_of(headline) for headline in questions} == {shown}
        assert set(train["text"]) - {str(headline) for headline in questions} >= {example.headline for example in shown}


def test_a_prompt_without_examples_leaves_headlines_as_they_are(home: Path) -> None:
    assert load_chooser("any", configure().prompt, "reworded") is None
    assert ask_to_train(["Profit rose"], [Label.POSITIVE], None) == (("Profit rose",), (Label.POSITIVE,))
