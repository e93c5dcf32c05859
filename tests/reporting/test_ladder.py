"""The report's ladder from cheap to costly models, and its figures by the agreement of annotators."""

import re
from pathlib import Path
from typing import Any

import pytest

from operations.report import write_report
from reporting.template import templates
from storage.warehouse import writing


def section(text: str, name: str) -> list[dict[str, str]]:
    """The rows of the table in a section, by the labels of their cells."""
    [table] = re.findall(rf'<section id="{name}".*?<tbody>(.*?)</tbody>', text, flags=re.DOTALL)
    plain = [re.sub(r"<(?!td)[^>]*>", "", row) for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL)]
    return [
        {"cell": row.split("<td")[0].strip()} | dict(re.findall(r'<td data-label="([^"]*)"[^>]*>([^<]*)', row))
        for row in plain
    ]


@pytest.mark.usefixtures("few_charts")
def test_a_report_has_every_rung_from_cheap_to_costly_and_each_level_of_agreement(rivals: Path, trained: Any) -> None:
    with writing(rivals / "warehouse.duckdb") as connection:
        connection.execute("UPDATE cells SET size_bytes = 62_500_000, train_seconds = 3 WHERE kind = 'fine-tuned'")
        connection.execute("UPDATE cells SET size_bytes = 60_000_000 WHERE kind = 'base'")
        connection.execute("UPDATE cells SET size_bytes = 900, train_seconds = 0.25 WHERE model = 'majority class'")
        connection.execute("UPDATE snapshot_headlines SET agreement = if(position % 3 = 0, 66, 100)")
    text = write_report().read_text(encoding="utf-8")
    ladder, levels = section(text, "ladder"), section(text, "agreement")
    assert [row["cell"].partition(":")[0] for row in ladder] == ["baseline"] * 3 + ["base", trained[2].cells[0].name]
    by_cell = {row["cell"]: (row["on disk, MB"], row["training, s"]) for row in ladder}
    assert by_cell["baseline: majority class"] == ("&lt; 0.1", "0.2")
    assert by_cell["baseline: TF-IDF + linear SVM"] == ("", "")  # of an older version
    assert [by_cell[row["cell"]] for row in ladder[3:]] == [("60.0", ""), ("62.5", "3.0")]
    assert len({row["MCC"] for row in ladder}) == 1  # they all give the same answers
    assert [row["agreement"] for row in levels[:2]] == ["66-74 %", "100 %"]
    assert levels[0]["cell"] == trained[2].cells[0].name
    assert sum(int(row["headlines"]) for row in levels[:2]) == 30
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", levels[0]["accuracy"])
    assert re.fullmatch(r"0\.\d{3}", levels[0]["macro-F1"])  # too few headlines of a label for an interval


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("rate", 3.14159, "3.1"),
        ("rate", 12345.6, "12,346"),
        ("megabytes", None, ""),
        ("megabytes", 99_999, "< 0.1"),
        ("megabytes", 26_951_000_000, "26,951.0"),
    ],
)
def test_a_figure_of_cost_has_the_digits_that_matter(name: str, value: Any, shown: str) -> None:
    assert templates().filters[name](value) == shown


def test_a_rate_in_a_cells_name_is_not_broken_at_its_hyphen() -> None:
    shown = templates().filters["cell_name"]({"cell_name": "lr=1e-04 model=<b> epochs=3"})
    assert shown == '<span class="whole">lr=1e-04</span> model=&lt;b&gt; epochs=3'
