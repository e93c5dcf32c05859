"""Headlines of a study that are longer than a base model takes: finds, locates and handles them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.listing import count
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 3
"""Rows that a message names, at most."""


class TooLongError(InputError):
    """More of a source's headlines are too long for a base model than `data.max_rejected` allows."""


class LongHeadline(NamedTuple):
    """A headline that is too long for a base model: its tokens with prompt and label, and the model's bound."""

    headline_id: str
    text_id: str
    base_model: str
    tokens: int
    bound: int


def find_long(config: StudyConfig, headlines: "pd.DataFrame", *, fetch: bool) -> list[LongHeadline]:
    """The headlines that are too long for a base model of a study, in their order, for each base model and prompt.

    Args:
        config: The study.
        headlines: Columns headline_id, text_id, text, context and instrument.
        fetch: Download a missing hub model for which a headline may be too long; otherwise it is skipped.

    Raises:
        InputError: A base model cannot be found, or takes no headline at all with its prompt.
    """
    from learning.kinds.resolution import find_too_long
    from operations.examples import list_questions

    models, found = Home.from_environment().models, list[LongHeadline]()
    ids = list(zip(headlines["headline_id"], headlines["text_id"], strict=True))
    for cell in config.resolve_asked():
        base, texts = cell.base_model, list_questions(headlines, cell.prompt)
        lengths = find_too_long(base.name, base.revision, models, texts, cell.prompt, fetch=fetch)
        found += [LongHeadline(*ids[place], base.name, *length) for place, length in lengths.items()]
    return found


def list_left_out(config: StudyConfig, long: Sequence[LongHeadline]) -> frozenset[str]:
    """The ids of the headlines that the study leaves out of its split, each too long for at least one base model."""
    return frozenset(each.headline_id for each in long) if config.data.too_long == "reject" else frozenset()


def check_long(config: StudyConfig, headlines: "pd.DataFrame", long: Sequence[LongHeadline]) -> None:
    """Refuse a source of which a study would leave out a larger share than `data.max_rejected`.

    Raises:
        TooLongError: The share is larger.
    """
    left_out = list_left_out(config, long)
    share = len(left_out) / len(headlines)
    if share > config.data.max_rejected:
        raise TooLongError(
            f"source {config.data.source!r}: {describe_long(config, long)}. That is a share of {share:.3g} where "
            f"data.max_rejected allows {config.data.max_rejected:g}; shorten them, set data.too_long=truncate, or take "
            "a base model that takes more"
        )


def warn_of_long(config: StudyConfig, long: Sequence[LongHeadline]) -> str | None:
    """Which headlines are too long, and what is done with them; None where there are none."""
    if not long:
        return None
    done = {
        "reject": "in no part of the split; data.too_long=truncate keeps the beginning",
        "truncate": "truncated to the longest beginning that the base model takes",
    }
    return f"{describe_long(config, long)}: {done[config.data.too_long]}"


def describe_long(config: StudyConfig, long: Sequence[LongHeadline]) -> str:
    """How many headlines are too long for which base model; the longest with their rows, lengths and bounds."""
    worst: dict[str, LongHeadline] = {}
    for each in sorted(long, key=lambda each: each.bound - each.tokens):
        worst.setdefault(each.headline_id, each)
    named, more = list(worst.values())[:MOST_NAMED], len(worst) - MOST_NAMED
    rows = _locate(config, [each.text_id for each in named])
    texts = [
        f"{rows.get(each.text_id, 'headline ' + each.headline_id)}: {each.tokens:,} tokens, {each.base_model} takes "
        f"{each.bound:,}"
        for each in named
    ]
    context = ", context" if config.data.context_column else ""
    listed = "; ".join(texts) + (f"; and {more:,} more" if more > 0 else "")
    headlines = count(len(worst), "headline is", "headlines are")
    return f"{headlines} longer than a base model takes with prompt{context} and label ({listed})"


def _locate(config: StudyConfig, text_ids: Sequence[str]) -> dict[str, str]:
    """The first row of each text in the source, in words."""
    from ingestion.places import find_rows
    from ingestion.sources import find_source

    source = find_source(config.data)
    rows = find_rows(source, config.data, text_ids)
    return {text: f"row {row:,}{f' of {file}' if source.is_folder else ''}" for text, (file, row) in rows.items()}
