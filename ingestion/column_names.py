"""How the names of columns are compared: case, padding, `_`, `-` and a plural ignored."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=4_096)
def fold(name: str) -> str:
    """A name in the form in which names are compared."""
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def pluralise(name: str) -> str:
    """The English plural of a known name."""
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def split_words(name: str) -> list[str]:
    """The words of a name in lower case, those of `publishedAt` too."""
    return [word.casefold() for word in _WORD.findall(name)]


def end_of(name: str) -> str:
    """A name, or the last key of a path, in the form in which names are compared."""
    return fold(name.rpartition(".")[2])


def find_named(names: Sequence[str], wanted: str) -> list[int]:
    """The place of the column with exactly that name, else of one whose name compares equal; empty if there is none."""
    exact = [place for place, name in enumerate(names) if name == wanted]
    return (exact or [place for place, name in enumerate(names) if fold(name) == fold(wanted)])[:1]


def rank_names(
    names: Sequence[str], known: Sequence[str], spell: Callable[[str], set[str]] = lambda name: {fold(name)}
) -> dict[int, int]:
    """The rank of each column with a known name or its plural, 0 for the best.

    Args:
        names: The columns.
        known: The known names, the best first.
        spell: The forms of a column's name that are looked up; by default the name as names are compared.
    """
    rank_of = {form: rank for rank, form in reversed(list(enumerate((*known, *map(pluralise, known)))))}
    found = ((place, spell(name) & rank_of.keys()) for place, name in enumerate(names))
    return {place: min(map(rank_of.__getitem__, forms)) for place, forms in found if forms}
