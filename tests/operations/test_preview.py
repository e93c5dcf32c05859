"""The preview of a study: its sums are right, its needs are named, and it leaves nothing behind."""

import re
import shutil
from pathlib import Path

import pytest

from embedded.paths import MODEL_FOLDER
from ingestion.files import SourceError
from ingestion.refusals import TooManyRejectedError
from learning.baselines.embeddings import EmbeddingModelError
from learning.models.base_model import BaseModelError
from operations.intake import find_headlines, ingest_and_save
from operations.preview import check_inputs, describe_study
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.splits import save_split
from tests.asking import ask


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def make_config(profile: str, *assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile(profile), assignments))


def test_the_demo_study_is_counted(home: Path) -> None:
    lines = dict(describe_study(make_config("demo")))
    assert lines["study"] == "profile demo"
    assert lines["data"] == (
        "embedded (synthetic): train 900 (300 negative, 300 neutral, 300 positive); "
        "validation 300 (100 negative, 100 neutral, 100 positive); test 900 (300 negative, 300 neutral, 300 positive)"
    )
    assert lines["base model"].startswith("embedded, files ")
    assert lines["baselines"] == "majority class, finance lexicon, TF-IDF + linear SVM"
    assert lines["grid"] == "6 cells: training.learning_rate 2e-06, 1e-03, 5e-02 x training.epochs 1, 3"
    assert lines["training"].endswith("; 1,017 steps in all")
    assert lines["shared"] == (
        "a cell is a checkpoint of the longer ones that differ from it in epochs only: "
        "1,017 steps are trained instead of 1,356"
    )
    assert lines["scoring"] == (
        "6 fine-tunes and each untouched base that can answer, on validation and test, "
        "at temperatures 0.1, 1, 10, top-k 50"
    )
    assert lines["needs"].startswith("nothing more")
    assert {"epoch curve", "runner"} & set(lines) == set()
    assert not home.exists()


@pytest.mark.parametrize("is_known", [False, True])
def test_the_columns_that_are_read_are_named_and_others_that_could_be_meant(
    home: Path, tmp_path: Path, *, is_known: bool
) -> None:
    rows = [
        f"Unit {chr(65 + n)} has news {n},{mood},{mood}"
        for n in range(6)
        for mood in ("negative", "neutral", "positive")
    ]
    (tmp_path / "news.csv").write_text("\n".join(["headline,label,sentiment", *rows]))
    assignments = (f"data.source={tmp_path / 'news.csv'}", "split.train_per_class=2", "split.test_per_class=2")
    config = make_config("demo", *assignments)
    if is_known:
        ingest_and_save(config.data, lambda _: None)
    lines = dict(describe_study(config))
    assert lines["columns"] == "text from 'headline', label from 'label'"
    assert lines["warning"].startswith("the label was read from 'label', and 'sentiment' could be meant")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["grid.epochs=1", "split.train_per_class=10"], "3 of 3 cells will hardly learn, with fewer than 30 optimiser"),
        (["split.train_per_class=40"], "3 of 6 cells will hardly learn, with fewer than 30 optimiser steps (15 at the"),
        (["split.train_per_class=80"], None),
    ],
)
def test_cells_with_too_few_steps_to_learn_are_named_with_a_remedy(assignments: list[str], message: str | None) -> None:
    line = dict(describe_study(make_config("demo", *assignments))).get("few steps")
    assert (line is None) == (message is None)
    if message:
        assert line.startswith(message)
        assert line.endswith("raise split.train_per_class or training.epochs, or lower training.batch_size")


@pytest.mark.slow
def test_a_cluster_is_named() -> None:
    lines = dict(describe_study(make_config("demo", "runner.kind=ray", "runner.address=head:6379")))
    assert lines["runner"].startswith("Ray cluster head:6379; 1 CPU and 1 GPU if a node has any a cell")
    own = dict(describe_study(make_config("demo", "runner.kind=ray", "runner.gpus_per_cell=0")))
    assert own["runner"].startswith("Ray cluster this machine's own; 1 CPU and 0 GPU a cell")


def test_a_study_is_named_with_its_tags() -> None:
    config = make_config("demo").model_copy(update={"study_name": "weekly", "tags": {"desk": "fx", "run": "3"}})
    assert describe_study(config)[0] == ("study", "profile demo, named weekly, desk=fx, run=3")


@pytest.mark.slow
def test_every_step_of_every_fold_is_counted() -> None:
    folds = ("split.method=hashed", "split.folds=2", "split.train_per_class=8")
    lines = dict(describe_study(make_config("demo", *folds, "grid.curve_epochs=3,4", "decoding.top_p=0.9")))
    assert lines["training"].endswith("; 54 steps in all")
    assert lines["shared"].endswith(": 54 steps are trained instead of 72")
    assert lines["epoch curve"].endswith(": 1 more cell, 6 more steps")
    assert lines["scoring"].endswith(", top-k 50, top-p 0.9")


