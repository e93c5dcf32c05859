"""How labelled headlines are read: the options that `fintone ingest` and `fintone run` share, and what is remembered.

What was said of a source when it was last ingested holds for a study of it, unless the profile or an option says other.
"""

import json
from collections.abc import Mapping, Sequence
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

TextColumn = Annotated[str | None, typer.Option(help="Column of the headline; else found.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label; else found.")]
LabelColumns = Annotated[
    str | None, typer.Option(help="Several columns that hold the label: annotators, or one for each label.")
]
LabelMap = Annotated[Path | None, typer.Option(help="File of word: label, YAML or JSON; or {word: label, ...}.")]
Thresholds = Annotated[
    str | None, typer.Option(help="The label is a score: -0.1,0.1 is negative below, positive above.")
]
Encoding = Annotated[str | None, typer.Option(help="Text encoding; else detected.")]
Format = Annotated[
    str | None, typer.Option("--format", help=f"Kind of file: {', '.join(LABELLED_FORMATS)}; else found.")
]
Delimiter = Annotated[str | None, typer.Option(help="Character between the fields of a CSV; else found.")]
HeaderRow = Annotated[str | None, typer.Option(help="Line that names the columns; else found.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column that says train, validation or test.")]
PublishedAtColumn = Annotated[str | None, typer.Option(help="Column of the date of publication; else found.")]
ContextColumn = Annotated[str | None, typer.Option(help="Column of text to show before each headline.")]
InstrumentColumn = Annotated[str | None, typer.Option(help="Column of the ticker, ISIN or entity; else found.")]
Timezone = Annotated[str | None, typer.Option(help="Zone of dates that name none, as Europe/Lisbon; else UTC.")]
DateOrder = Annotated[str | None, typer.Option(help="Order in dates such as 03/04/2025: dmy, mdy or ymd; else found.")]
MaxRejected = Annotated[str | None, typer.Option(help="Share of rows that may be rejected, 0 to 1.")]


def assign_reading(label_map: Path | None, **options: str | None) -> list[str]:
    """The options that were given, as `data.setting=value`.

    Raises:
        InputError: The file of the label map is none.
    """
    words = None if label_map is None else json.dumps(read_label_map(str(label_map)))
    return assign({"data.label_map": words, **{f"data.{name}": value for name, value in options.items()}})


def recall_reading(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of a source when it was last ingested, but for the settings that are given.

    Args:
        data: The settings of the source that are given, by the profile or on the command line.
    """
    from ingestion.sources import EMBEDDED, locate
    from schemas.source import INSTEAD
    from storage.home import Home
    from storage.sources import load_visit_settings

    source, warehouse = data.get("source"), Home.from_environment().warehouse
    if not isinstance(source, str) or source in {"", EMBEDDED} or not warehouse.exists():
        return {}
    remembered = load_visit_settings(warehouse, locate(source))
    given = {*data, *(other for name in data for other in INSTEAD.get(name, ()))}
    return {name: value for name, value in remembered.items() if name not in given}


def build_recalling(profile: str, base_models: "Sequence[str]", assignments: list[str]) -> "StudyConfig":
    """A profile and settings, checked, its source read as when it was last ingested; what follows from that is said."""
    from schemas.profiles import build_config

    values = collect_values(profile, base_models, assignments)
    given = values.get("data", {})
    recalled = recall_reading(given)
    if recalled:
        print_notice(describe_recalled(given["source"], recalled, ", and --set data.NAME=null drops one"))
    return build_config({**values, "data": {**recalled, **given}})


def describe_recalled(source: str, recalled: Mapping[str, Any], more: str = "") -> str:
    """What was said of a source, and how to say otherwise: by options, or as `more` says."""
    told = ", ".join(f"{name}={cut(json.dumps(value, ensure_ascii=False))}" for name, value in recalled.items())
    return f"{source}: read as when it was last ingested, {told}; options change that{more}"
