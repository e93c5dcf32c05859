"""`fintone score`: answers on standard output or in a file, what is reported about them, and what is refused."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from reporting.verdict import format_ratio
from storage.query import query
from tests.asking import ask
from tests.old_home.restore import CHAMPION, OTHER, PREDICTIONS

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


def test_answers_go_to_standard_output_and_everything_else_to_standard_error(fintone: Run, champion: str) -> None:
    code, out, err = fintone("score", "news.csv", "--drift-tolerance", "0.9")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, len(rows)) == (0, 400)
    assert rows[0].keys() >= {"row", "text", "label", "p_negative", "p_neutral", "p_positive", "model", "version"}
    assert {row["version"] for row in rows} == {champion}
    lines = [line for line in err.splitlines() if not re.match(r"[\d,]+ rows", line)]  # progress lines, if it is slow
    read, loading, counted, answered, *more = lines
    assert read == "news.csv: text from 'title'"
    assert loading == f"loading tiny0, fine-tuned as cell {champion}"
    unparsed = sum(row["label"] == "unparsed" for row in rows)
    assert counted == (
        f"news.csv: 400 rows read, 400 headlines scored, 0 known before, {unparsed} answers unparsed, 0 rows rejected"
    )
    assert answered.startswith("news.csv: answered at temperature 0.1, at which it was judged: accuracy ")
    assert all(line.startswith(("drift: ", "warning: ")) for line in more)
    code, again, err = fintone("score", "news.csv", "--format", "jsonl", "--drift-tolerance", "0.9")
    assert [json.loads(line)["label"] for line in again.splitlines()] == [row["label"] for row in rows]
    assert " 0 headlines scored, 400 known before," in err


def test_the_text_column_is_reported_and_stored_and_rejected_rows_have_reasons(
    fintone: Run, champion: str, home: Path
) -> None:
    rows = ["1,COPY 1,Profit rose again .", "2,COPY 2,Costs rose at Orlo .", "3,COPY 3, ", "4,COPY 4", "5,COPY 5, "]
    Path("two.csv").write_text("\n".join(["id,text,headline", *rows]))
    code, out, err = fintone("score", "two.csv")
    assert (code, [row["row"] for row in csv.DictReader(io.StringIO(out))]) == (0, ["1", "2"])
    assert "two.csv: text from 'headline'\ntwo.csv: warning: the text was read from 'headline', and 'text'" in err
    assert "3 rows rejected (most often 2: empty text, 1: number of fields is 2, not 3)\n" in err
    column = "SELECT text_column FROM scorings WHERE source = 'two.csv'"
    assert ask(home, column) == [("headline",)]


def test_other_columns_pass_through_to_every_format_of_answers(fintone: Run, champion: str) -> None:
    Path("desk.csv").write_text(
        "id;headline;label;ticker;published\n7;Profit rose at Orlo .;up;ORL;2026-01-02\n;Costs fell at Orlo .;;=1+1;\n"
    )
    names = ["id", "source_label", "ticker", "published"]
    expected = [["7", "up", "ORL", "2026-01-02"], ["", "", "=1+1", ""]]
    code, out, err = fintone("score", "desk.csv", "--raw")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert list(rows[0])[-4:] == names
    assert [[row[name] for name in names] for row in rows] == expected
    assert "desk.csv: renamed in the answers: 'label' to 'source_label'" in err
    _, out, _ = fintone("score", "desk.csv", "--format", "jsonl")
    assert [[json.loads(line)[name] for name in names] for line in out.splitlines()] == expected
    fintone("score", "desk.csv", "--output", "answers.parquet")
    assert pq.read_table("answers.parquet").select(names).to_pylist() == [
        dict(zip(names, row, strict=True)) for row in expected
    ]
    _, out, _ = fintone("score", "desk.csv")
    assert "'=1+1" in out


def test_evaluate_compares_answers_with_labels_and_counts_those_the_model_was_trained_on(
    fintone: Run, champion: str, home: Path
) -> None:
    train = query(
        home / "warehouse.duckdb",
        "SELECT text, label FROM splits JOIN headlines USING (headline_id) WHERE part = 'train' ORDER BY text LIMIT 20",
    ).rows
    new = [(f"Orlo publishes {number} reports .", ("up", "down")[number % 2]) for number in range(40)]
    lines = [f'"{text}",{word}' for text, word in [*train, *new, ("Orlo opens .", "odd"), ("Orlo closes .", "")]]
    Path("labelled.csv").write_text("\n".join(["headline,label", *lines]))
    Path("words.yaml").write_text("up: positive\ndown: negative\nunclear: null\n")
    options = ("--evaluate", "--label-map", "words.yaml", "--unparsed", "neutral")
    code, out, err = fintone("score", "labelled.csv", *options)
    answers = [row["label"] for row in csv.DictReader(io.StringIO(out))]
    truth = [*(label for _, label in train), *(("positive", "negative")[number % 2] for number in range(40))]
    right = [answer == label for answer, label in zip(answers, truth, strict=False)]
    assert code == 0
    assert len(answers) == 62
    assert "2 rows without a known label (1 empty, 1 'odd'); --label-map gives the meaning of words" in err
    [all_rows] = [line for line in err.splitlines() if line.startswith("evaluation: accuracy")]
    [new_rows] = [line for line in err.splitlines() if line.startswith("evaluation without these: ")]
    assert f"accuracy {format_ratio(sum(right) / 60)} [" in all_rows
    assert all_rows.endswith(" on 60 labelled rows; the model was trained on 20 of them")
    assert f"accuracy {format_ratio(sum(right[20:]) / 40)} [" in new_rows
    assert new_rows.endswith(" on 40 labelled rows")


def test_nothing_to_evaluate_is_an_error_with_the_reason(fintone: Run, champion: str) -> None:
    Path("odd.csv").write_text("headline,label\nProfit rose at Orlo .,odd\nCosts rose at Orlo .,\n")
    code, out, err = fintone("score", "odd.csv", "--evaluate", "--label-column", "label")
    assert (code, out) == (2, "")  # before anything is answered
    assert err.splitlines()[-1] == (
        "fintone: source 'odd.csv': nothing to evaluate, 2 rows without a known label (1 empty, 1 'odd'); "
        "--label-map gives the meaning of words"
    )


def test_a_source_is_read_as_when_it_was_last_ingested(fintone: Run, champion: str) -> None:
    rows = [f"{number},Orlo publishes {number} reports .,{('up', 'down', 'flat')[number % 3]}" for number in range(30)]
    Path("own.csv").write_text("\n".join(["id,what,mood", *rows]))
    Path("words.yaml").write_text("up: positive\ndown: negative\nflat: neutral\n")
    reading = ("--text-column", "what", "--label-column", "mood", "--label-map", "words.yaml")
    assert fintone("ingest", "own.csv", *reading)[0] == 0
    code, _, err = fintone("score", "own.csv", "--evaluate")
    assert code == 0
    assert 'own.csv: read as when it was last ingested, label_column="mood", ' in err
    assert " on 30 labelled rows" in err
    code, _, err = fintone("score", "own.csv")
    assert code == 0
    assert err.startswith('own.csv: read as when it was last ingested, text_column="what"; options change that\n')


def test_a_source_of_lines_is_reported_as_such(fintone: Run, champion: str, home: Path) -> None:
    Path("lines.txt").write_text("Profit rose, again .\nCosts rose at Orlo .\n")
    code, _, err = fintone("score", "lines.txt")
    assert (code, err.splitlines()[0]) == (0, "lines.txt: each line is a headline")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.csv"], "source 'nowhere.csv' does not exist"),
        (["news.csv", "--model", "0000"], "cell 0000: not in the warehouse"),
        (["news.csv", "--output", "answers.txt"], "give a name that ends in .csv, .jsonl or .parquet"),
        (["news.csv", "--output", "a.csv", "--format", "csv"], "--format is for standard output"),
        (["news.csv", "--label-column", "id"], "options for labels of the source need --evaluate: add it"),
        (
            ["news.csv", "--evaluate"],
            "has no label column, its columns are ['id', 'title']: name it with --label",
        ),
        (["news.csv", "--source-format", "pdf"], "format = 'pdf': must be 'csv', 'json'"),
        (
            ["words.csv"],
            "its columns are ['News Title', 'Publication Date']: name it with --text-column, or use --source-format",
        ),
        (["news.csv", "--source-format", "json"], "set --source-format to its own"),
        (["latin.csv", "--encoding", "utf-16"], "is not valid text in 'utf-16': set --encoding to its encoding"),
        (["news.csv", "--header-row", "500"], "has no line 500 that names columns: name another with --header-row"),
        (["news.csv", "--header-row", "0"], "header_row = 0: must be greater than or equal to 1"),
        (["news.csv", "--delimiter", "ab"], "fintone: delimiter: 'ab' is no delimiter: give one character, or tab"),
        (
            ["news.csv", "--timezone", "localtime"],
            "fintone: timezone: 'localtime' is not a time zone",
        ),
        (["news.csv", "--timezone", "Mars/X"], "fintone: timezone: 'Mars/X' is not a time zone: give a name such as"),
        (["news.csv", "--evaluate", "--thresholds", "1,0"], "thresholds: 1 is above 0: give the lower one first"),
        (["news.csv", "--evaluate", "--label-map", "empty.yaml"], "label_map: it maps an empty word to neutral"),
        (
            ["news.csv", "--evaluate", "--label-column", "id", "--label-columns", "id,title"],
            "fintone: label_column is given beside label_columns: give one of them",
        ),
        (["news.csv", "--text-column", "nothing"], "has no text column 'nothing', its columns are ['id', 'title']"),
    ],
)
def test_what_cannot_be_scored_is_reported_in_one_line(
    refuse: Refuse, champion: str, arguments: list[str], line: str
) -> None:
    Path("words.csv").write_text("News Title,Publication Date\nProfit rose again,3 May\nCosts rose at Orlo,4 May\n")
    Path("empty.yaml").write_text('"": neutral\n')
    Path("latin.csv").write_bytes("title\nGewinn für Müller\n".encode("latin-1"))
    assert line in refuse("score", *arguments)


def test_a_closed_standard_input_is_reported(refuse: Refuse, champion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refuse("score", "-") == (
        "fintone: source '-': standard input is closed: give headlines on it, or the path of a file\n"
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_character_that_standard_output_lacks_is_reported(
    fintone: Run, champion: str, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    Path("umlaut.csv").write_text("title\nProfit rose at Müller .\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    code, _, err = fintone("score", "umlaut.csv", "--format", form)
    assert (code, err.splitlines()[-1]) == (
        2,
        "fintone: standard output: its encoding ascii has no '\\xfc'; set PYTHONIOENCODING=utf-8, or use --output",
    )


def test_without_a_warehouse_it_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    assert "does not exist; run `fintone run` first" in refuse("score", "news.csv")
    assert not home.exists()


@pytest.mark.parametrize("cell", [CHAMPION, OTHER])
def test_the_adapters_of_an_old_home_answer_as_its_ledger_records(
    fintone: Run, old_home: Path, lasting_worker: None, cell: str
) -> None:
    known = ask(old_home, PREDICTIONS.format(cell))
    with Path("test.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["headline"], *([text] for text, *_ in known)])
    code, out, err = fintone("score", "test.csv", "--model", cell, "--temperature", "1", "--format", "jsonl")
    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, [answer["text"] for answer in answers]) == (0, [text for text, *_ in known])
    assert "migrated from 19 to 9000; the file as it was: " in err
    for (_, *probabilities), answer in zip(known, answers, strict=True):
        answered = [answer[f"p_{outcome}"] for outcome in ("negative", "neutral", "positive", "unparsed")]
        assert answered == pytest.approx(probabilities, abs=1e-3)
