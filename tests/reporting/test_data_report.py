"""The data report as Markdown: the answer first, every figure, and text of the source shown only as text."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reporting.data_report import render_data_report
from reporting.markdown import escape
from schemas.data_report import Changes, CopyCount, CopyGroup, DataReport, Drift, LabelCount, Lengths, ReasonCount

NASTY = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "a | b || c",
    "# not a title\n\n- nor a list",
    "`code` **bold** _it_ ~~no~~ ![x](y)",
    "\u202ereversed\u202c and \u200bzero",
    "\x1b[31mred\x00",
    "&lt;b&gt; &amp;",
    "http://example.org/x",
]


def make_report(text: str = "Sales rose .", **changes: object) -> DataReport:
    fields: dict[str, object] = {
        "ingest_id": "a" * 16,
        "source": text,
        "kind": "csv",
        "encoding": "utf-8",
        "synthetic": False,
        "snapshot_id": "b" * 16,
        "previous_snapshot_id": "c" * 16,
        "rows_read": 12_345,
        "rows_accepted": 12_000,
        "rows_merged": 300,
        "rows_rejected": 45,
        "rows_quarantined": 4,
        "labels": (LabelCount("neutral", 12_000, 12_300, 1.0),),
        "reasons": (ReasonCount(text, 45, text),),
        "copies": (CopyCount("reworded", 7, 21, 2),),
        "largest_groups": (CopyGroup(text, 9, "reworded", ("neutral", "positive")),),
        "resolutions": (("dropped", 4),),
        "lengths": (Lengths("neutral", 119, 275.5, 315, 21), Lengths(None, 119, 275.5, 315, 21)),
        "changes": Changes(120, 3, 2, 11_000),
        "drift": (Drift("PSI of labels", 0.31, 0, "major"), Drift("share of neutral", 0.6, 0.5, None)),
    }
    return DataReport.model_validate(fields | changes)


def test_the_answer_comes_first_and_every_section_has_its_figures() -> None:
    shown = render_data_report(make_report())
    assert shown.splitlines()[2] == (
        "**12,345 rows read: 12,000 accepted, 300 merged as copies, 45 rejected; 4 contradict each other.**"
    )
    for row in (
        "| neutral | 12,000 | 12,300 | 100.0% | 119 | 275.5 | 315 | 21 |",
        "| Sales rose . | 45 | Sales rose . |",
        "| reworded | 7 | 21 | 2 |",
        "| Sales rose . | 9 | reworded | neutral, positive |",
        "Headlines: 120 added, 3 removed, 2 relabelled, 11,000 unchanged.",
        "| PSI of labels | 0.31 |  | major |",
        "| share of neutral | 0.6 | 0.5 |  |",
    ):
        assert row in shown.splitlines()


def test_a_part_without_content_has_no_section() -> None:
    nothing = {"reasons": (), "copies": (), "largest_groups": (), "resolutions": (), "changes": None, "drift": ()}
    shown = render_data_report(make_report(**nothing))
    assert [line for line in shown.splitlines() if line.startswith("###")] == ["### Labels and lengths"]


@pytest.mark.parametrize("text", NASTY)
def test_text_of_the_source_is_not_markup(text: str) -> None:
    plain, nasty = (MarkdownIt("js-default").render(render_data_report(make_report(source))) for source in ("x", text))
    tags = [part.split(">")[0] for part in plain.split("<")[1:]]
    assert [part.split(">")[0] for part in nasty.split("<")[1:]] == tags
    assert not any(sign in nasty for sign in "\u202e\u202c\u200b\x1b\x00")


@given(st.text(max_size=60))
def test_an_escaped_text_is_one_line_of_plain_text(text: str) -> None:
    shown = MarkdownIt("js-default").render(f"| a |\n| --- |\n| x{escape(text)}x |\n")
    assert shown.count("<td>") == 1
    assert shown.count("<tr>") == 2
    assert {part.split(">")[0].strip("/") for part in shown.split("<")[1:]} == {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }


@pytest.mark.parametrize(
    "text", ['it\'s (1) [x] _a_ "q" & <b>.csv', "1. first", "- dash", "# title", "a\\", "-.7 [-.8, -.5]"]
)
def test_a_text_is_shown_unchanged_and_without_an_entity_that_a_ui_would_show(text: str) -> None:
    escaped = escape(text)
    assert re.search(r"(?<!\\)&", escaped) is None
    assert html.unescape(MarkdownIt("js-default").render(escaped)) == f"<p>{text}</p>\n"


def test_a_long_text_is_cut() -> None:
    assert len(escape("x" * 1_000)) < 200
