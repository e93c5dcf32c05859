"""Shell completion for profiles, studies, cells and snapshots. After an error it suggests nothing."""

from collections.abc import Callable

from schemas.errors import FailureError, InputError
from schemas.promotion import CHAMPION, CHAMPIONS

_PROMOTED = "the cell that the gate or a person promoted"
Suggestions = list[tuple[str, str]]
"""Words with their descriptions; a shell that cannot show descriptions shows only the words."""


def complete_profile(incomplete: str) -> Suggestions:
    """Profiles with their descriptions, and YAML files."""
    from pathlib import Path

    from schemas.own_profile import ENDINGS
    from schemas.profiles import PROFILES, describe_profile

    shipped = [(profile, describe_profile(profile)) for profile in PROFILES if profile.startswith(incomplete)]
    files = sorted(Path().glob(f"{incomplete}*")) if incomplete and not Path(incomplete).is_absolute() else []
    return [*shipped, *((str(file), "a profile of your own") for file in files if file.suffix in ENDINGS)]


def complete_study(incomplete: str) -> Suggestions:
    """Ids of studies in the warehouse."""
    from storage.home import Home
    from storage.suggestions import suggest_studies

    return _quietly(lambda: suggest_studies(Home.from_environment().warehouse, incomplete))


def complete_id(incomplete: str) -> Suggestions:
    """Ids of studies, cells and snapshots in the warehouse, and `champion`."""
    from storage.home import Home
    from storage.suggestions import suggest_snapshots

    snapshots = _quietly(lambda: suggest_snapshots(Home.from_environment().warehouse, incomplete))
    return [
        *_words(incomplete, {CHAMPION: _PROMOTED}),
        *complete_study(incomplete),
        *complete_cell(incomplete),
        *snapshots,
    ]


def complete_cell(incomplete: str) -> Suggestions:
    """Ids of cells in the warehouse."""
    return _cells(incomplete, fine_tuned=False)


def complete_fine_tune(incomplete: str) -> Suggestions:
    """Ids of fine-tuned cells in the warehouse."""
    return _cells(incomplete, fine_tuned=True)


def complete_model(incomplete: str) -> Suggestions:
    """`champion`, and ids of fine-tuned cells."""
    return [*_words(incomplete, {CHAMPION: _PROMOTED}), *complete_fine_tune(incomplete)]


def complete_measured(incomplete: str) -> Suggestions:
    """`champion`, `champions`, and ids of fine-tuned cells."""
    words = {CHAMPION: _PROMOTED, CHAMPIONS: "of each headline, the champion of its time"}
    return [*_words(incomplete, words), *complete_fine_tune(incomplete)]


def _words(incomplete: str, words: dict[str, str]) -> Suggestions:
    return [(word, meaning) for word, meaning in words.items() if word.startswith(incomplete)]


def _cells(incomplete: str, *, fine_tuned: bool) -> Suggestions:
    from storage.home import Home
    from storage.suggestions import suggest_cells

    return _quietly(lambda: suggest_cells(Home.from_environment().warehouse, incomplete, fine_tuned=fine_tuned))


def _quietly(suggest: Callable[[], Suggestions]) -> Suggestions:
    try:
        return suggest()
    except (InputError, FailureError):  # no warehouse yet, or a study holds it; completion has no place for errors
        return []
