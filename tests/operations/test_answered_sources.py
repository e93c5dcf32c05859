"""How a source is read for its answers: once, by its dates and columns, with long and unfit rows, or from a stream."""

import io
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from embedded.grammar import generate_headline
from operations import score_input
from operations.answers import choose_model, format_counts, score_source
from operations.score_input import open_input
from operations.scoring_run import ScoredSource
from schemas.errors import InputError
from schemas.score import ScoreSettings
from storage.deletion import delete_study
from storage.scores import Scorer
from storage.warehouse import writing
from tests.asking import ask
from tests.operations.scored_news import run, write_news

pytestmark = pytest.mark.usefixtures("session_worker")


def test_a_source_is_opened_once(trained_home: Path, trained: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 16)
    Path("folder").mkdir()
    for name in ("one", "two"):
        texts = [generate_headline(Random(f"{name} {row}")).text for row in range(20)]
        pd.DataFrame({"headline": texts}).to_csv(f"folder/{name}.csv", index=False)
    opened: Counter[str] = Counter()
    sys.addaudithook(lambda event, args: opened.update([Path(str(args[0])).name]) if event == "open" else None)
    progress: list[tuple[int, int | None]] = []
    settings = ScoreSettings(source="folder", model=trained[1])
    scored = score_source(settings, choose_model(settings), None, lambda done, total, _: progress.append((done, total)))
    assert (opened["one.csv"], opened["two.csv"]) == (1, 1)
    assert progress == [(16, 40), (32, 40), (40, 40)]
    assert ask(trained_home, f"SELECT count(*) FROM scores WHERE scoring_id = '{scored.scoring_id}'") == [(40,)]


