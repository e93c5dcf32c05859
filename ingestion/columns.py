"""Which column holds the headline and which the label: by the setting, else by name. Knows no format."""

from collections.abc import Sequence

from schemas.config import DataSettings
from schemas.errors import InputError

TEXT_NAMES = ("text", "headline", "sentence", "title", "news", "news headline", "content", "message", "tweet")
LABEL_NAMES = ("label", "sentiment", "class", "polarity", "target", "category", "gold label")
"""Known names, best first; case, padding, `_` and `-` ignored."""

_SHOWN_COLUMNS = 12
_SHOWN_CHARACTERS = 40


class MissingColumnError(InputError):
    """A source has no column for the headlines or, where they need labels, none for these."""


def choose_columns(source: str, names: Sequence[str], settings: DataSettings) -> tuple[int, int | None]:
    """The places of the text and the label column; the latter is None where there is none and none is needed.

    Raises:
        MissingColumnError: A column that is needed is not there.
    """
    text, label = find_columns(names, settings.text_column, settings.label_column)
    if text is None or (label is None and settings.is_labelled):
        raise missing_columns(source, names, settings)
    return text, label


def has_columns(names: Sequence[str], settings: DataSettings) -> bool:
    """Whether all columns are there that are needed."""
    text, label = find_columns(names, settings.text_column, settings.label_column)
    return text is not None and (label is not None or not settings.is_labelled)


def find_columns(
    names: Sequence[str], text_column: str | None, label_column: str | None
) -> tuple[int | None, int | None]:
    """Find the places of the text and the label column; None for one that is not there."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_fold(name), place)
    return _place(places, text_column, TEXT_NAMES), _place(places, label_column, LABEL_NAMES)


def missing_columns(source: str, names: Sequence[str], settings: DataSettings) -> MissingColumnError:
    """The error for a source that lacks a column that is needed."""
    text, label = find_columns(names, settings.text_column, settings.label_column)
    wanted = [("text", settings.text_column, text), ("label", settings.label_column, label)]
    missing = [
        f"{what} column" + (f" {column!r}" if column else "")
        for what, column, place in (wanted if settings.is_labelled else wanted[:1])
        if place is None
    ]
    shown = [name[:_SHOWN_CHARACTERS] for name in names[:_SHOWN_COLUMNS]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    remedy = "name them with --set data.text_column=NAME and --set data.label_column=NAME"
    if not settings.is_labelled:
        remedy = "name it with --text-column, or say --format lines if each line is a headline"
    return MissingColumnError(
        f"source {source!r} has no {' and no '.join(missing)}, its columns are {shown}{more}: {remedy}"
    )


def _place(places: dict[str, int], wanted: str | None, known: Sequence[str]) -> int | None:
    names = known if wanted is None else (_fold(wanted),)
    return next((places[name] for name in names if name in places), None)


def _fold(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())
