"""The bounds of the settings: the last value that is allowed, and the first that is refused."""

import math
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.cell import BaseModelSettings, LoraSettings, PromptSettings, TrainingSettings
from schemas.config import StudyConfig
from schemas.evaluation import BaselineSettings, DecodingSettings
from schemas.profiles import PROFILES, build_config, load_profile
from schemas.runner import RunnerSettings
from schemas.source import DataSettings
from schemas.split import SplitSettings

LEAST: dict[type[BaseModel], dict[str, Any]] = {
    DataSettings: {"source": "x"},
    SplitSettings: {"method": "hashed", "train_per_class": 1, "test_per_class": 1},
    PromptSettings: {},
    BaseModelSettings: {"name": "embedded"},
    BaselineSettings: {},
    LoraSettings: {},
    TrainingSettings: {"loss": "completion", "schedule": "constant"},
    DecodingSettings: {"temperatures": [1]},
    RunnerSettings: {},
}


@pytest.mark.parametrize("group", LEAST)
def test_the_least_that_a_group_needs_is_enough(group: type[BaseModel]) -> None:
    group.model_validate(LEAST[group])


@pytest.mark.parametrize(
    ("group", "values"),
    [
        (DataSettings, {"agreement": 100}),
        (DataSettings, {"max_rejected": 0}),
        (DataSettings, {"max_rejected": 1}),
        (SplitSettings, {"seed": 2**32 - 1}),
        (BaselineSettings, {"names": []}),
        (BaselineSettings, {"names": ["finance lexicon"], "embedding_model": "x"}),
        (LoraSettings, {"r": 1, "alpha": 1e-9, "dropout": 0}),
        (TrainingSettings, {"warmup_ratio": 0, "weight_decay": 0}),
        (TrainingSettings, {"batch_size": 8, "micro_batch_size": 1}),
        (DecodingSettings, {"temperatures": [1e-6, 1e6], "top_k": 1, "top_p": 1}),
        (RunnerSettings, {"kind": "ray", "gpus_per_cell": 0, "cpus_per_cell": 1}),
        (RunnerSettings, {"kind": "ray", "gpus_per_cell": 1, "storage": "/shared"}),
        (RunnerSettings, {"kind": "ray", "storage": "s3://bucket/folder"}),
    ],
)
def test_the_bound_itself_is_allowed(group: type[BaseModel], values: dict[str, Any]) -> None:
    group.model_validate(LEAST[group] | values)


@pytest.mark.parametrize(
    ("group", "values"),
    [
        (DataSettings, {"source": ""}),
        (DataSettings, {"agreement": 51}),
        (DataSettings, {"label_map": {"up": "bullish"}}),
        (DataSettings, {"duplicates": "drop"}),
        (DataSettings, {"max_rejected": -0.01}),
        (DataSettings, {"max_rejected": 1.01}),
        (SplitSettings, {"train_per_class": 0}),
        (SplitSettings, {"validation_per_class": 0}),
        (SplitSettings, {"seed": -1}),
        (SplitSettings, {"seed": 2**32}),
        (PromptSettings, {"instruction": ""}),
        (PromptSettings, {"label_words": {"positive": "up", "negative": "down"}}),
        (PromptSettings, {"label_words": {"positive": "up", "negative": "down", "neutral": "up"}}),
        (PromptSettings, {"label_words": {"positive": " up", "negative": "down", "neutral": "flat"}}),
        (BaseModelSettings, {"quantization": "int8"}),
        (BaselineSettings, {"names": ["finance lexicon", "finance lexicon"]}),
        (BaselineSettings, {"embedding_model": ""}),
        (TrainingSettings, {"learning_rate": 0}),
        (TrainingSettings, {"learning_rate": math.nan}),
        (TrainingSettings, {"learning_rate": math.inf}),
        (TrainingSettings, {"epochs": 0}),
        (TrainingSettings, {"epochs": 1.5}),
        (TrainingSettings, {"seed": -1}),
        (LoraSettings, {"r": 0}),
        (LoraSettings, {"alpha": 0}),
        (LoraSettings, {"dropout": 1}),
        (LoraSettings, {"dropout": -0.1}),
        (TrainingSettings, {"warmup_ratio": 1}),
        (TrainingSettings, {"weight_decay": -1}),
        (TrainingSettings, {"max_grad_norm": 0}),
        (TrainingSettings, {"batch_size": 8, "micro_batch_size": 16}),
        (DecodingSettings, {"temperatures": []}),
        (DecodingSettings, {"temperatures": [0]}),
        (DecodingSettings, {"temperatures": [-1]}),
        (DecodingSettings, {"temperatures": [math.inf]}),
        (DecodingSettings, {"top_k": 0}),
        (DecodingSettings, {"top_p": 0}),
        (DecodingSettings, {"top_p": 1.01}),
        (RunnerSettings, {"kind": "dask"}),
        (RunnerSettings, {"address": ""}),
        (RunnerSettings, {"gpus_per_cell": -0.1}),
        (RunnerSettings, {"gpus_per_cell": 2}),
        (RunnerSettings, {"cpus_per_cell": 0}),
        (RunnerSettings, {"storage": "shared/folder"}),
        (RunnerSettings, {"storage": "s3://key:secret@bucket/folder"}),
        (RunnerSettings, {"address": "ray://user:secret@host:10001"}),
    ],
)
def test_beyond_the_bound_is_refused(group: type[BaseModel], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        group.model_validate(LEAST[group] | values)


@pytest.mark.parametrize("group", LEAST)
def test_an_unknown_name_is_refused(group: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        group.model_validate(LEAST[group] | {"unheard_of": 1})


@pytest.mark.parametrize("name", PROFILES)
def test_a_study_survives_a_round_trip_through_json(name: str) -> None:
    config = build_config(load_profile(name))
    assert StudyConfig.model_validate_json(config.model_dump_json()) == config


def test_a_study_is_frozen() -> None:
    config = build_config(load_profile("demo"))
    with pytest.raises(ValidationError, match="frozen"):
        config.curve_epochs = (9,)


@pytest.mark.parametrize(("method", "seed"), [("hashed", 7), ("study", 7), ("given", 42)])
def test_the_seed_has_no_effect_where_the_source_gives_the_parts(method: str, seed: int) -> None:
    assert SplitSettings.model_validate(LEAST[SplitSettings] | {"method": method, "seed": 7}).effective_seed == seed
