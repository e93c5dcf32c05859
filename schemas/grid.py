"""The grid of a study: which settings vary, with which values, and the resolved settings of each point.

Any setting of `CellSettings` that has an effect on a result may vary. Three settings have short names, from when grids
could vary only these.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Annotated, Any

from pydantic import Discriminator, JsonValue, Tag, TypeAdapter, ValidationError

from schemas.cell import OF_EXAMPLES, OF_RECORD, WITHOUT_EFFECT, BaseModelSettings, CellSettings
from schemas.listing import show
from schemas.settings import explain_rule, iterate_settings

Grid = dict[str, tuple[JsonValue, ...]]
Point = dict[str, JsonValue]

ONE_GRID, SEVERAL_GRIDS = "one grid", "several grids"
"""What pydantic calls the two forms of a grid."""
Grids = Annotated[
    Annotated[Grid, Tag(ONE_GRID)] | Annotated[tuple[Grid, ...], Tag(SEVERAL_GRIDS)],
    Discriminator(lambda value: SEVERAL_GRIDS if isinstance(value, list | tuple) else ONE_GRID),
]
"""A grid, or several whose cells are joined."""

EPOCHS, SEED, RATE = "training.epochs", "training.seed", "training.learning_rate"
SHORT_NAMES = {"learning_rates": RATE, "epochs": EPOCHS, "seeds": SEED}
"""Settings by their short names, as in `grid.epochs`."""

VARIABLE = {
    path: field
    for path, field in iterate_settings(CellSettings)
    if path.removeprefix("training.") not in WITHOUT_EFFECT
}
"""The settings that may vary."""

REASONS = {
    **dict.fromkeys(("name", "study_name", "tags"), "it is the study's"),
    "data": "all cells of a study answer the same headlines",
    "split": "all cells of a study answer the same headlines",
    "baselines": "they are the same for every cell",
    "training": "it changes memory, speed or safety and not what is learned, so that the cells would be one",
    "grid": "it is the grid itself",
    "curve_epochs": "it is a list already",
    "search": "it says how the grid is searched",
    "race": "it says how the grid is searched",
    "decoding": "every cell is evaluated at every temperature, with the same sampling",
    "promotion": "a study is judged once",
    "runner": "where cells run changes no result",
}
"""Why the other settings of a group, or of a study, cannot vary."""


def open_short_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Raw values of a study with each short name of its grid spelled out, and `grid.curve_epochs` in its own place."""
    opened, grid = dict(values), values.get("grid")
    if isinstance(grid, Mapping):
        opened["grid"] = _open_names(grid)
        if "curve_epochs" in grid:
            opened["curve_epochs"] = grid["curve_epochs"]
    elif isinstance(grid, Sequence):
        opened["grid"] = [_open_names(axes) if isinstance(axes, Mapping) else axes for axes in grid]
    return opened


def _open_names(grid: Mapping[str, Any]) -> dict[str, Any]:
    varied = {name: values for name, values in grid.items() if name != "curve_epochs"}
    return {SHORT_NAMES.get(name, name): _spell_days(values) for name, values in varied.items()}


def _spell_days(values: Any) -> Any:
    """The values of a setting, with days that YAML has parsed as text again: a grid holds JSON values."""
    if not isinstance(values, list | tuple):
        return values
    return [value.isoformat() if isinstance(value, date) else value for value in values]


def explain_fixed(path: str) -> str:
    """Explain why a setting cannot vary."""
    return f"{path} cannot vary: {REASONS[path.partition('.')[0]]}; set it with --set {path}=VALUE"


def check_values(path: str, values: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
    """The values of one setting of a grid, each in the setting's own type.

    Raises:
        ValueError: There are none, one occurs twice, or one is not a value of the setting.
    """
    field = VARIABLE[path]
    adapter: TypeAdapter[JsonValue] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
    checked: list[JsonValue] = []
    for value in values:
        try:
            checked.append(adapter.dump_python(adapter.validate_python(value), mode="json"))
        except ValidationError as error:
            raise ValueError(f"{path} = {show(value)}: {explain_rule(error.errors()[0]['msg'])}") from error
    if not checked or any(value in checked[:place] for place, value in enumerate(checked)):
        raise ValueError(f"{path} = {show(list(values))}: " + ("names a value twice" if checked else "give a value"))
    return tuple(checked)


def iterate_points(grid: Mapping[str, tuple[JsonValue, ...]]) -> Iterator[Point]:
    """Each combination of the values, the last setting changing fastest; one without settings if nothing varies."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def resolve_point(settings: CellSettings, point: Mapping[str, JsonValue]) -> CellSettings:
    """The settings of a cell: those of the study, with the point's in their place.

    Raises:
        ValueError: They do not fit each other.
    """
    values = settings.model_dump()
    if "base_model.name" in point:
        values["base_model"]["revision"] = None  # a revision belongs to the model that it was set for
        if BaseModelSettings.model_validate({"name": point["base_model.name"]}).name != settings.base_model.name:
            values["base_model"] |= dict.fromkeys(OF_RECORD)  # and so do these
    for path, value in point.items():
        group, _, name = path.partition(".")
        values[group][name] = value
    if not values["prompt"]["examples"]:  # points that differ only in these are one cell
        values["prompt"] = {name: value for name, value in values["prompt"].items() if name not in OF_EXAMPLES}
    try:
        return CellSettings.model_validate(values)
    except ValidationError as error:
        where = ", ".join(f"{path} = {show(value)}" for path, value in point.items())
        raise ValueError(f"{where}: {explain_rule(error.errors()[0]['msg'])}") from error
