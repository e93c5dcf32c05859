"""Accuracy over time in a report: only with dates, by a readable period, and separately for newer headlines."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.report import read_report, write_report
from reporting.charts.layout import NARROW, WIDE
from reporting.charts.periods import PeriodLine, draw_periods
from reporting.figures import Chart, build_charts
from storage.query import query
from storage.warehouse import writing

SCORED = """
INSERT INTO scorings BY NAME
SELECT 'since' AS scoring_id, 'news' AS source, 'news' AS location, cell_id, temperature, decoding_id, 0 AS rows_read,
    0 AS rows_rejected, 0 AS headlines_scored, 0 AS headlines_known, now()::TIMESTAMP AS started_at, 'label' AS unparsed
FROM evaluations WHERE cell_id = $cell AND part = 'test' AND temperature = 0.1;
INSERT INTO ledger.scores BY NAME
SELECT number::VARCHAR AS text_id, cell_id, temperature, decoding_id, 'Sales rose by ' || number AS text,
    0.1 AS p_negative, 0.1 AS p_neutral, 0.7 AS p_positive, 0.1 AS p_unparsed, started_at AS scored_at,
    false AS is_truncated
FROM scorings, range(60) AS numbers (number);
INSERT INTO ledger.scored_rows BY NAME
SELECT 'since' AS scoring_id, number AS row_number, number::VARCHAR AS text_id, 'positive' AS true_label,
    TIMESTAMP '2026-06-01' + INTERVAL (number % 2) MONTH AS published_at, false AS in_sample
FROM range(60) AS numbers (number);
"""


@pytest.fixture
def dated(rivals: Path, trained: Any) -> Path:
    """A home with test headlines of three months, whose cell was right on all headlines scored since."""
    date_headlines(rivals, 75)
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute(SCORED.replace("$cell", f"'{trained[1]}'"))
    return rivals


def date_headlines(home: Path, span: int) -> None:
    """Date every test headline, evenly over this many days."""
    with writing(home / "warehouse.duckdb") as connection:
        ids = connection.execute("SELECT headline_id FROM splits WHERE part = 'test' ORDER BY headline_id").fetchall()
        for number, (headline_id,) in enumerate(ids):
            when = datetime(2026, 1, 5) + timedelta(days=span * number / len(ids))  # noqa: DTZ001
            connection.execute("UPDATE headlines SET published_at = ? WHERE headline_id = ?", [when, headline_id])


def draw(home: Path) -> list[Chart]:
    return build_charts(read_report())["time"]


@pytest.mark.slow
def test_a_report_without_dates_has_no_accuracy_over_time(rivals: Path) -> None:
    assert draw(rivals) == []
    assert "Accuracy over time" not in write_report().read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_chosen_cell_the_base_the_best_baseline_and_later_scorings_are_drawn(dated: Path, trained: Any) -> None:
    page = write_report().read_text(encoding="utf-8")
    [section] = re.findall(r'<section id="time".*?</section>', page, flags=re.DOTALL)
    assert '<a href="#time">Over time</a>' in page
    assert section.count("<svg") == 2  # for a page and for a phone
    [chart] = draw(dated)
    rows = chart.table.records()
    assert [(row["origin"], row["kind"]) for row in rows] == [
        *[("test", "fine-tuned")] * 3,
        *[("test", "base")] * 3,
        *[("test", "baseline")] * 3,
        *[("scored", "fine-tuned")] * 2,
    ]
    assert {row["cell_id"] for row in rows if row["kind"] == "fine-tuned"} == {trained[1]}
    assert sum(row["n"] for row in rows if (row["origin"], row["kind"]) == ("test", "fine-tuned")) == 30
    assert [(row["n"], row["accuracy"]) for row in rows if row["origin"] == "scored"] == [(30, 1.0), (30, 1.0)]
    assert query(dated / "warehouse.duckdb", chart.table.sql).rows == chart.table.rows
    assert chart.description.endswith(
        "1.000 on the 30 headlines of what was scored since of the month from 01 July 2026."
    )
    assert "Hollow: " in chart.caption
    assert chart.caption.replace("'", "&#39;") in section


@pytest.mark.slow
@pytest.mark.parametrize(
    ("span", "period", "points"), [(6, None, 0), (14, "week", 2), (75, "month", 3), (2_000, "year", 6)]
)
def test_periods_are_the_shortest_that_can_be_read(rivals: Path, span: int, period: str | None, points: int) -> None:
    date_headlines(rivals, span)
    rows = [row for chart in draw(rivals) for row in chart.table.records() if row["kind"] == "base"]
    assert len(rows) == points
    assert {row["period"] for row in rows} == ({period} if period else set())


def rows_of(kind: str, *begins: date, period: str = "month") -> list[dict[str, Any]]:
    figures = {"accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9, "n": 40}
    return [{"kind": kind, "period": period, "begins": each, **figures} for each in begins]


def test_points_are_side_by_side_and_fresh_ones_are_hollow() -> None:
    months = [date(2026, month, 1) for month in (1, 2, 3)]
    lines = [
        PeriodLine("chosen", rows_of("fine-tuned", *months)),
        PeriodLine("base", rows_of("base", *months)),
        PeriodLine("since", rows_of("fine-tuned", months[-1]), is_fresh=True),
    ]
    [axes] = draw_periods(lines, WIDE, "Accuracy", 1 / 3).axes
    marks = [bars.lines[0] for bars in axes.containers]
    assert len({mark.get_xdata()[-1] for mark in marks}) == 3
    assert [mark.get_markerfacecolor() == "#ffffff" for mark in marks] == [False, False, True]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["Jan\n2026", "Feb\n2026", "Mar\n2026"]


def test_quarters_on_a_phone_are_named_at_equal_distances() -> None:
    quarters = [date(2023 + number // 4, number % 4 * 3 + 1, 1) for number in range(13)]
    [axes] = draw_periods([PeriodLine("base", rows_of("base", *quarters, period="quarter"))], NARROW, "A", 1 / 3).axes
    assert len({label.get_text().partition("\n")[0] for label in axes.get_xticklabels()}) == 2  # every other one


def test_a_phone_names_fewer_periods() -> None:
    months = [date(2025 + number // 12, number % 12 + 1, 1) for number in range(14)]
    for layout, most in ((WIDE, 14), (NARROW, 7)):
        [axes] = draw_periods([PeriodLine("base", rows_of("base", *months))], layout, "Accuracy", 1 / 3).axes
        assert most - 3 < len(axes.get_xticklabels()) <= most
