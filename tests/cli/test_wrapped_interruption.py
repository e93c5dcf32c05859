"""Ctrl-C ends a command as an interruption, even if a library raises an error of its own in place of it."""

import signal
from collections.abc import Callable

import pytest
from pydantic import BaseModel, model_serializer

from cli.options import INTERRUPTED
from operations import show

Run = Callable[..., tuple[int, str, str]]


class InterruptedModel(BaseModel):
    """A model during whose serialisation the user presses Ctrl-C, as during that of Prefect's settings."""

    @model_serializer
    def _serialize(self) -> dict[str, str]:
        signal.raise_signal(signal.SIGINT)
        return {}


@pytest.mark.parametrize("dump", [InterruptedModel.model_dump, InterruptedModel.model_dump_json])
def test_an_interruption_that_pydantic_wraps_is_an_interruption(
    fintone: Run, monkeypatch: pytest.MonkeyPatch, dump: Callable[[InterruptedModel], object]
) -> None:
    monkeypatch.setattr(show, "show", lambda _: dump(InterruptedModel()))
    assert fintone("show", "champion") == (INTERRUPTED, "", "fintone: interrupted\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_without_an_interruption_is_reported(fintone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(show, "show", fail)
    code, _, err = fintone("show", "champion")
    assert (code, err) == (1, "fintone: ZeroDivisionError: a bug; --debug shows more\n")
