"""The model of the score and market deployments, which the Prefect UI asks for."""

import pytest
from pydantic import BaseModel, ValidationError

from schemas.market import MarketSettings
from schemas.score import ScoreSettings


@pytest.mark.parametrize("settings", [ScoreSettings, MarketSettings])
def test_the_model_may_not_be_empty(settings: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match=r"model\s+String should have at least 1 character"):
        settings.model_validate({"source": "a.csv", "prices": "b.csv", "symbol": "X", "model": ""})
