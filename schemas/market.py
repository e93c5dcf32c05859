"""The settings and the result of `fintone market`."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schemas.promotion import CHAMPIONS
from schemas.settings import Settings, known_zone

MOST_SESSIONS = 60
"""The longest horizon: a quarter."""

RANKS = "rank correlation"
"""The measure that needs no line: the others are coefficients of a regression."""


def _read_horizons(value: Any) -> Any:
    """`1d,5d` as [1, 5]."""
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",")]
    if not all(re.fullmatch(r"\d{1,3}d?", word) for word in words):
        raise ValueError(f"{value!r}: give sessions, as in 1d,5d")
    return [int(word.rstrip("d")) for word in words]


Horizon = Annotated[int, Field(ge=1, le=MOST_SESSIONS)]


class MarketSettings(Settings):
    """The prices, the model whose sentiment is compared with them, and how."""

    prices: str = Field(
        description="A file of prices: date, instrument, close; or date and a column for each instrument.", min_length=1
    )
    horizons: Annotated[tuple[Horizon, ...], BeforeValidator(_read_horizons)] = Field(
        default=(1, 5),
        min_length=1,
        description="Sessions from the first close after a headline to the end of a return.",
    )
    calendar: str = Field(default="XNYS", description="The exchange: a code of exchange_calendars, or 24/7.")
    model: str = Field(
        default="champion",
        description="`champion`, or the id of a fine-tuned cell, or its first 4 characters or more. `champions`: of "
        "each headline the answer of the cell that was champion when it was published.",
        min_length=1,
    )
    temperature: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Of the probabilities; that of the gate when not given."
    )
    timezone: str | None = Field(
        default=None,
        description="A headline at midnight in this zone counts as one with only a date, which is known at the end of "
        "that day. When not given, the zone in which each headline's source was read.",
    )
    price_column: str | None = Field(default=None, description="Column of the prices; found by names when not given.")

    @field_validator("horizons")
    @classmethod
    def _sort(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _check_temperature(self) -> "MarketSettings":
        if self.model == CHAMPIONS and self.temperature is not None:
            raise ValueError("temperature: each champion has its own; leave it out where model is champions")
        return self

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)


@dataclass(frozen=True)
class Measured:
    """A measurement, with notes for the user."""

    market_id: str
    cell_id: str | None
    """The cell whose sentiment it is; None: of each headline, that of the champion of its time."""
    temperature: float | None
    notes: tuple[str, ...]
    """What was left out and why, a line each."""
