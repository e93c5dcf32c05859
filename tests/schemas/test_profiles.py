"""Profiles load, and a broken value becomes one line that names the setting, the value and the remedy."""

from pathlib import Path
from typing import Any

import pytest

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.label import Label
from schemas.profiles import PROFILES, build_config, load_profile
from schemas.settings import iterate_settings


def with_value(path: str, value: object) -> dict[str, Any]:
    values = load_profile("demo")
    *groups, name = path.split(".")
    target = values
    for group in groups:
        target = target.setdefault(group, {})
    target[name] = value
    return values


def test_the_four_profiles_are_found() -> None:
    assert PROFILES == ("demo", "desk", "desk-pt", "paper")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_has_the_name_of_its_file_and_builds_a_study(name: str) -> None:
    assert build_config(load_profile(name)).name == name


def test_for_a_misspelt_profile_the_error_suggests_the_nearest_and_lists_all() -> None:
    with pytest.raises(InputError, match=r"^unknown profile 'papers', did you mean 'paper'\?; there are demo, desk"):
        load_profile("papers")


@pytest.mark.parametrize("name", ["", ".", "..", "zzz", "Demo"])
def test_for_a_name_of_no_profile_and_no_file_the_error_lists_the_profiles(name: str) -> None:
    with pytest.raises(InputError, match=r"there are demo, desk, desk-pt, paper .* as in --profile my\.yaml$"):
        load_profile(name)


WRITTEN = """\
data: {source: 2024, text_column: 2, label_map: {0: negative, no: neutral, 1.0: positive}, encoding: null,
  label_columns: [1, no]}
prompt: {label_words: {negative: no, neutral: off, positive: yes}}
grid: {lora.r: [4, 8], base_model.name: [a, b]}
"""


def test_words_in_a_users_profile_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "2 Desks.yaml").write_text(WRITTEN)
    values = load_profile(str(tmp_path / "2 Desks.yaml"))
    words = {"0": "negative", "no": "neutral", "1.0": "positive"}
    read = {"source": "2024", "text_column": "2", "label_map": words, "encoding": None, "label_columns": ["1", "no"]}
    assert values["data"] == read
    assert values["prompt"]["label_words"] == {"negative": "no", "neutral": "off", "positive": "yes"}
    assert values["grid"] == {"lora.r": [4, 8], "base_model.name": ["a", "b"]}
    assert values["name"] == "profile-2-desks"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("decoding.temperatures", [0], "decoding.temperatures: 0 must be greater than 0"),
        ("decoding.temperatures", [0.1, 1, "0.1"], "decoding.temperatures: [0.1, 1.0, 0.1] names a value twice"),
        ("decoding.top_p", 1.5, "decoding.top_p = 1.5: must be less than or equal to 1"),
        ("grid.epochs", [1, -3], "grid: training.epochs = -3: must be greater than or equal to 1"),
        ("curve_epochs", [1, 1], "curve_epochs: [1, 1] names a value twice"),
        ("split.method", "random", "split.method = 'random': must be 'hashed', 'study', 'given' or 'temporal'"),
        ("training", 3, "training = 3: must be a group of settings"),
        ("training.micro_batch_size", 3, "training: batch_size 8 is no multiple of micro_batch_size 3"),
        ("data.sauce", "x.csv", "unknown setting data.sauce; did you mean data.source?"),
        ("lora", {"r": 4, "lora.r": 8}, "unknown setting lora.lora.r; did you mean lora.r?"),
        ("lora.rank", 8, "unknown setting lora.rank; did you mean lora.r?"),
        ("temperature", 1, "unknown setting temperature; did you mean decoding.temperatures?"),
        ("name", "Nightly Run", "name = 'Nightly Run': must match pattern '^[a-z][a-z0-9-]*$'"),
    ],
)
def test_a_broken_value_is_one_line_with_setting_value_and_rule(path: str, value: object, line: str) -> None:
    with pytest.raises(InputError) as raised:
        build_config(with_value(path, value))
    assert str(raised.value) == line


def test_a_missing_setting_is_named() -> None:
    values = load_profile("demo")
    del values["split"]["train_per_class"]
    with pytest.raises(InputError, match=r"^split\.train_per_class is missing: give it a value$"):
        build_config(values)


def test_every_problem_is_reported_at_once() -> None:
    values = with_value("grid.epochs", [0])
    values["lora"]["dropout"] = 1
    with pytest.raises(InputError, match=r"^lora\.dropout = 1: must be less than 1; grid: training\.epochs = 0: "):
        build_config(values)


def test_for_a_setting_like_no_other_the_error_lists_all() -> None:
    with pytest.raises(
        InputError, match=r"^unknown setting qqq; there are name, study_name, tags, data\.source, .*, runner\.storage$"
    ):
        build_config(with_value("qqq", 1))


def test_every_setting_has_a_description() -> None:
    assert [path for path, field in iterate_settings(StudyConfig) if not field.description] == []


def test_the_paper_profile_is_the_protocol_of_the_study() -> None:
    protocol = StudyConfig.model_validate(
        {
            "name": "paper",
            "data": {"source": "FinancialPhraseBank-v1.0.zip", "agreement": 50, "duplicates": "keep"},
            "split": {
                "method": "study",
                "train_per_class": 300,
                "test_per_class": 300,
                "validation_per_class": None,
                "seed": 42,
            },
            "prompt": {
                "instruction": "Analyze the sentiment of the news headline enclosed in square brackets, determine if "
                "it is positive, neutral, or negative, and return the answer as the corresponding sentiment label "
                '"positive" or "neutral" or "negative".',
                "label_words": {"positive": "positive", "neutral": "neutral", "negative": "negative"},
            },
            "base_model": {
                "name": "meta-llama/Llama-2-7b-hf",
                "revision": "01c7f73d771dfac7d292323805ebc428287df4f9",
                "quantization": "nf4",
            },
            "baselines": {
                "names": ["majority class", "finance lexicon", "TF-IDF + linear SVM"],
                "embedding_model": None,
            },
            "lora": {"r": 64, "alpha": 16, "dropout": 0.1},
            "training": {
                "loss": "whole-text",
                "seed": 42,
                "batch_size": 8,
                "schedule": "cosine",
                "warmup_ratio": 0.03,
                "weight_decay": 0.001,
                "max_grad_norm": 0.3,
            },
            "grid": {
                "learning_rates": [2e-6, 2e-4, 2e-2],
                "epochs": [1, 3],
                "curve_epochs": list(range(1, 14)),
            },
            "decoding": {"temperatures": [0.1, 1, 10], "top_k": 50, "top_p": None, "seed": 42},
        }
    )
    assert build_config(load_profile("paper")).model_dump() == protocol.model_dump()


def test_the_desk_profile_has_a_validation_part_and_a_constant_schedule() -> None:
    desk = build_config(load_profile("desk"))
    assert desk.split.validation_per_class
    assert (desk.training.loss, desk.training.schedule) == ("completion", "constant")


def test_label_words_come_in_any_order() -> None:
    words = {"positive": "good", "negative": "bad", "neutral": "flat"}
    assert build_config(with_value("prompt.label_words", words)).prompt.label_words[Label.NEGATIVE] == "bad"


def test_a_dotted_name_in_a_profile_is_told_how_to_be_written() -> None:
    with pytest.raises(InputError) as raised:
        build_config({**load_profile("demo"), "lora.r": 4})
    assert str(raised.value) == "unknown setting lora.r: write `lora:` and, indented below it, `r: …`"
