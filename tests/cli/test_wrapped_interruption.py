"""Ctrl-C ends a command as an interruption, even if a library raises an error of its own in place of it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, model_serializer

from cli import entry
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


WHILE_IMPORTING = """
import sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from cli.entry import main
main()
"""


def test_an_interruption_while_commands_are_imported_ends_without_a_traceback() -> None:
    root = Path(entry.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", WHILE_IMPORTING], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
