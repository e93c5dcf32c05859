"""The report of a study: a self-contained page, whose queries give what it shows and whose texts are only text."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import pytest

from operations.report import write_report
from schemas.errors import FailureError
from schemas.files import OutputError
from schemas.label import LABELS
from schemas.plan import StudyPlan
from schemas.promotion import Champion
from storage.champions import Decision, save_decision
from storage.lookup import UnknownIdError
from storage.query import query
from storage.studies import finish_study
from storage.warehouse import writing

NASTY = "<script>alert(1)</script> & \"$x_1$\" 'y' \u202e\x1b[31m {{ 7 * 7 }} <img src=http://example.org/x>"
SECTIONS = (
    "answer",
    "overview",
    "ladder",
    "desk",
    "words",
    "tables",
    "temperature",
    "confusion",
    "confidence",
    "loss",
    "headlines",
    "data",
    "cost",
    "lineage",
)


@pytest.fixture
def home(trained: tuple[Path, str, StudyPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home with a study of one fine-tuned cell."""
    shutil.copytree(trained[0], tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def whole(trained: tuple[Path, str, StudyPlan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of that study with all its charts, in a home of its own."""
    home = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(trained[0], home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(home))
        return write_report()


@pytest.mark.usefixtures("few_charts")
def test_the_rows_that_were_read_are_those_that_the_page_accounts_for(home: Path) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET rows_read = rows_read + 3, rows_added = 2, rows_left_out = 5")
    [line] = [line for line in write_report().read_text(encoding="utf-8").splitlines() if " rows read" in line]
    read, added, accepted, merged, rejected, left_out = map(int, re.findall(r"\d+", line.replace(",", "")))
    assert (added, left_out) == (2, 5)
    assert read + added == accepted + merged + rejected + left_out


@pytest.mark.usefixtures("few_charts")
def test_the_head_of_the_page_has_the_name_and_the_tags_that_people_gave(home: Path) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET name = '<b>weekly</b>', tags = MAP {'desk': 'fx & rates'}")
    head = write_report().read_text(encoding="utf-8").partition("</header>")[0]
    assert "&lt;b&gt;weekly&lt;/b&gt;" in head
    assert 'Profile demo, <span dir="auto">desk=fx &amp; rates</span>.' in head


@pytest.mark.usefixtures("few_charts")
def test_the_page_names_each_base_model_as_it_was_read_and_what_abbreviated_values_stand_for(
    home: Path, trained: Any
) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        for path, value in (("quantization", "none"), ("name", "org/a-model-with-a-name-that-is-long")):
            patch = json.dumps({"base_model": {path: value}})
            connection.execute("UPDATE cells SET hyperparameters = json_merge_patch(hyperparameters, ?)", [patch])
        connection.execute("UPDATE study_cells SET name = 'model=#2 r=4' WHERE cell_id = ?", [trained[1]])
        connection.execute("DELETE FROM study_cells WHERE cell_id IN (SELECT cell_id FROM cells WHERE kind = 'base')")
        split = json.dumps({"split": {"method": "temporal"}})
        connection.execute("UPDATE studies SET config = json_merge_patch(config, ?)", [split])
    text = write_report().read_text(encoding="utf-8")
    page = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "model=#2 org/a-model-with-a-name-that-is-long" in page
    assert ", quantization none" in page
    assert ", temporal base model" in page
    assert "Table 1. Fine-tunes at temperature" in page  # the untouched base did not answer
    assert "<tbody>\n</tbody>" not in text


class Page(HTMLParser):
    """Tags, ids, links and sources of a page, and its tables' header cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.unlabelled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.ids += [values["id"]] if values.get("id") else []
        self.addresses += [value for name in ("href", "src", "xlink:href") if (value := values.get(name))]
        if (tag == "svg" and values.get("role") == "img" and not values.get("aria-label")) or (
            tag == "th" and values.get("scope") not in {"row", "col"}
        ):
            self.unlabelled.append(tag)


def read(path: Path) -> tuple[str, Page]:
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def test_the_page_is_self_contained_and_has_every_section(whole: Path, trained: Any) -> None:
    text, page = read(whole)
    assert whole.parts[-4:] == ("home", "reports", trained[2].study_id, "index.html")
    assert len(text.encode()) < 3_000_000
    assert set(page.ids) >= set(SECTIONS)
    assert not {"agreement", "market"} & set(page.ids)  # the source has no agreement, and nothing was measured
    assert len(page.ids) == len(set(page.ids))
    assert not {"script", "iframe", "object", "embed"} & set(page.tags)
    assert [address for address in page.addresses if not address.startswith(("#", "data:,"))] == ["../index.html"]
    assert "@import" not in text
    assert page.unlabelled == []
    assert page.tags.count("svg") == 2 * 5 + 1  # each for a page and for a phone, the confusion matrix for both
    for chart in ("overview", "accuracy_over_temperature", "calibration", "coverage", "training_loss"):
        assert (whole.parent / "charts" / f"{chart}.png").read_bytes().startswith(b"\x89PNG")
        assert (whole.parent / "charts" / f"{chart}.svg").read_text().startswith("<?xml")


@pytest.mark.usefixtures("few_charts")
def test_the_answer_names_the_cell_and_its_figures(home: Path, trained: Any) -> None:
    decision = Decision("kept", "gate", "accuracy .3 is below the floor", trained[2].study_id, trained[1], 0.1)
    save_decision(home / "warehouse.duckdb", decision, None)
    text, _ = read(write_report())
    [answer] = re.findall(r'<p class="answer">(.*?)</p>', text, flags=re.DOTALL)
    [(accuracy, low, high, n)] = query(
        home / "warehouse.duckdb",
        "SELECT accuracy, accuracy_low, accuracy_high, n FROM leaderboard WHERE part = 'test' AND temperature = 0.1"
        f" AND cell_id = '{trained[1]}'",
    ).rows
    assert f"On {n} test headlines at temperature 0.1 its accuracy is {accuracy:.3f}" in answer
    assert f"(95 % interval {low:.3f} to {high:.3f})" in answer
    assert f"the gate did not promote cell {trained[1]}, and there was no champion." in answer
    assert "The champion when this page was built: none." in answer
    assert "accuracy .3 is below the floor" in text


@pytest.mark.slow
@pytest.mark.usefixtures("few_charts")
@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("interrupted", "its run was interrupted. 4 cells have no result"),
        ("incomplete", "4 cells have no result: "),
    ],
)
def test_the_report_of_an_unfinished_study_begins_with_that(
    home: Path, trained: Any, status: Literal["interrupted", "incomplete"], message: str
) -> None:
    finish_study(
        home / "warehouse.duckdb", trained[2].study_id, status
    )  # its base and its baselines have no evaluation
    text, _ = read(write_report())
    section = text[text.index('id="answer"') :]
    first = re.findall(r"<p[^>]*>(.*?)</p>", section, flags=re.DOTALL)[0]
    assert first.startswith(f"<strong>The study is incomplete:</strong> {message}")


@pytest.mark.usefixtures("few_charts")
def test_the_answer_names_the_accuracy_of_the_previous_champion_on_the_same_headlines(home: Path, trained: Any) -> None:
    before = Champion("0123456789ab", 0.1)
    save_decision(home / "warehouse.duckdb", Decision("promoted", "person", "the first", "s", *before), None)
    figures = (17, 0.7, 0.6, 0.1, -0.05, 0.25, 0.5, 0.05)
    decision = Decision("kept", "gate", "does not beat it", trained[2].study_id, trained[1], 0.1, *figures)
    save_decision(home / "warehouse.duckdb", decision, before)
    text, _ = read(write_report())
    [answer] = re.findall(r'<p class="answer">(.*?)</p>', text, flags=re.DOTALL)
    assert "cell 0123456789ab, had an accuracy of 0.600 on the 17 of them that it did not learn from" in answer
    assert "and this one 0.700: +.100 [-.050, .250], p=.500. On " in answer
    assert "<dt>champion of that day</dt><dd>0.600<small>cell 0123456789ab</small>" in text


@pytest.mark.slow
@pytest.mark.usefixtures("few_charts")
def test_a_report_names_the_decision_of_its_study_and_separately_the_champion_now(home: Path, trained: Any) -> None:
    warehouse, judged, later = home / "warehouse.duckdb", Champion(trained[1], 0.1), Champion("0123456789ab", 1)
    save_decision(warehouse, Decision("promoted", "gate", "it is good", trained[2].study_id, *judged), None)
    [answer] = re.findall(r'<p class="answer">(.*?)</p>', read(write_report())[0], flags=re.DOTALL)
    assert f"the gate promoted cell {judged.cell_id} to be the first champion." in answer
    assert f"The champion when this page was built: cell {judged.cell_id} at temperature 0.1." in answer

    save_decision(warehouse, Decision("promoted", "person", "better", "another study", *later), judged)
    text, _ = read(write_report())
    [answer] = re.findall(r'<p class="answer">(.*?)</p>', text, flags=re.DOTALL)
    assert f"the gate promoted cell {judged.cell_id} to be the first champion." in answer
    assert "The champion when this page was built: cell 0123456789ab at temperature 1." in answer
    assert "champion when built" not in text  # no cell of this study is


def test_each_query_that_is_shown_gives_what_is_shown(whole: Path) -> None:
    text, _ = read(whole)
    shown = re.findall(
        r'<summary>(.*?)</summary>\s*<pre[^>]*><code>fintone sql "(.*?)"</code>(.*?)</details>',
        text,
        flags=re.DOTALL,
    )
    assert len(shown) >= 8
    for summary, statement, rest in shown:
        result = query(whole.parents[2] / "warehouse.duckdb", unescape(statement))
        if summary == "Data and query":
            columns = re.findall(r'<th scope="col">(.*?)</th>', rest)
            assert tuple(unescape(column) for column in columns) == result.columns
            assert len(re.findall(r"<tr>\s*<td", rest)) == min(len(result.rows), 60)


def test_the_page_shows_the_figure_by_which_validation_chose(whole: Path, trained: Any) -> None:
    """The mean over the labels of the mean probability of the right answer; what is unparsed counts as neutral."""
    answers = query(
        whole.parents[2] / "warehouse.duckdb",
        "SELECT label, p_negative, p_neutral + p_unparsed, p_positive FROM predictions"
        f" WHERE part = 'validation' AND temperature = 0.1 AND cell_id = '{trained[1]}'",
    ).rows
    by_label: dict[str, list[float]] = {}
    for label, *probabilities in answers:
        by_label.setdefault(label, []).append(probabilities[LABELS.index(label)])
    expected = mean(mean(of_label) for of_label in by_label.values())
    shown = re.findall(r'data-label="balanced accuracy">([^<]*)<', read(whole)[0])
    assert shown == [f"{expected:.3f}"]


def test_accuracy_over_temperature_is_that_of_the_evaluations_at_their_temperatures(home: Path) -> None:
    points = query(
        home / "warehouse.duckdb",
        "SELECT temperature, expected_accuracy FROM temperature_curve WHERE part = 'test'",
    ).rows
    curve = dict(points)
    assert len(points) == len(curve) == 13
    evaluated = query(
        home / "warehouse.duckdb",
        "SELECT temperature, expected_accuracy FROM leaderboard WHERE part = 'test' ORDER BY temperature",
    ).rows
    assert [temperature for temperature, _ in evaluated] == [0.1, 1, 10]
    assert [curve[temperature] for temperature, _ in evaluated] == pytest.approx([value for _, value in evaluated])


@pytest.mark.slow
def test_text_is_neither_markup_nor_a_template(home: Path) -> None:
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE headlines SET text = ?", [NASTY])
        connection.execute("UPDATE studies SET source = ?", [NASTY])
        connection.execute("UPDATE studies SET base_model = ?", [NASTY])
        connection.execute("UPDATE cells SET model = ?", [NASTY])
    text, page = read(write_report())
    assert not {"script", "img"} & set(page.tags)
    assert not any(sign in text for sign in "\u202e\x1b")
    assert not re.search(r"\[31m\s+49\b", text)
    assert "{{ 7 * 7 }}" in text
    assert "&lt;U+202E&gt;" in text


def test_a_page_without_a_study_a_place_or_a_result_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.figures.save_charts", None)  # neither is called before the refusal
    monkeypatch.setattr("reporting.page.render_page", None)
    with pytest.raises(UnknownIdError, match="study ffff: not in the warehouse"):
        write_report("ffff")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="give a place that can be written"):
        write_report(None, tmp_path / "file")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM evaluations")
    with pytest.raises(FailureError, match="no fine-tuned cell is evaluated"):
        write_report()


@pytest.mark.slow
def test_a_report_loads_no_torch_and_no_prefect(home: Path) -> None:
    script = (
        "import json, sys; from operations.report import write_report; write_report();"
        "print(json.dumps(sorted({'torch', 'transformers', 'prefect', 'sklearn'} & set(sys.modules))))"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == []


@pytest.mark.slow
@pytest.mark.usefixtures("few_charts")
def test_published_figures_are_shown_next_to_measured_ones(home: Path) -> None:
    path = write_report()
    assert "No cell of this study is one of those that Camargo 2024 published." in (
        path.parent / "reproduction.md"
    ).read_text(encoding="utf-8")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE studies SET profile = 'paper'")
        connection.execute("UPDATE published_results SET learning_rate = 1e-2, epochs = 2 WHERE epochs = 3")
    text, _ = read(write_report())
    assert "published accuracy / F1" in text
    assert "0.842 / 0.843" in text
    assert "| 1e-02, 2 epochs | 0.1 | 0.842 / 0.843 |" in (path.parent / "reproduction.md").read_text(encoding="utf-8")
