"""The base class of every group of settings, and the types that several groups share."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from schemas.listing import show

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(ge=1, lt=2**31)]


Value = TypeVar("Value", str, float)


def refuse_repeats(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """The values as they are, if no two are equal."""
    if len(set(values)) != len(values):
        raise ValueError(f"{show(list(values))} names a value twice")
    return values


def known_zone(value: str) -> str:
    """The name of a time zone, checked.

    Raises:
        ValueError: There is no such time zone.
    """
    try:
        if value == "localtime":  # the machine's own, which another machine or DuckDB does not know
            raise KeyError(value)  # noqa: TRY301
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"{value!r} is not a time zone: give a name such as Europe/Lisbon, or UTC") from None
    return value


class Settings(BaseModel):
    """A group of settings: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NamingSettings(Settings):
    """Settings that name files, columns or models: no text in them holds a NUL character, which no path may hold."""

    @field_validator("*")
    @classmethod
    def _no_null_character(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError(f"{value!r:.50} holds a NUL character: take it out")
        return value


def explain_rule(message: str) -> str:
    """The rule of a message of pydantic's: "Input should be greater than 0" as "must be greater than 0"."""
    return re.sub(r"^\w+ should\b", "must", message.removeprefix("Value error, "))


def kinds_of(field: FieldInfo) -> tuple[Any, ...]:
    """The types that a setting may have."""
    return get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)


def iterate_settings(group: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield each setting's dotted path and field, those within groups included."""
    for name, field in group.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from iterate_settings(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
