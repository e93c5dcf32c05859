"""The result of `fintone show`, for people or programs."""

import json
from typing import TYPE_CHECKING, Any

from cli.output.console import print_lines, stdout
from cli.output.results import deliver, render
from reporting.verdict import format_figure
from schemas.text import show_text

if TYPE_CHECKING:
    from operations.show import Shown

_SHARES = ("accuracy", "best_accuracy", "macro_f1", "difference", "unparsed")
"""How the names of columns of shares begin."""


def render_json(shown: "Shown") -> str:
    """Everything as one JSON object: what it is, its facts, its tables, and commands that show more."""
    identity = {"kind": shown.entry.kind, "id": shown.entry.identifier}
    document = {**identity, "facts": shown.facts, "tables": shown.tables, "next": shown.commands}
    return f"{json.dumps(document, indent=2, ensure_ascii=False, default=str)}\n"


def print_shown(shown: "Shown") -> None:
    """Print the known facts as lines, each table below its name, and commands that show more."""
    from storage.query import QueryResult

    kind = [] if shown.entry.kind in shown.facts else [(shown.entry.kind, shown.entry.identifier)]
    facts = [(name.replace("_", " "), _spell(value)) for name, value in shown.facts.items() if value not in (None, {})]
    print_lines([*kind, *facts])
    for name, rows in shown.tables.items():
        stdout.print(f"\n{name.replace('_', ' ')}:", style="bold")
        deliver(
            render(QueryResult(tuple(rows[0]), [tuple(_round_shares(row).values()) for row in rows]), "table"), None
        )
    if shown.commands:
        stdout.print("\nnext, for example:")
    for command in shown.commands:
        stdout.print(f"  {command}", soft_wrap=True, markup=False)


def _round_shares(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose shares and their differences have the digits that they have in other tables of figures."""
    shares = {name for name, value in row.items() if name.startswith(_SHARES) and isinstance(value, float)}
    return {name: float(format_figure(value)) if name in shares else value for name, value in row.items()}


def _spell(value: Any) -> str:
    """A fact in a line: settings as `group.setting=value`, a truth value as yes or no."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_spell_setting(setting)}" for name, setting in _open(value).items())
    if isinstance(value, list):
        return ", ".join(_spell_setting(item) for item in value)
    return ("yes" if value else "no") if isinstance(value, bool) else show_text(str(value))


def _open(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their dotted paths."""
    opened: dict[str, Any] = {}
    for name, value in values.items():
        opened |= _open(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return opened


def _spell_setting(value: Any) -> str:
    return (
        f"{value:g}"
        if isinstance(value, float)
        else value
        if isinstance(value, str)
        else json.dumps(value, default=str)
    )
