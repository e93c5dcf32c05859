"""How labelled headlines are read: the options that `fintone ingest` and `fintone run` share, and remembered settings.

The settings that were given for a source when it was last ingested apply to a study of it, unless the profile or an
option overrides them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.label_map import read_label_map
from cli.options import assign, collect_values
from cli.output.console import print_notice
from schemas.formats import LABELLED_FORMATS
from schemas.listing import cut

if TYPE_CHECKING:
    from schemas.config import StudyConfig

TextColumn = Annotated[str | None, typer.Option(help="Column of the headline; detected if omitted.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label; detected if omitted.")]
LabelColumns = Annotated[
    str | None, typer.Option(help="Several columns that hold the label: annotators, or one for each label.")
]
LabelMap = Annotated[Path | None, typer.Option(help="YAML or JSON file of `word: label`; or {word: label, ...}.")]
Thresholds = Annotated[
    str | None,
    typer.Option(help="For labels that are scores: `-0.1,0.1` makes scores below -0.1 negative, above 0.1 positive."),
]
Encoding = Annotated[str | None, typer.Option(help="Text encoding; detected if omitted.")]
Format = Annotated[
    str | None, typer.Option("--format", help=f"Kind of file: {', '.join(LABELLED_FORMATS)}; detected if omitted.")
]
Delimiter = Annotated[str | None, typer.Option(help="Character between the fields of a CSV; detected if omitted.")]
HeaderRow = Annotated[str | None, typer.Option(help="Line that names the columns; detected if omitted.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column of the part: train, validation or test.")]
PublishedAtColumn = Annotated[str | None, typer.Option(help="Column of the date of publication; detected if omitted.")]
ContextColumn = Annotated[str | None, typer.Option(help="Column of text to show before each headline.")]
InstrumentColumn = Annotated[
    str | None, typer.Option(help="Column of the ticker, ISIN or entity; detected if omitted.")
]
Timezone = Annotated[
    str | None, typer.Option(help="Time zone of dates that name none, as in Europe/Lisbon; UTC if omitted.")
]
DateOrder = Annotated[
    str | None, typer.Option(help="Order in dates such as 03/04/2025: dmy, mdy or ymd; detected if omitted.")
]
MaxRejected = Annotated[str | None, typer.Option(help="Share of rows that may be rejected, 0 to 1.")]


_OPTIONS = {
    "text_column": TextColumn,
    "label_column": LabelColumn,
    "label_columns": LabelColumns,
    "label_map": LabelMap,
    "thresholds": Thresholds,
    "encoding": Encoding,
    "format": Format,
    "delimiter": Delimiter,
    "header_row": HeaderRow,
    "split_column": SplitColumn,
    "published_at_column": PublishedAtColumn,
    "instrument_column": InstrumentColumn,
    "context_column": ContextColumn,
    "timezone": Timezone,
    "date_order": DateOrder,
    "max_rejected": MaxRejected,
}
"""The options of reading, each named as its setting of `data`, in the order of the help."""


def with_reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command that has the options of reading in the place of its parameter `reading`.

    The command gets there those that were given, as `data.setting=value`.

    Raises:
        InputError: When the command runs: the label map is invalid.
    """
    parameters = list(signature(command).parameters.values())
    where = next(index for index, parameter in enumerate(parameters) if parameter.name == "reading")
    kind = parameters[where].kind
    parameters[where : where + 1] = [
        Parameter(name, kind, default=None, annotation=option) for name, option in _OPTIONS.items()
    ]

    @wraps(command)
    def run_reading(**values: Any) -> None:
        given = {name: values.pop(name) for name in _OPTIONS}
        command(**values, reading=_assign(**given))

    run_reading.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run_reading.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run_reading


def _assign(label_map: Path | None, **options: str | None) -> list[str]:
    words = None if label_map is None else json.dumps(read_label_map(str(label_map)))
    return assign({"data.label_map": words, **{f"data.{name}": value for name, value in options.items()}})


def recall_reading(data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which a source was last ingested, except those that are given now.

    Args:
        data: The settings of the source that the profile or the command line gives.
    """
    from embedded.paths import EMBEDDED
    from ingestion.sources import locate
    from schemas.source import INSTEAD
    from storage.home import Home
    from storage.sources import load_visit_settings

    source, warehouse = data.get("source"), Home.from_environment().warehouse
    if not isinstance(source, str) or source in {"", EMBEDDED} or not warehouse.exists():
        return {}
    remembered = load_visit_settings(warehouse, locate(source))
    overridden = {*data, *(other for name in data for other in INSTEAD.get(name, ()))}
    return {name: value for name, value in remembered.items() if name not in overridden}


def build_recalling(profile: str, base_models: "Sequence[str]", assignments: list[str]) -> "StudyConfig":
    """A checked config whose source is read as when it was last ingested; prints the settings that this adds."""
    from schemas.profiles import build_config

    values = collect_values(profile, base_models, assignments)
    data = values.get("data", {})
    recalled = recall_reading(data)
    if recalled:
        print_notice(describe_recalled(data["source"], recalled, ", and --set data.NAME=null drops one"))
    return build_config({**values, "data": {**recalled, **data}})


def describe_recalled(source: str, recalled: Mapping[str, Any], more: str = "") -> str:
    """Describe the remembered settings of a source, and how to override them: by options, or as in `more`."""
    settings = ", ".join(f"{name}={cut(json.dumps(value, ensure_ascii=False))}" for name, value in recalled.items())
    return f"{source}: read as when it was last ingested, {settings}; options change that{more}"