@pytest.mark.slow
def test_a_model_under_two_names_is_noted_and_its_cells_count_once(tmp_path: Path) -> None:
    other = shutil.copytree(MODEL_FOLDER, tmp_path / "other")
    lines = describe_study(make_config("demo", f"grid.base_model.name=embedded,{other}"))
    single = describe_study(make_config("demo"))
    assert ("note", f"{other} is the same model as embedded: their cells are the same, and run once") in lines
    for subject in ("training", "shared", "scoring"):
        assert dict(lines)[subject] == dict(single)[subject]
    assert dict(lines)["grid"].startswith("6 cells: ")


@pytest.mark.slow
def test_headlines_that_were_in_test_before_are_counted_in_test(home: Path) -> None:
    config = make_config("demo", "split.method=hashed")
    ingest_and_save(config.data, lambda _: None)
    accepted = find_headlines(config.data)
    negative = accepted.loc[accepted["label"] == "negative", "headline_id"].tolist()
    earlier = config.split.model_copy(update={"test_per_class": 400})
    save_split(home / "warehouse.duckdb", "split", "snapshot", {"test": negative[:400]}, earlier.model_dump())
    assert dict(describe_study(config))["data"].endswith("; test 1,000 (400 negative, 300 neutral, 300 positive)")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignments", "line"),
    [
        (["baselines.names=TF-IDF + linear SVM"], "TF-IDF + linear SVM"),
        (["baselines.names="], "none"),
        (
            ["baselines.names=finance lexicon", "baselines.embedding_model=org/encoder@v2"],
            "finance lexicon, sentence embeddings + logistic regression (org/encoder@v2 from the hub)",
        ),
    ],
)
def test_the_baselines_are_named(assignments: list[str], line: str) -> None:
    assert dict(describe_study(make_config("demo", *assignments)))["baselines"] == line


@pytest.mark.slow
def test_an_encoder_in_a_folder_is_checked_and_named_with_its_revision(tiny_encoder: Path) -> None:
    line = dict(describe_study(make_config("demo", f"baselines.embedding_model={tiny_encoder}")))["baselines"]
    assert re.search(rf" \({re.escape(str(tiny_encoder))}, files [0-9a-f]{{16}}\)$", line)
    with pytest.raises(EmbeddingModelError, match="embedding model nowhere: no such folder"):
        describe_study(make_config("demo", "baselines.embedding_model=nowhere"))


def test_a_source_with_too_many_rejected_rows_is_refused(home: Path) -> None:
    rows = ["Profit rose.,positive", "Profit fell.,negative", "Profit was flat.,neutral", "Profit.,good"]
    Path("news.csv").write_text("\n".join(["text,label", *rows]))
    line = r"source 'news\.csv': 1 of 4 rows rejected, a share of 0\.25 where data\.max_rejected allows 0\.1: 1 row w"
    with pytest.raises(TooManyRejectedError, match=line):
        describe_study(make_config("desk", "data.source=news.csv"))
    ingest_and_save(make_config("desk", "data.source=news.csv", "data.max_rejected=0.25").data, lambda _: None)
    with pytest.raises(TooManyRejectedError, match=line):
        describe_study(make_config("desk", "data.source=news.csv"))


def test_the_study_of_the_paper_is_counted() -> None:
    lines = dict(describe_study(make_config("paper")))
    assert lines["data"] == (
        "FinancialPhraseBank-v1.0.zip (not found here: give its path with --data); "
        "900 train, 900 test, validation: all that is left"
    )
    assert lines["grid"].startswith("6 cells: training.learning_rate 2e-06, 2e-04, 2e-02 x training.epochs 1, 3")
    assert lines["training"] == (
        "whole-text loss, cosine schedule, batches of 8, LoRA r=64, alpha=16, dropout=0.1, AdamW; 1,356 steps in all"
    )
    assert lines["shared"].startswith("nothing: a cosine depends on the number of epochs")
    assert lines["epoch curve"] == (
        "then epochs 1 to 13 of the cell best on validation: 11 more cells, 9,831 more steps"
    )
    assert lines["scoring"].startswith("17 fine-tunes ")


def test_the_needs_of_a_model_of_the_hub_are_named() -> None:
    needs = dict(describe_study(make_config("paper")))["needs"]
    assert "HF_TOKEN if the model is gated; a CUDA GPU; about 14 GB of disk" in needs
    assert "4 GB of GPU memory for them in 4 bits" in needs
    whole = dict(describe_study(make_config("paper", "base_model.quantization=none")))["needs"]
    assert "14 GB of GPU memory for them in 16 bits" in whole


