"""What the templates of pages share: the formats of figures, and the styles.

A page needs no network and runs no script. Every text in it that came from data is escaped by its template.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reporting.market import describe_days, format_percent
from reporting.text import visible
from reporting.verdict import format_bare_p_value, format_figure, format_interval
from schemas.disk import MEGABYTE
from schemas.version import find_version

LARGE_RATE = 100
"""Headlines a second from which tenths are left out."""
LEAST_SHOWN = 1e5
"""Bytes below which a size is only shown as less than this."""
LONGEST_WHOLE = 24
"""Characters of a word of a cell's name that is never broken; a longer one would not fit a phone."""
WHOLE = Markup('<span class="whole">{}</span>')
STYLE = Path(__file__).parent / "templates" / "report.css"


def templates() -> Environment:
    """The templates, with the filters that they know."""
    environment = Environment(
        loader=PackageLoader("reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=format_figure,
        share=_share,
        seconds=_seconds,
        rate=_rate,
        megabytes=_megabytes,
        number=_number,
        visible=visible,
        cell_name=_cell_name,
        difference=_difference,
        p_value=format_bare_p_value,
        percent=format_percent,
        days=describe_days,
    )
    return environment


def render(template: str, **values: Any) -> str:
    """The page of a template, with the styles and the foot that every page has."""
    style = Markup(STYLE.read_text(encoding="utf-8"))  # noqa: S704 (our own file)
    page = templates().get_template(template)
    return page.render(**values, style=style, built_at=datetime.now(UTC), version=find_version())


def _cell_name(row: dict[str, Any]) -> Markup:
    """A cell's name, in which rates such as `lr=1e-04` are not broken at their hyphen."""
    words = visible(row["cell_name"]).split(" ")
    return Markup(" ").join(
        WHOLE.format(word) if "-" in word and len(word) <= LONGEST_WHOLE else word for word in words
    )


def _difference(row: dict[str, Any]) -> str:
    return format_interval(row["difference"], row["difference_low"], row["difference_high"])


def _share(value: float) -> str:
    return f"{value:.1%}"


def _number(value: Any) -> str:
    """A cell of a table of data: whole numbers whole, others with up to six digits, texts as they can be seen."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return visible(str(value))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _rate(value: float) -> str:
    """A rate per second, with a tenth where it is small."""
    return f"{value:,.0f}" if value >= LARGE_RATE else f"{value:,.1f}"


def _megabytes(count: int | None) -> str:
    """Bytes in MB; empty where an older version did not record them."""
    if count is None:
        return ""
    return f"{count / MEGABYTE:,.1f}" if count >= LEAST_SHOWN else f"< {LEAST_SHOWN / MEGABYTE:g}"
