"""`fintone ingest`: what is reported of every row, and what is refused before anything is created."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingest import ingest
from reporting.data_report import render_data_report
from schemas.source import DataSettings
from storage.data_report import load_data_report
from storage.warehouse import writing
from tests.asking import ask

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]

COLUMNS = ["--text-column", "title", "--label-column", "mood"]


def test_every_row_is_accounted_for(fintone: Run, home: Path, mood_file: Path) -> None:
    command = ["ingest", str(mood_file), *COLUMNS, "--label-map", "words.yaml", "--max-rejected", "0.2"]
    code, out, _ = fintone(*command)
    assert code == 0
    lines = dict(line.rstrip().replace("rows read", "read").split(maxsplit=1) for line in out.splitlines()[:7])
    assert lines.items() >= {
        ("source", "news.csv"),
        ("kind", "csv, utf-8"),
        ("read", "5"),
        ("accepted", "3: 1 negative, 1 neutral, 1 positive"),
        ("merged", "1"),
        ("rejected", "1 (most often 1: unknown label '?')"),
    }
    [statement] = [line.partition('"')[2].rstrip('"') for line in out.splitlines() if "fintone sql" in line]
    [(_, number, reason, _)] = ask(home, statement)
    assert (number, reason) == (5, "unknown label '?'")
    assert ask(home, "SELECT snapshot_id FROM snapshots") == [(lines["snapshot"],)]

    code, again, err = fintone(*command)
    first, *rest = [line.split() for line in again.splitlines()]
    assert (code, rest) == (0, [line.split() for line in out.splitlines()[1:]])
    assert " ".join(first) == "source news.csv (nothing new: these rows are known)"
    assert err == f"news.csv: nothing new, its 5 rows are snapshot {lines['snapshot']}\n"
    assert ask(home, "SELECT count(*) FROM sources") == [(1,)]
    assert "a share of 0.2 where data.max_rejected allows 0.1" in fintone(*command[:-2])[2]


def test_the_same_rows_under_another_name_are_known_by_the_first_one(fintone: Run) -> None:
    for name in ("first.csv", "second.csv"):
        Path(name).write_text("text,label\nProfit rose,positive\nProfit fell,negative\nThe meeting is in May,neutral\n")
    fintone("ingest", "first.csv")
    code, out, err = fintone("ingest", "second.csv")
    assert code == 0
    line = "source second.csv (nothing new: these rows are known, read before as first.csv)"
    assert " ".join(out.split()).startswith(line)
    assert err.startswith("second.csv: nothing new, its 3 rows are snapshot ")
    assert err.endswith(", read before as first.csv\n")


def test_two_candidates_for_a_column_are_reported_everywhere_and_each_time(fintone: Run, home: Path) -> None:
    moods = ["positive", "negative", "neutral"]
    rows = [f"WIRE COPY {n},{text},neutral,{moods[n]}" for n, text in enumerate(["Profit up.", "Costs up.", "An AGM."])]
    Path("two.csv").write_text("\n".join(["text,headline,label,sentiment", *rows]))
    code, out, err = fintone("ingest", "two.csv")
    account = " ".join(out.split())
    assert code == 0
    assert "columns text from 'headline', label from 'sentiment'" in account
    assert "two.csv: text from 'headline', label from 'sentiment'\n" in err
    doubts = [
        "the text was read from 'headline', and 'text' could be meant: if so, name it with --text-column",
        "the label was read from 'sentiment', and 'label' could be meant: if so, name it with --label-column",
    ]
    [ingest_id] = ask(home, "SELECT ingest_id FROM sources")[0]
    report = render_data_report(load_data_report(home / "warehouse.duckdb", ingest_id)).replace("\\", "")
    for doubt in doubts:
        assert f"warning {doubt}" in account
        assert f"warning: two.csv: {doubt}\n" in err
        assert doubt in report
    columns = "SELECT text_column, label_column, other_text_columns, other_label_columns FROM sources"
    assert ask(home, columns) == [("headline", "sentiment", ["text"], ["label"])]
    code, again, err = fintone("ingest", "two.csv")
    assert (code, again.splitlines()[1:]) == (0, out.splitlines()[1:])
    assert all(f"warning: two.csv: {doubt}\n" in err for doubt in doubts)


def test_a_known_source_without_its_settings_is_refused_with_the_option_that_remembers_them(
    fintone: Run, refuse: Refuse, mood_file: Path
) -> None:
    hint = "it was ingested with other settings: --again reads it with those"
    assert hint not in refuse("ingest", str(mood_file))
    fintone("ingest", str(mood_file), *COLUMNS, "--label-map", "words.yaml", "--max-rejected", "0.2")
    assert hint in refuse("ingest", str(mood_file))


def test_a_source_is_read_again_with_its_settings_by_the_command_and_by_the_flow(
    fintone: Run, home: Path, mood_file: Path, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = [*COLUMNS, "--label-map", "words.yaml", "--max-rejected", "0.2"]
    assert fintone("ingest", str(mood_file), *options)[0] == 0
    [(snapshot,)] = ask(home, "SELECT snapshot_id FROM snapshots")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("DELETE FROM ledger.accepted_rows")
    code, out, err = fintone("ingest", str(mood_file), "--again")
    assert (code, err.count("read as when it was last ingested, ")) == (0, 1)
    assert "(nothing new: these rows are known)" in " ".join(out.split())
    words = {"up": "positive", "down": "negative", "0": "neutral"}
    columns = {"text_column": "title", "label_column": "mood", "label_map": words}
    data = DataSettings.model_validate({"source": str(mood_file), "max_rejected": 0.2, **columns})
    assert ingest(data, again=True).is_new is False
    assert f"news.csv: read again, its headlines are snapshot {snapshot} as before" in caplog.text
    assert ask(home, "SELECT count(*) FROM accepted_rows") == [(4,)]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "Missing argument 'source'; see fintone ingest --help"),
        (["nowhere.csv"], "source 'nowhere.csv' does not exist"),
        (["news.csv", "--text-column", "headline", "--label-column", "mood"], "headline"),
        (["news.csv", "--max-rejected", "2"], "data.max_rejected = 2: must be less than or equal to 1"),
        (["news.csv", "--encoding", "utf-9"], "utf-9"),
        (["news.csv", "--label-map", "none.yaml"], "--label-map none.yaml: cannot be read (No such file or directory)"),
        (["news.csv", "--label-map", "list.yaml"], "--label-map list.yaml: not a mapping of words to labels"),
        (["news.csv", "--label-map", "torn.json"], "--label-map torn.json: no valid YAML or JSON"),
        (["news.csv", "--label-map", "."], "--label-map .: is not a regular file"),
        (["news.csv", "--label-map", "pipe"], "--label-map pipe: is not a regular file"),
        (["news.csv", "--label-map", "/dev/zero"], "--label-map /dev/zero: is not a regular file"),
        (["news.csv", "--label-map", "huge.yaml"], "--label-map huge.yaml: has 1,300,000 bytes, more than the 800,000"),
        (["news.csv", "--label-map", "twice.yaml"], "--label-map twice.yaml: it names 'up' twice"),
        (["news.csv", "--label-map", "latin.yaml"], "--label-map latin.yaml: no text in UTF-8; save it as UTF-8"),
        (["news.csv", "--label-map", "cases.yaml"], "data.label_map: it maps 'UP' to negative and to positive"),
        (["~nobody-of-that-name/news.csv"], "cannot be read (Could not determine home directory): check its path"),
        (["news.csv", "--label-map", "bulls.yaml"], "data.label_map.up = 'bullish': must be"),
        (["news.csv", "--thresholds", "0.1,-0.1"], "data.thresholds: 0.1 is above -0.1: give the lower one first"),
        (["news.csv", "--thresholds", "low"], "data.thresholds"),
        (["news.csv", "--label-columns", "mood"], "data.label_columns"),
        (["news.csv", "--set", "split.seed=3"], "split.seed has no effect here: only settings that begin with data."),
        (["news.csv", "--set", "grid.epochs=3"], "grid.epochs has no effect here"),
        (["news.csv", "--set", "data.textcolumn=a"], "did you mean data.text_column?"),
        (["news.csv", "--set", "data.source=b.csv"], "data.source is given twice"),
        (["news.csv", "--text-column", "title", "--label-columns", "mood,tone"], "no label column 'tone'"),
        (
            ["news.csv", "--header-row", "9", *COLUMNS],
            "has no line 9 that names columns: name another with --header-row N",
        ),
    ],
)
def test_bad_input_is_reported_before_anything_is_created(
    refuse: Refuse, home: Path, mood_file: Path, arguments: list[str], line: str
) -> None:
    Path("list.yaml").write_text("- up\n- down\n")
    Path("torn.json").write_text('{"up": "positive"')
    Path("huge.yaml").write_text("up: positive\n" * 100_000)
    Path("twice.yaml").write_text("up: positive\nup: negative\n")
    Path("latin.yaml").write_bytes(b"\xfcber: positive\n")
    Path("cases.yaml").write_text("up: negative\nUP: positive\n")
    os.mkfifo("pipe")
    Path("bulls.yaml").write_text("up: bullish\n")
    assert line in refuse("ingest", *arguments)
    assert not home.exists()


def test_a_refusal_shows_the_rows_above_its_line_and_stores_them(fintone: Run, home: Path, mood_file: Path) -> None:
    code, out, err = fintone("ingest", str(mood_file), *COLUMNS)
    *details, line = err.splitlines()
    assert (code, out) == (2, "")
    assert details == [
        "2 rows: unknown label 'up': row 1 'Profit rose.,up', row 2 'Profit rose.,up'",
        "1 row: unknown label 'down': row 3 'Profit fell.,down'",
        "1 row: unknown label '0': row 4 'Profit was flat.,0'",
        "1 row: unknown label '?': row 5 'Profit.,?'",
    ]
    assert line.startswith("fintone: source 'news.csv': none of its 5 rows can be used: 5 rows with an unknown label")
    assert "--set 'data.label_map={up: positive, down: negative, 0: LABEL, \"?\": LABEL}'" in line
    shown = "SELECT row_number, raw FROM refused_rows ORDER BY row_number LIMIT 1"
    assert ask(home, shown) == [(1, "Profit rose.,up")]


def test_scores_and_annotators_are_read_by_options_and_reported(fintone: Run, home: Path) -> None:
    Path("scores.csv").write_text("title,score\nProfit rose.,0.6\nProfit fell.,-0.4\nAn AGM.,0\nA note.,\n")
    code, out, _ = fintone("ingest", "scores.csv", "--thresholds", "-0.1,0.1", "--set", 'data.label_map={"": null}')
    account = " ".join(out.split())
    assert code == 0
    assert "accepted 3: 1 negative, 1 neutral, 1 positive" in account
    assert "left out 1 (most often 1: no label)" in account
    assert "label from 'score' (scores, negative below -0.1 and positive above 0.1)" in account
    rows = ["Profit rose.,positive,positive", "Profit fell.,negative,negative", "An AGM.,neutral,positive"]
    Path("votes.csv").write_text("\n".join(["title,a,b", *rows]))
    code, out, _ = fintone("ingest", "votes.csv", "--label-columns", "a,b")
    account = " ".join(out.split())
    assert code == 0
    assert "left out 1 (most often 1: a tie of annotators: 1 neutral, 1 positive)" in account
    assert "warning no headline is labelled neutral" in account
    stored = "SELECT label_column, label_shape, rows_left_out FROM sources ORDER BY number"
    assert ask(home, stored) == [
        ("score", "scores, negative below -0.1 and positive above 0.1", 1),
        ("a, b", "the majority of annotators", 1),
    ]
    [statement] = [line.partition('"')[2].rstrip('"') for line in out.splitlines() if "fintone sql" in line]
    assert ask(home, statement)[0][1] == 3


def test_words_of_a_label_map_are_compared_as_text(fintone: Run, mood_file: Path) -> None:
    Path("answers.csv").write_text("text,label\nProfit rose.,yes\nProfit fell.,no\nProfit was flat.,1\n")
    Path("answers.json").write_text('{"yes": "positive", "no": "negative", "1": "neutral"}')
    code, out, _ = fintone("ingest", "answers.csv", "--label-map", "answers.json")
    assert code == 0
    assert "3: 1 negative, 1 neutral, 1 positive" in out


def test_unread_files_and_damaged_headlines_are_reported_each_time(fintone: Run, home: Path) -> None:
    Path("daily").mkdir()
    Path("daily/README.md").write_text("# News")
    Path("daily/0.csv").write_text("\n")
    rows = ["Profit rose,positive", "SociÃ©tÃ© GÃ©nÃ©rale rose,positive", "Nestl\ufffd fell,negative"]
    Path("daily/a.csv").write_text("\n".join(["text,label", *rows]))
    expected = {
        ("not read", "README.md (document), 0.csv (empty)"),
        ("damaged", "2 headlines look damaged, as in 'SociÃ©tÃ© GÃ©nÃ©rale rose'"),
    }
    for _ in range(2):
        code, out, _ = fintone("ingest", "daily")
        lines = {line.rstrip().replace("not read", "not_read") for line in out.splitlines() if " " in line}
        reported = {tuple(line.split(maxsplit=1)) for line in lines}
        assert code == 0
        assert {(subject.replace("_", " "), words) for subject, words in reported} >= expected
    [(ingest_id,)] = ask(home, "SELECT ingest_id FROM sources")
    shown = render_data_report(load_data_report(home / "warehouse.duckdb", ingest_id))
    assert "Not read: README.md (document), 0.csv (empty)." in shown
    assert "2 headlines look damaged, as in" in shown
    stored = "SELECT not_read, headlines_damaged, damaged_example FROM sources"
    assert ask(home, stored) == [(["README.md (document)", "0.csv (empty)"], 2, "SociÃ©tÃ© GÃ©nÃ©rale rose")]


def test_unread_files_and_damage_are_not_mentioned_if_an_older_version_did_not_store_them(
    fintone: Run, home: Path, mood_file: Path
) -> None:
    Path("plain.csv").write_text("text,label\nProfit rose,positive\n")
    fintone("ingest", "plain.csv")
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE sources SET not_read = NULL, headlines_damaged = NULL, damaged_example = NULL")
    code, out, _ = fintone("ingest", "plain.csv")
    assert (code, "not read" in out, "damaged" in out) == (0, False, False)


def test_a_drift_since_the_snapshot_before_and_one_that_few_headlines_hide_are_reported(fintone: Run) -> None:
    def ingest_rows(labels: list[str]) -> str:
        rows = [f"Company {number} met in room {number % 7},{label}" for number, label in enumerate(labels)]
        Path("week.csv").write_text("\n".join(["text,label", *rows]))
        code, out, _ = fintone("ingest", "week.csv")
        assert code == 0
        return " ".join(out.split())

    assert " drift " not in ingest_rows(["negative", "neutral", "positive"] * 100)
    shifted = ingest_rows(["negative", "negative", "neutral", "positive"] * 75)
    assert " drift moderate, PSI of labels 0.12 " in shifted  # ln(3/2) / 6 + ln(4/3) / 6
    few = ingest_rows(["negative", "neutral", "positive"])
    assert " drift PSI of labels is unknown, because there are too few headlines, of which noise alone " in few
