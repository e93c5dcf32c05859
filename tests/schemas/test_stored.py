"""Stored settings can be read, whatever version stored them."""

import pytest
from pydantic import ValidationError

from schemas import stored
from schemas.cell import PromptSettings, TrainingSettings
from schemas.evaluation import DecodingSettings, PromotionSettings
from schemas.stored import read_stored

TRAINING = TrainingSettings(loss="completion", schedule="cosine", batch_size=16)


def test_settings_of_this_version_are_read_as_they_were_stored() -> None:
    for name, settings in (
        ("training", TRAINING),
        ("prompt", PromptSettings(spellings="any")),
        ("decoding", DecodingSettings(temperatures=(0.1, 2), top_k=7)),
        ("promotion", PromotionSettings()),
    ):
        assert read_stored(type(settings), name, settings.model_dump(mode="json")) == settings


def test_a_setting_that_the_older_version_lacked_has_its_default() -> None:
    values = TRAINING.model_dump(mode="json")
    del values["side_by_side"], values["decay_ratio"]
    assert read_stored(TrainingSettings, "training", values) == TRAINING


def test_a_setting_that_no_longer_exists_is_left_out() -> None:
    assert read_stored(TrainingSettings, "training", {**TRAINING.model_dump(), "momentum": 0.9}) == TRAINING


def test_a_setting_that_had_other_names_is_known_by_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = {"training.rows": "training.minibatch", "training.minibatch": "training.batch_size"}
    monkeypatch.setattr(stored, "RENAMED", renamed)
    values = TRAINING.model_dump()
    size = values.pop("batch_size")
    for name in ("rows", "minibatch", "batch_size"):
        assert read_stored(TrainingSettings, "training", {**values, name: size}) == TRAINING


def test_a_value_that_no_setting_may_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        read_stored(TrainingSettings, "training", {**TRAINING.model_dump(), "batch_size": 0})


def test_every_renamed_setting_exists_and_no_old_name_is_used_again() -> None:
    from schemas.config import StudyConfig
    from schemas.settings import iterate_settings

    today = {name for name, _ in iterate_settings(StudyConfig)}
    assert today.isdisjoint(stored.RENAMED)
    assert set(stored.RENAMED.values()) <= today | set(stored.RENAMED)
