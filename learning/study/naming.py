"""Names of cells, from the settings that vary in their study. No other module names cells."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from schemas.cell import OF_EXAMPLES, TRAINED_UNTIL, CellSettings
from schemas.config import StudyConfig
from schemas.grid import EPOCHS, RATE
from schemas.plan import format_rate

SHORT = {"training.learning_rate": "lr", "base_model.name": "model"}
"""Short forms in names for settings whose last word is long or unclear."""
LONGEST_VALUE = 24
"""Most characters of a value in a name; a longer value is shown by its place in the grid, as in `instruction=#2`."""
OF_THE_BASE = ("base_model.", "prompt.", "training.precision", "training.attention")
"""Settings by which untouched bases differ."""


class CellNames:
    """Names the cells of one study."""

    def __init__(self, config: StudyConfig) -> None:
        """Find what varies: the grid's settings with several values, and the epochs if there is a curve."""
        several = {path: values for path, values in config.varied.items() if len(values) > 1 and path != TRAINED_UNTIL}
        varied: dict[str, Sequence[JsonValue]] = dict(several)
        if config.curve_epochs:
            varied.setdefault(EPOCHS, config.curve_epochs)
        if not varied:
            fixed: dict[str, Sequence[JsonValue]] = {
                RATE: [config.training.learning_rate],
                EPOCHS: [config.training.epochs],
            }
            varied = {path: config.varied.get(path, values) for path, values in fixed.items()}
        self.spelled = {path: _spell_all(path, values) for path, values in varied.items()}
        self.labels = _label(self.spelled)

    def name_fine_tune(self, settings: CellSettings, ignored: Collection[str] = ()) -> str:
        """The name of a fine-tune, such as `lr=2e-04 epochs=3` or `r=16 model=llama-15m`; never empty.

        Args:
            settings: The cell's settings.
            ignored: Settings and groups of settings that have no effect on it.
        """
        training = settings.training
        name = " ".join(self._show(settings, _leave_out(self.spelled, ignored)))
        return name or f"{SHORT[RATE]}={format_rate(training.learning_rate)} epochs={training.epochs}"

    def name_base(self, model: str, settings: CellSettings, ignored: Collection[str] = ()) -> str:
        """The name of an untouched base, such as `base: llama-15m`, with the varied settings that affect it."""
        varied = [path for path in self.spelled if path.startswith(OF_THE_BASE) and path != "base_model.name"]
        name = self.spelled.get("base_model.name", {}).get(settings.base_model.name, model)
        return " ".join([f"base: {name}", *self._show(settings, _leave_out(varied, ignored))])

    def _show(self, settings: CellSettings, paths: Iterable[str]) -> list[str]:
        values = settings.model_dump(mode="json")
        shown = []
        for path in paths:
            group, _, name = path.partition(".")
            if group == "prompt" and name in OF_EXAMPLES and not settings.prompt.examples:
                continue
            value = values[group][name]
            shown.append(f"{self.labels[path]}={self.spelled[path].get(_key(value)) or _spell(path, value)}")
        return shown


def _leave_out(paths: Iterable[str], ignored: Collection[str]) -> list[str]:
    return [path for path in paths if path not in ignored and path.partition(".")[0] not in ignored]


def name_grid(config: StudyConfig) -> str:
    """The settings that vary in a study with their values, as in `lr=2e-06,1e-03 epochs=1,3`; of one cell, its name."""
    spelled = CellNames(config).spelled
    return " ".join(f"{label}={','.join(spelled[path].values())}" for path, label in _label(spelled).items())


def explain_abbreviated(cells: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """What each abbreviated value in names of cells stands for, such as `instruction=#2`.

    Args:
        cells: The name and the settings, by group, of each fine-tune of one study.
    """
    meanings: dict[str, str] = {}
    for name, settings in cells:
        paths = [f"{group}.{each}" for group, own in settings.items() if isinstance(own, Mapping) for each in own]
        for word, label in re.findall(r"((\S+)=#\d+)(?!\S)", name):
            fitting = (path for path in paths if label in {path, SHORT.get(path, path.rpartition(".")[2])})
            for group, _, each in (path.partition(".") for path in fitting):
                value = settings[group][each]
                meanings[word] = value if isinstance(value, str) else json.dumps(value)
    return dict(sorted(meanings.items()))


def name_baseline(name: str) -> str:
    """The name of a baseline, such as `baseline: majority class`."""
    return f"baseline: {name}"


def _label(paths: Iterable[str]) -> dict[str, str]:
    """The label of each setting: its last word, or its whole path if two settings would have the same label."""
    words = {path: SHORT.get(path, path.rpartition(".")[2]) for path in paths}
    return {path: path if list(words.values()).count(word) > 1 else word for path, word in words.items()}


def _spell_all(path: str, values: Sequence[JsonValue]) -> Mapping[str, str]:
    """Each value as it is written in a name, no two alike."""
    spelled = spell_values(path, values)
    return {
        _key(value): text if len(text) <= LONGEST_VALUE and not set(text) & set(" \t\r\n") else f"#{place}"
        for place, (value, text) in enumerate(zip(values, spelled, strict=True), start=1)
    }


def spell_values(path: str, values: Sequence[JsonValue]) -> list[str]:
    """Each value of a setting in short, no two alike."""
    spelled = [_spell(path, value) for value in values]
    return spelled if len(set(spelled)) == len(spelled) else [str(value) for value in values]


def _spell(path: str, value: JsonValue) -> str:
    if path == RATE and isinstance(value, float):
        return format_rate(value)
    if path == "base_model.name":
        return Path(str(value)).name or str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def _key(value: JsonValue) -> str:
    """A value as the key of a dictionary."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
