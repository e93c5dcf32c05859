"""Names that the installed transformers knows: types of models, activations and scalings of positions.

They are read from its source, since importing them would load torch.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OTHER_ROPES = frozenset({"default", "mrope", "su"})
"""Scalings of positions that transformers understands besides those of its table."""


def model_types() -> frozenset[str]:
    """Values of `model_type`; empty if this version of transformers keeps them elsewhere."""
    auto = ("models/auto/auto_mappings.py", "models/auto/configuration_auto.py")
    return frozenset().union(*(_read_keys(file, "CONFIG_MAPPING_NAMES") for file in auto))


def activations() -> frozenset[str]:
    """Values of `hidden_act`; empty if this version of transformers keeps them elsewhere."""
    return _read_keys("activations.py", "ACT2CLS")


def rope_types() -> frozenset[str]:
    """Values of `rope_type`; empty if this version of transformers keeps them elsewhere."""
    found = _read_keys("modeling_rope_utils.py", "ROPE_INIT_FUNCTIONS")
    return found | OTHER_ROPES if found else found


@cache
def _read_keys(file: str, table: str) -> frozenset[str]:
    """The keys of a dictionary at the top of a source file, with those that `update` adds."""
    spec = find_spec("transformers")
    source = Path(spec.origin).parent / file if spec and spec.origin else None
    if source is None or not source.is_file():
        return frozenset()
    body = ast.parse(source.read_text(encoding="utf-8")).body
    return frozenset(key for line in body for value in _values(line, table) for key in _keys(value))


def _values(line: ast.stmt, table: str) -> list[ast.expr]:
    """What a line assigns or adds to a dictionary of this name."""
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == table:
            return [value]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name == table:
            return [value]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)), args=values)) if name == table:
            return values
    return []


def _keys(value: ast.expr) -> Iterator[str]:
    """The keys of a literal dictionary, or of the list of pairs of an `OrderedDict`."""
    match value:
        case ast.Dict(keys=keys):
            yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
        case ast.Call(args=args, keywords=keywords):
            for part in (*args, *(keyword.value for keyword in keywords)):
                yield from _keys(part)
        case ast.List(elts=pairs):
            for pair in pairs:
                if isinstance(pair, ast.Tuple) and isinstance(pair.elts[0], ast.Constant):
                    yield str(pair.elts[0].value)
