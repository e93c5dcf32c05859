"""What a race may save, before anything runs."""

from collections.abc import Sequence

from learning.study.race import least_p_value
from learning.training.racers import count_most_saved
from schemas.cell import CellSettings
from schemas.config import StudyConfig


def describe_race(
    config: StudyConfig, cells: Sequence[CellSettings], train: int, validation: int | None
) -> list[tuple[str, str]]:
    """Describe how many steps a race saves at most, and whether it can save any, as (subject, description) lines.

    Args:
        config: The study.
        cells: Its grid.
        train: Headlines of train.
        validation: Headlines of validation; None where they are not known yet.
    """
    if not config.races:
        return []
    saved = count_most_saved(cells, train)
    if not saved:
        return [("race", "saves nothing: no two trainings of one schedule go on after their first epoch")]
    text = f"cells that validation finds worse than the best after an epoch are dropped: {saved:,} steps saved at most"
    if validation is not None and least_p_value(validation) > config.race.level:
        text += f"; with {validation} validation headlines no difference is significant, and none is dropped"
    return [("race", text)]