def test_cells_of_every_seed_are_counted() -> None:
    config = make_config("demo", "grid.seeds=1,2,3", "grid.curve_epochs=3,4", "split.train_per_class=8")
    lines = dict(describe_study(config))
    assert lines["grid"].startswith("18 cells: ")
    assert lines["training"].endswith("; 81 steps in all")
    assert lines["epoch curve"].endswith(": 3 more cells, 9 more steps")
    assert lines["scoring"].startswith("21 fine-tunes ")


@pytest.mark.slow
def test_the_steps_that_cells_share_are_named_for_each_schedule() -> None:
    decay = dict(describe_study(make_config("demo", "training.schedule=warmup-stable-decay")))
    assert decay["training"].endswith("; 1,086 steps in all")
    assert decay["shared"] == (
        "up to its decay a cell is a checkpoint of the longer ones that differ from it in epochs only: "
        "1,086 steps are trained instead of 1,356"
    )
    single = dict(describe_study(make_config("demo", "grid.epochs=3")))
    assert single["shared"] == "nothing: no two cells differ in their epochs only"


def test_the_real_phrasebank_is_counted_as_in_the_study(fpb_folder: Path) -> None:
    config = make_config("paper", f"data.source={fpb_folder / 'FinancialPhraseBank-v1.0.zip'}")
    assert dict(describe_study(config))["data"].endswith(
        ": train 900 (300 negative, 300 neutral, 300 positive); "
        "validation 3,046 (4 negative, 2,279 neutral, 763 positive); "
        "test 900 (300 negative, 300 neutral, 300 positive)"
    )


def test_only_a_source_that_a_profile_names_may_be_missing() -> None:
    with pytest.raises(SourceError, match=r"'mine\.csv' does not exist"):
        describe_study(make_config("desk", "data.source=mine.csv"))


def test_before_a_run_nothing_may_be_missing(home: Path) -> None:
    with pytest.raises(SourceError, match=r"'headlines\.csv' does not exist"):
        check_inputs(make_config("desk"), lambda _: None)
    with pytest.raises(BaseModelError, match="base model nowhere: no such folder"):
        check_inputs(make_config("demo", "base_model.name=nowhere"), lambda _: None)
    with pytest.raises(EmbeddingModelError, match="embedding model nowhere: no such folder"):
        check_inputs(make_config("demo", "baselines.embedding_model=nowhere"), lambda _: None)
    assert not home.exists()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("baselines.names=lexicon", "'lexicon' is no baseline, did you mean 'finance lexicon'"),
        ("training.method=full", "training.method full: embedded is a causal language model"),
        ("split.train_per_class=99", "102 negative headlines are needed and 6 are there"),
    ],
)
def test_before_a_run_settings_that_cannot_be_followed_are_refused(home: Path, assignment: str, message: str) -> None:
    rows = [f"Unit {chr(65 + n)} has news {n},{mood}" for n in range(6) for mood in ("negative", "neutral", "positive")]
    Path("news.csv").write_text("\n".join(["text,label", *rows]))
    sizes = ("split.train_per_class=2", "split.test_per_class=2")
    with pytest.raises(InputError, match=message):
        check_inputs(make_config("demo", "data.source=news.csv", *sizes, assignment), lambda _: None)
    assert not home.exists()


@pytest.mark.slow
def test_a_source_that_a_run_needs_is_read_once(home: Path) -> None:
    lines: list[str] = []
    for _ in range(2):
        check_inputs(make_config("demo"), lines.append)
    assert lines[-2].startswith("embedded (synthetic): 6,000 rows read")
    assert lines[-1].startswith("embedded (synthetic): nothing new, its 6,000 rows are snapshot ")
    assert ask(home, "SELECT count(*) FROM sources") == [(1,)]


@pytest.mark.slow
def test_the_preview_of_a_race_names_how_many_steps_it_saves_at_most() -> None:
    lines = dict(describe_study(make_config("demo", "search=race")))
    assert lines["race"].endswith("dropped: 452 steps saved at most")
    assert "race" not in dict(describe_study(make_config("demo")))


NOTHING = "saves nothing: no two trainings of one schedule go on after their first epoch"
TOO_FEW = "with 3 validation headlines no difference is significant, and none is dropped"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("grid.epochs=1", NOTHING),
        ("grid.learning_rates=1e-3", NOTHING),
        ("split.validation_per_class=1", f"; {TOO_FEW}"),
    ],
)
def test_the_preview_of_a_race_names_why_it_cannot_save_anything(assignment: str, message: str) -> None:
    assert dict(describe_study(make_config("demo", "search=race", assignment)))["race"].endswith(message)
