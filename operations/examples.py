"""The examples before headlines: chosen from the train part of a cell's split, and checked before anything trains."""

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.cell import CellSettings, PromptSettings
from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.label import Label
from storage.home import Home

if TYPE_CHECKING:
    import pandas as pd

    from learning.prompt.choice import FixedChooser, NearestChooser, Pool
    from learning.study.split import Parts

    Chooser = FixedChooser | NearestChooser


class ExamplesError(InputError):
    """The train part has too few examples, or they are too long for a base model."""


def load_chooser(split_id: str, prompt: PromptSettings, near_duplicates: str) -> "Chooser | None":
    """The chooser of a prompt's examples from the train part of a split; None for a prompt without examples.

    Args:
        split_id: The split.
        prompt: The prompt.
        near_duplicates: What counts as a near copy, as in `schemas.source.DataSettings`.
    """
    if not prompt.examples:
        return None
    warehouse = Home.from_environment().warehouse.absolute()
    return _load_chooser(warehouse, split_id, prompt.model_dump_json(), near_duplicates)


@lru_cache(maxsize=4)
def _load_chooser(warehouse: Path, split_id: str, prompt: str, near_duplicates: str) -> "Chooser":
    """Load a chooser, which is cached for the next cell or the next batch of a scoring."""
    from storage.splits import load_part

    settings = PromptSettings.model_validate_json(prompt)
    return make_chooser(_make_pool(load_part(warehouse, split_id, "train"), settings), settings, near_duplicates)


def make_chooser(pool: "Pool", prompt: PromptSettings, near_duplicates: str) -> "Chooser":
    """The chooser of a prompt's examples from a pool."""
    from ingestion.near_duplicates import match_near_copies
    from learning.prompt.choice import find_chooser

    return find_chooser(pool, prompt, partial(match_near_copies, measure=near_duplicates))


def list_questions(headlines: "pd.DataFrame", prompt: PromptSettings) -> tuple[str, ...]:
    """The texts of headlines (columns text, context and instrument), with the other two where a prompt shows them."""
    from learning.prompt.question import make_questions

    shown = {"context": prompt.context, "instrument": prompt.names_instrument}
    columns = [
        headlines[name].astype("object").where(headlines[name].notna() & is_shown, None)
        for name, is_shown in shown.items()
    ]
    return make_questions(headlines["text"], *columns)


def _make_pool(headlines: "pd.DataFrame", prompt: PromptSettings) -> "Pool":
    """The pool of headlines with columns text, label, group_id, context and instrument."""
    from learning.prompt.choice import Pool

    labels = tuple(Label(label) for label in headlines["label"])
    return Pool(list_questions(headlines, prompt), labels, tuple(headlines["group_id"]))


def ask_to_train(
    headlines: Sequence[str], labels: Sequence[Label], chooser: "Chooser | None"
) -> tuple[tuple[str, ...], tuple[Label, ...]]:
    """The headlines of the train part as they are trained on, with their labels.

    Fixed examples and their near copies are left out: all others have the same examples before them.
    """
    from learning.prompt.choice import FixedChooser, ask
    from learning.prompt.question import examples_of

    questions = ask(headlines, chooser)
    if not isinstance(chooser, FixedChooser):
        return questions, tuple(labels)
    kept = [place for place, headline in enumerate(questions) if examples_of(headline) == chooser.shown]
    return tuple(questions[place] for place in kept), tuple(labels[place] for place in kept)


def check_examples(config: StudyConfig, headlines: "pd.DataFrame", parts: "Parts", *, fetch: bool) -> None:
    """Check that each prompt of a study finds its examples, and that each base model takes them with each headline.

    Args:
        config: The study.
        headlines: Columns headline_id, text, label, group_id, context and instrument.
        parts: Ids of headlines by part.
        fetch: Whether to download a missing hub model for which a headline may be too long.

    Raises:
        ExamplesError: There are too few examples, or they are too long.
    """
    chosen: dict[str, list[str]] = {}
    for cell in (cell for cell in config.resolve_asked() if cell.prompt.examples):
        prompt = cell.prompt.model_dump_json()
        if prompt not in chosen:
            chosen[prompt] = _choose_all(cell.prompt, headlines, parts, config.data.near_duplicates)
        _check_lengths(cell, chosen[prompt], fetch=fetch, truncate=config.data.too_long == "truncate")


def _choose_all(prompt: PromptSettings, headlines: "pd.DataFrame", parts: "Parts", near_duplicates: str) -> list[str]:
    """The headlines of all parts with their examples.

    Raises:
        ExamplesError: There are too few.
    """
    from learning.prompt.choice import FixedChooser, ask
    from learning.prompt.question import examples_of

    placed = headlines.set_index("headline_id")
    chooser = make_chooser(_make_pool(placed.loc[parts["train"]], prompt), prompt, near_duplicates)
    if isinstance(chooser, FixedChooser):
        _check_supply(prompt, chooser)
    questions = list(
        ask(list_questions(placed.loc[[identifier for part in parts.values() for identifier in part]], prompt), chooser)
    )
    least = min(questions, key=lambda headline: len(examples_of(headline)))
    if len(examples_of(least)) < prompt.examples:
        raise ExamplesError(
            f"prompt.examples {prompt.examples}: the train part has {len(examples_of(least))} headlines that are no "
            f"near copy of {str(least)[:60]!r}; set prompt.examples to that or less, or raise split.train_per_class"
        )
    return questions


def _check_supply(prompt: PromptSettings, chooser: "FixedChooser") -> None:
    for label, needed in chooser.needed.items():
        if chooser.supply[label] <= needed:
            raise ExamplesError(
                f"prompt.examples {prompt.examples}: {needed} {label} examples and another {label} headline to train "
                f"on are needed, near copies aside, and the train part has {chooser.supply[label]}; lower "
                "prompt.examples, or raise split.train_per_class"
            )


def _check_lengths(cell: CellSettings, questions: Sequence[str], *, fetch: bool, truncate: bool) -> None:
    """Refuse examples that a base model does not take with a headline, even a truncated one where that is allowed."""
    from learning.kinds.resolution import find_too_long
    from learning.prompt.question import Question, examples_of

    models, base = Home.from_environment().models, cell.base_model
    tried = [Question("", examples_of(headline)) for headline in questions] if truncate else questions
    found = find_too_long(base.name, base.revision, models, tried, cell.prompt, fetch=fetch)
    if not found:
        return
    longest = max(found.values())
    subject = f"{len(found):,} of {len(questions):,} headlines are"
    raise ExamplesError(
        f"prompt.examples {cell.prompt.examples}: with their examples, {subject} longer than {base.name} takes (up to "
        f"{longest.tokens:,} tokens with prompt and label, it takes {longest.bound:,}); lower "
        f"prompt.examples, {'' if truncate else 'set data.too_long=truncate, '}or take a base model that takes more"
    )