def test_a_scoring_keeps_its_id_from_version_to_version_unless_a_newer_setting_is_given(
    new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("news.csv").write_text("headline\nProfit rose .\n")
    scorer = Scorer("cell", 1.0, "decoding", "adapter")

    def identify(*, truncates: bool = False, **settings: Any) -> str:
        with open_input(ScoreSettings(source="news.csv", **settings), scorer, truncates=truncates) as source:
            return source.scoring_id

    assert identify() == identify(too_long="reject") == "9965c384ad9b"
    others = identify(unparsed="neutral"), identify(truncates=True), identify(header_row=1)
    assert len({identify(), *others}) == 4


def test_a_folder_with_an_unfit_file_is_refused_before_anything_is_answered(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 2)
    Path("folder").mkdir()
    Path("folder/one.csv").write_text("headline\n" + "Profit rose .\n" * 5)
    Path("folder/two.csv").write_text("nr,kop,datum\n1,Winst steeg,x\n")
    with pytest.raises(InputError, match="has no text column"):
        run(trained[1], source="folder")
    assert ask(trained_home, "SELECT count(*) FROM scorings") == [(0,)]


def test_rows_that_cannot_be_scored_are_kept_with_their_reason(trained_home: Path, trained: Any) -> None:
    rows = ["Profit rose .", "\u200b", "Sales\x07 fell .", "word " * 1_900, "Profit rose ."]
    Path("news.jsonl").write_text("\n".join([*(json.dumps({"text": row}) for row in rows), "{broken"]))
    scored = run(trained[1], "answers.jsonl", source="news.jsonl")
    assert (scored.counts.rows_read, scored.counts.rows_rejected, scored.counts.headlines_scored) == (6, 4, 1)
    rejected = ask(
        trained_home, f"SELECT row_number, reason FROM rejected_rows WHERE ingest_id = '{scored.scoring_id}' ORDER BY 1"
    )
    assert rejected == [
        (2, "empty text"),
        (3, "control character in the text"),
        (4, "longer than the model takes"),
        (6, "not a JSON object"),
    ]
    written = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert [(row["row"], row["text"]) for row in written] == [(1, "Profit rose ."), (5, "Profit rose .")]
    assert run(trained[1], source="news.jsonl").counts.rows_rejected == 4
    assert ask(trained_home, "SELECT count(*) FROM rejected_rows JOIN scorings ON scoring_id = ingest_id") == [(4,)]


def test_a_long_headline_is_answered_by_its_beginning_if_that_is_requested(trained_home: Path, trained: Any) -> None:
    Path("news.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in ("Profit rose .", "word " * 1_900)))
    marks = "SELECT row_number, is_truncated FROM scores WHERE scoring_id = '{}' ORDER BY 1"
    rejected = run(trained[1], source="news.jsonl")
    assert (rejected.counts.rows_rejected, rejected.counts.rows_truncated) == (1, 0)
    truncated = run(trained[1], source="news.jsonl", too_long="truncate")
    assert (truncated.counts.rows_rejected, truncated.counts.rows_truncated) == (0, 1)
    assert "1 truncated to what the model takes, " in format_counts(truncated)
    assert ask(trained_home, marks.format(truncated.scoring_id)) == [(1, False), (2, True)]
    again = run(trained[1], source="news.jsonl", too_long="reject")
    assert (again.scoring_id, again.counts.rows_rejected) == (rejected.scoring_id, 1)
    assert ask(trained_home, marks.format(again.scoring_id)) == [(1, False)]
    with writing(trained_home / "warehouse.duckdb") as connection:  # its study truncates
        connection.execute(
            'UPDATE studies SET config = json_merge_patch(config, \'{"data": {"too_long": "truncate"}}\')'
        )
    assert run(trained[1], source="news.jsonl").counts.rows_truncated == 1


def test_a_cell_whose_study_is_deleted_meanwhile_answers_to_the_end(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 2)
    texts = ask(
        trained_home,
        "SELECT text FROM splits JOIN headlines USING (headline_id) WHERE part = 'train' ORDER BY text LIMIT 6",
    )
    pd.DataFrame({"headline": [text for (text,) in texts]}).to_csv("news.csv", index=False)
    settings = ScoreSettings(source="news.csv", model=trained[1])

    def delete(rows: int, *_: Any) -> None:
        if rows == 2:
            delete_study(trained_home / "warehouse.duckdb", trained[2].study_id)

    scored = score_source(settings, choose_model(settings), None, delete)
    assert scored.counts.rows_answered == 6
    assert ask(trained_home, "SELECT count(*) FILTER (in_sample), count(*) FILTER (part = 'train') FROM scores") == [
        (6, 6)
    ]


def test_a_stream_is_scored_as_it_comes(trained_home: Path, trained: Any, monkeypatch: Any) -> None:
    stream = io.TextIOWrapper(io.BytesIO("Profit rose , sales too .\nOmsättningen ökade .\n\nLast".encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    scored = run(trained[1], "answers.jsonl", source="-")
    texts = [json.loads(line)["text"] for line in Path("answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert texts == ["Profit rose , sales too .", "Omsättningen ökade .", "Last"]
    assert scored.source == "-"


@pytest.mark.parametrize("evaluate", [False, True])
def test_a_file_of_a_day_without_news_is_no_error(trained_home: Path, trained: Any, *, evaluate: bool) -> None:
    Path("news.csv").write_text("headline,label\n")
    scored = run(trained[1], "answers.csv", source="news.csv", evaluate=evaluate)
    assert (scored.counts.rows_read, scored.unevaluated) == (0, None)
    assert Path("answers.csv").read_text().startswith("row,text,label,")


DATED = """headline,label,date,ticker
Profit rose 5 %,positive,03/04/2025,NWD
Costs rose again,negative,13/04/2025,HBF
A merger is near,neutral,28/05/2025,NWD
An odd day,neutral,soon,NWD
"""


def test_dates_instruments_and_labels_of_scored_rows_can_be_queried_over_time(trained_home: Path, trained: Any) -> None:
    Path("news.csv").write_text(DATED)
    scored = run(trained[1], evaluate=True, published_at_column="date")
    [warning] = [each for each in scored.warnings if "date" in each]
    assert warning.startswith("warning: 1 headline has no date: what they have cannot be read")
    rows = "SELECT strftime(published_at, '%m-%d'), instrument, true_label, in_sample FROM scores ORDER BY row_number"
    assert ask(trained_home, rows) == [
        ("04-03", "NWD", "positive", False),
        ("04-13", "HBF", "negative", False),
        ("05-28", "NWD", "neutral", False),
        (None, "NWD", "neutral", False),
    ]
    months = ask(
        trained_home,
        "SELECT strftime(begins, '%m-%d'), n, round(accuracy * n) FROM accuracy_over_time"
        " WHERE origin = 'scored' AND period = 'month' ORDER BY begins",
    )
    hits = "(label = true_label OR (label = 'unparsed' AND true_label = 'neutral'))::INTEGER"
    right = ask(
        trained_home,
        f"SELECT month(published_at), sum({hits}) FROM scores WHERE published_at IS NOT NULL GROUP BY ALL ORDER BY ALL",
    )
    assert [(begins, n) for begins, n, _ in months] == [("04-01", 2), ("05-01", 1)]
    before = "SELECT before_cutoff FROM scores ORDER BY row_number"
    counted = (
        "SELECT n_before_cutoff FROM accuracy_over_time WHERE origin = 'scored' AND period = 'month' ORDER BY begins"
    )
    assert ask(trained_home, before) == [(None,)] * 4
    assert ask(trained_home, counted) == [(None,), (None,)]
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE study_cells SET trained_until = '2025-04-03' WHERE cell_id = ?", [trained[1]])
    assert ask(trained_home, before) == [(True,), (False,), (False,), (None,)]
    assert ask(trained_home, counted) == [(1,), (0,)]
    assert [hits for *_, hits in months] == [hits for _, hits in right]


def test_the_order_of_dates_is_found_from_the_whole_source(trained_home: Path, trained: Any) -> None:
    texts = write_news(4_200)  # more rows than are read at a time, and only the last one shows the order
    dates = ["01/02/2025"] * 4_199 + ["13/02/2025"]
    pd.DataFrame({"headline": texts, "date": dates}).to_csv("news.csv", index=False)
    run(trained[1])
    assert ask(trained_home, "SELECT DISTINCT strftime(published_at, '%Y-%m-%d') FROM scores ORDER BY ALL") == [
        ("2025-02-01",),
        ("2025-02-13",),
    ]


def test_dates_of_an_unclear_order_are_read_in_that_of_the_models_study(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    rows = [
        f"{headline},{date}" for headline, date in (("Profit rose .", "03/04/2025"), ("Sales fell .", "05/06/2025"))
    ]
    Path("news.csv").write_text("\n".join(["headline,date", *rows]))
    stored = "SELECT strftime(published_at, '%m-%d') FROM scores WHERE scoring_id = '{}' ORDER BY row_number"

    def score(source: str = "news.csv", **settings: Any) -> tuple[list[Any], list[str], ScoredSource]:
        lines: list[str] = []
        requested = ScoreSettings(source=source, model=trained[1], **settings)
        scored = score_source(requested, choose_model(requested), None, notify=lines.append)
        return ask(trained_home, stored.format(scored.scoring_id)), [line for line in lines if "day" in line], scored

    dates, lines, unknown = score()
    assert (dates, lines, unknown.counts.dates_unread) == ([(None,), (None,)], [], 2)
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET date_order = 'dmy'")
    note = "dates that may be day or month first are read as dmy, as in the model's study; --date-order changes that"
    dates, lines, assumed = score()
    assert (dates, lines, assumed.counts.dates_unread) == ([("04-03",), ("06-05",)], [f"news.csv: {note}"], 0)
    assert assumed.scoring_id != unknown.scoring_id
    given = score(date_order="dmy", timezone="Asia/Tokyo")[2]
    assert ask(trained_home, f"SELECT timezone FROM scorings WHERE scoring_id = '{given.scoring_id}'") == [
        ("Asia/Tokyo",)
    ]
    dates, lines, given = score(date_order="dmy")
    assert (dates, lines, given.scoring_id) == ([("04-03",), ("06-05",)], [], assumed.scoring_id)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("news.csv").read_bytes())))
    dates, lines, _ = score("-")
    assert (dates, lines) == ([("04-03",), ("06-05",)], [f"-: {note}"])
    Path("news.csv").write_text("\n".join(["headline,date", *rows, "Profit fell .,04/30/2025"]))
    assert score()[:2] == ([("03-04",), ("05-06",), ("04-30",)], [])  # they show their order


def test_a_stream_that_has_shown_the_order_of_its_dates_keeps_it(
    trained_home: Path, trained: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(score_input, "ROWS_AT_ONCE", 1)
    with writing(trained_home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET date_order = 'dmy'")

    def stream(*dates: str) -> tuple[list[Any], list[str]]:
        lines: list[str] = []
        text = "\n".join(["headline,date", *(f"Profit rose {number} .,{date}" for number, date in enumerate(dates))])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        requested = ScoreSettings(source="-", model=trained[1])
        scored = score_source(requested, choose_model(requested), None, notify=lines.append)
        stored = "SELECT strftime(published_at, '%m-%d') FROM scores WHERE scoring_id = '{}' ORDER BY row_number"
        found = [date for (date,) in ask(trained_home, stored.format(scored.scoring_id))]
        return found, [line for line in lines if "--date-order and send" in line]

    assert stream("03/25/2025", "03/04/2025", "03/28/2025") == (["03-25", "03-04", "03-28"], [])
    dates, [warning] = stream("03/04/2025", "03/25/2025", "03/04/2025")
    assert dates == ["04-03", "03-25", "03-04"]
    assert warning.startswith("warning: -: from row 2 on dates are read as mdy, and those before were read as dmy: ")


def test_a_source_is_read_as_the_models_study_read_its_own_if_that_fits(trained_home: Path, trained: Any) -> None:
    words = ("up", "down")
    rows = [f"Orlo publishes {number} reports .;{words[number % 2]}" for number in range(9)]
    Path("news.csv").write_text("\n".join(["News Text;Analyst View", *rows]))
    Path("plain.csv").write_text("headline\nOrlo opens .\n")
    reading: dict[str, Any] = {"text_column": "News Text", "label_column": "Analyst View"}
    reading["label_map"] = {"up": "positive", "down": "negative"}

    def score(source: str, **settings: Any) -> tuple[ScoredSource, list[str]]:
        lines: list[str] = []
        requested = ScoreSettings(source=source, model=trained[1], **settings)
        chosen = choose_model(requested)
        chosen = replace(chosen, model=replace(chosen.model, reading=reading))
        return score_source(requested, chosen, None, notify=lines.append), lines

    scored, lines = score("news.csv", evaluate=True)
    assert lines[0].startswith(
        'news.csv: read as in the model\'s study, text_column="News Text", label_column="Analyst '
    )
    assert " on 9 labelled rows" in scored.evaluation[0]
    assert score("news.csv", text_column="Analyst View")[0].counts.headlines_scored == 2  # a given setting comes first
    reading["label_columns"] = reading.pop("label_column"), "text"  # they exclude thresholds and a label column
    Path("scores.csv").write_text("headline,points\nOrlo opens .,-1\nOrlo closes .,2\n")
    scored, _ = score("scores.csv", evaluate=True, label_column="points", thresholds=(-0.5, 0.5))
    assert " on 2 labelled rows" in scored.evaluation[0]
    scored, lines = score("plain.csv")
    assert not any("study" in line for line in lines)
    assert scored.counts.rows_answered == 1
