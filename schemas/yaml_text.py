"""YAML from a person: only plain values, read within bounds."""

from typing import Any

import yaml

MOST_CHARACTERS = 200_000
MOST_DEPTH = 20
_MOST_DIGITS = 400
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class YamlTextError(ValueError):
    """A text is not YAML, or is YAML that no setting needs. The message names the problem, not the text."""


def read_yaml(text: str, *, as_words: bool = False) -> Any:
    """The value of a text of YAML, or of JSON, which is YAML.

    Args:
        text: The text.
        as_words: Whether every value stays the text that is written, `0`, `no` and `on` too.

    Raises:
        YamlTextError: It is too long, too deep, repeats parts of itself (a few lines can stand for billions), has a
            key twice, or is not YAML.
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlTextError(f"{len(text):,} characters, more than the {MOST_CHARACTERS:,} that are read")
    try:
        return yaml.load(text, Loader=_Words if as_words else _Values)  # noqa: S506 (both make plain values alone)
    except YamlTextError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        # PyYAML's own values raise other errors, as for a 13th month.
        spaces = "; write spaces in place of tabs" if r"'\t'" in str(error) else ""
        raise YamlTextError(f"no valid YAML or JSON{_find_line(error, text)}{spaces}") from error


def _find_line(error: Exception, text: str) -> str:
    """Where a text of several lines stops being YAML, in words; empty if that is not known, or there is one line."""
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark and len(text.splitlines()) > 1 else ""


class _Bounds:
    """The bounds of both loaders."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose the next value, and those within it."""
        if self.check_event(yaml.AliasEvent):  # type: ignore[attr-defined]
            raise YamlTextError("it repeats a part of itself by an alias (`*name`): write the part out")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise YamlTextError(f"values within values, more than {MOST_DEPTH} deep")
        node = super().compose_node(parent, index)  # type: ignore[misc]
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's own)
        """Make a dictionary whose keys are text, `0` too; refuse equal keys, of which YAML would keep the last."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                key.tag = _TEXT
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)  # type: ignore[misc]
        if len(mapping) < len(node.value):
            keys = [key.value for key, _ in node.value]
            twice = next((key for place, key in enumerate(keys) if key in keys[:place]), keys[0])
            raise YamlTextError(f"it names {twice!r:.50} twice")
        return mapping


class _Values(_Bounds, yaml.SafeLoader):
    """A loader that parses numbers, dates and the like."""


class _Words(_Bounds, yaml.BaseLoader):
    """A loader that keeps every value as text."""


def _make_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _MOST_DIGITS:
        raise YamlTextError(f"a number of more than {_MOST_DIGITS} digits")
    return int(loader.construct_yaml_int(node))


_Values.add_constructor("tag:yaml.org,2002:int", _make_int)
