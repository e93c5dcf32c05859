"""Which column holds the headline and which the label: by the setting, else by name. Knows no format."""

from collections.abc import Sequence

from schemas.errors import InputError

TEXT_NAMES = ("text", "headline", "sentence", "title", "news", "news headline", "content", "message", "tweet")
LABEL_NAMES = ("label", "sentiment", "class", "polarity", "target", "category", "gold label")
"""Known names, best first; case, padding, `_` and `-` ignored."""

_SHOWN_COLUMNS = 12
_SHOWN_CHARACTERS = 40


class MissingColumnError(InputError):
    """A source has no column for the headlines or none for the labels."""


def find_columns(
    names: Sequence[str], text_column: str | None, label_column: str | None
) -> tuple[int | None, int | None]:
    """Find the places of the text and the label column; None for one that is not there."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_fold(name), place)
    return _place(places, text_column, TEXT_NAMES), _place(places, label_column, LABEL_NAMES)


def missing_columns(
    source: str, names: Sequence[str], text_column: str | None, label_column: str | None
) -> MissingColumnError:
    """The error for a source in which `find_columns` did not find both."""
    text, label = find_columns(names, text_column, label_column)
    missing = [
        f"{what} column" + (f" {column!r}" if column else "")
        for what, column, place in (("text", text_column, text), ("label", label_column, label))
        if place is None
    ]
    shown = [name[:_SHOWN_CHARACTERS] for name in names[:_SHOWN_COLUMNS]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return MissingColumnError(
        f"source {source!r} has no {' and no '.join(missing)}, its columns are {shown}{more}: "
        "name them with --set data.text_column=NAME and --set data.label_column=NAME"
    )


def _place(places: dict[str, int], wanted: str | None, known: Sequence[str]) -> int | None:
    names = known if wanted is None else (_fold(wanted),)
    return next((places[name] for name in names if name in places), None)


def _fold(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())
