"""Whose answers `fintone market` measures: those of a cell, or of the champions, each in its time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from operations.answers import choose_model
from schemas.errors import InputError
from schemas.listing import count
from schemas.market import MarketSettings
from schemas.promotion import CHAMPION, CHAMPIONS, Champion
from schemas.score import ScoreSettings
from storage.home import Home

if TYPE_CHECKING:
    from storage.market import AnswerCounts


class NothingMeasuredError(InputError):
    """There is no sentiment that can be compared with the prices."""


class Answers(NamedTuple):
    """Answers to headlines with dates, of which one or more count."""

    cell: Champion | None
    """Whose they are, and at which temperature; None: each is of the cell that was champion when the headline was
    published."""
    counts: "AnswerCounts"
    is_of_last_champion: bool
    """Whether champions before it have answers of their time, and were not asked for."""

    def describe(self) -> Iterator[str]:
        """What counts, what is left out and why, a line each."""
        counts = self.counts
        dated = count(counts.dated, "headline")
        if self.cell is None:
            answered = count(counts.cells, "champion")
            yield f"sentiment of {answered}: of each headline, that of the cell that was champion when it was published"
            yield (
                f"{counts.counting:,} of {dated} with a date count: they are later than all that the champion of their "
                "time learned from"
            )
        else:
            yield (
                f"{counts.counting:,} of {dated} with a date count: they are later than {counts.trained_to:%Y-%m-%d}, "
                "up to which the model learned"
            )
        left_out = {
            f"that {'the model' if self.cell else 'their champion'} was trained on": counts.in_sample,
            "that are not later": counts.not_later,
            "of a cell whose study was deleted, so that nobody knows what it learned from": counts.unknown,
        }
        if any(left_out.values()):
            yield f"left out: {', '.join(f'{number:,} {why}' for why, number in left_out.items() if number)}"
        if counts.unanswered:
            yield (
                f"left out: {count(counts.unanswered, 'headline')} that the champion of their time has not answered at "
                "its temperature, and others have: `fintone list champions` names it, and `fintone score FILE --model "
                "CELL --temperature T` lets it answer"
            )
        if counts.before_cutoff:
            yield (
                f"{counts.before_cutoff:,} of those that count are not later than the texts that the base model was "
                "pretrained on (base_model.trained_until), which may contain them and the prices of those days"
            )
        if self.is_of_last_champion:
            yield _ADVICE


_ADVICE = "earlier champions have answers of their time, too: `fintone market --model champions` measures all of them"


def choose_answers(settings: MarketSettings) -> Answers:
    """Find the answers that are measured.

    Raises:
        InputError: There is no such model, or it has no answers with dates that count.
    """
    from storage.market import count_answers, has_former_champions

    home = Home.from_environment()
    if settings.model == CHAMPIONS:
        counts = count_answers(home.warehouse, None)
        _check_champions(counts)
        return Answers(None, counts, is_of_last_champion=False)
    chosen = choose_model(ScoreSettings(source=settings.prices, model=settings.model, temperature=settings.temperature))
    cell = Champion(chosen.model.card.cell_id, chosen.temperature)
    counts = count_answers(home.warehouse, cell)
    is_of_last = settings.model == CHAMPION and has_former_champions(home.warehouse, cell)
    _check_cell(counts, cell, f"; {_ADVICE}" if is_of_last else "")
    return Answers(cell, counts, is_of_last)


def _check_cell(counts: "AnswerCounts", cell: Champion, advice: str) -> None:
    if not counts.dated:
        raise NothingMeasuredError(
            f"cell {cell.cell_id}: has answered no headline with a date at temperature {cell.temperature:g}; score "
            f"news with dates: fintone score news.csv{advice}"
        )
    if not counts.counting:
        last = "unknown" if counts.trained_to is None else f"{counts.trained_to:%Y-%m-%d}"
        raise NothingMeasuredError(
            f"cell {cell.cell_id}: none of its {counts.dated:,} answers with a date counts: a headline counts only if "
            f"it is later than those that the model learned from (last date: {last}); score later news, or measure "
            f"the cell of a study with split.method=temporal (`fintone market --model CELL`){advice}"
        )


def _check_champions(counts: "AnswerCounts") -> None:
    if not counts.dated:
        raise NothingMeasuredError(
            "champions: no headline with a date was answered by the cell that was champion when it was published; "
            "score news with dates while a cell is champion: fintone score news.csv"
        )
    if counts.unknown == counts.dated:
        raise NothingMeasuredError(
            f"champions: none of their {counts.dated:,} answers with a date counts, since their studies were deleted, "
            "so that nobody knows what they learned from"
        )
    if not counts.counting:
        raise NothingMeasuredError(
            f"champions: none of their {counts.dated:,} answers with a date counts: a headline counts only if it "
            "is later than those that the champion of its time learned from; score later news"
        )
