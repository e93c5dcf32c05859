"""A study reads a source as `fintone ingest` does: by the same options, or by those of its last ingestion."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cli import run as command
from embedded.grammar import generate_headline
from schemas.config import StudyConfig
from storage.warehouse import writing
from tests.asking import ask

Run = Callable[..., tuple[int, str, str]]
WORDS = {"1": "positive", "0": "neutral", "no": "negative"}
OPTIONS = ("--text-column", "the news", "--label-column", "mood", "--label-map", "words.yaml")
SMALL = ("--set", "split.train_per_class=2", "--set", "split.test_per_class=2")


@pytest.fixture
def wire(home: Path) -> str:
    """The name of a source in the working folder whose columns and words nobody would guess."""
    random, word_of = Random(3), {label: word for word, label in WORDS.items()}
    rows = [(row.text, word_of[row.sentiment]) for row in (generate_headline(random) for _ in range(60))]
    with Path("wire.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([("the news", "mood"), *rows])
    Path("words.yaml").write_text("".join(f"{word}: {label}\n" for word, label in WORDS.items()))
    return "wire.csv"


@pytest.fixture
def planned(fintone: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[StudyConfig, str]]:
    """Runs `fintone run` up to where the study would start, and returns its settings and the notes."""
    seen: list[StudyConfig] = []
    monkeypatch.setattr(command, "run_study", lambda config, notes: seen.append(config))

    def plan(*arguments: str) -> tuple[StudyConfig, str]:
        code, _, err = fintone("run", *arguments)
        assert code == 0, err
        return seen[-1], err

    return plan


def test_run_takes_every_reading_option_of_ingest(
    fintone: Run, planned: Callable[..., tuple[StudyConfig, str]]
) -> None:
    Path("words.yaml").write_text("up: positive\n")
    given = {"text-column": "a", "label-column": "b", "encoding": "cp1252", "format": "csv", "delimiter": "|"}
    given |= {"header-row": "2", "max-rejected": "0.5", "label-map": "words.yaml"}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    data = planned("--data", "news.csv", *options)[0].data
    assert (data.text_column, data.label_column, data.encoding, data.format, data.delimiter) == (
        *("a", "b", "cp1252", "csv", "|"),
    )
    assert (data.header_row, data.max_rejected, data.label_map) == (2, 0.5, {"up": "positive"})
    helps = [set(re.findall(r"--[a-z-]+", fintone(name, "--help")[1])) for name in ("run", "ingest")]
    assert helps[1] - helps[0] == {"--again"}


@pytest.mark.parametrize(
    "assignment", ["data.label_map=words.yaml", "data.label_map={1: positive, 0: neutral, no: negative}"]
)
def test_a_label_map_is_set_by_a_file_or_by_unquoted_words(
    wire: str, planned: Callable[..., tuple[StudyConfig, str]], assignment: str
) -> None:
    assert planned("--data", wire, "--set", assignment)[0].data.label_map == WORDS


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("nowhere.yaml", "data.label_map nowhere.yaml: cannot be read (No such file or directory); check its path"),
        (".", "data.label_map .: is not a regular file; give a file of lines as in up: positive"),
        ("list.yaml", "data.label_map list.yaml: not a mapping of words to labels; write lines as in up: positive"),
    ],
)
def test_a_file_that_is_not_a_label_map_is_reported_in_one_line(
    wire: str, refuse: Callable[..., str], path: str, line: str
) -> None:
    Path("list.yaml").write_text("- up")
    assert line in refuse("run", "--data", wire, "--set", f"data.label_map={path}")


def test_run_reads_a_source_as_it_was_last_ingested_and_says_so(
    wire: str, fintone: Run, planned: Callable[..., tuple[StudyConfig, str]]
) -> None:
    assert planned("--data", wire)[0].data.text_column is None
    assert fintone("ingest", wire, *OPTIONS, "--max-rejected", "0.3")[0] == 0
    config, notes = planned("--data", str(Path(wire).absolute()))
    assert (config.data.text_column, config.data.label_column, config.data.label_map) == ("the news", "mood", WORDS)
    assert config.data.max_rejected == 0.3
    assert 'read as when it was last ingested, label_column="mood", label_map={"0": "neutral"' in notes
    code, out, err = fintone("run", "--data", wire, *SMALL, "--dry-run")
    assert (code, "text from 'the news', label from 'mood'" in out) == (0, True)
    assert err.startswith("wire.csv: read as when it was last ingested")


def test_options_and_the_profile_override_the_last_ingestion(
    wire: str, fintone: Run, planned: Callable[..., tuple[StudyConfig, str]]
) -> None:
    assert fintone("ingest", wire, *OPTIONS, "--set", "data.duplicates=keep")[0] == 0
    config, notes = planned("--data", wire, "--text-column", "1", "--set", "data.label_map=null")
    assert (config.data.text_column, config.data.label_column, config.data.label_map) == ("1", "mood", None)
    assert 'ingested, label_column="mood"; options change that' in notes
    config, notes = planned("--profile", "desk-pt", "--data", wire)
    assert "positivo" in (config.data.label_map or {})
    assert config.data.duplicates == "merge"  # the rules for copies are the study's


@pytest.mark.slow
def test_the_options_of_the_last_ingestion_count(
    wire: str, home: Path, fintone: Run, planned: Callable[..., tuple[StudyConfig, str]]
) -> None:
    for more in ((), ("--max-rejected", "0.3"), ("--max-rejected", "0.2"), ("--max-rejected", "0.2")):
        assert fintone("ingest", wire, *OPTIONS, *more)[0] == 0
    visits = "SELECT DISTINCT ingest_id FROM source_visits", "SELECT count(*) FROM source_visits"
    assert [
        len(ask(home, visits[0])),
        *ask(home, visits[1]),
    ] == [1, (3,)]
    assert planned("--data", wire)[0].data.max_rejected == 0.2
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE source_visits SET settings = NULL")  # as an older version left it
    assert planned("--data", wire)[0].data.label_map is None
    assert fintone("ingest", wire, *OPTIONS)[0] == 0
    assert planned("--data", wire)[0].data.label_map == WORDS


def test_a_label_map_in_a_users_profile_may_be_a_file(
    wire: str, planned: Callable[..., tuple[StudyConfig, str]], fintone: Run
) -> None:
    text = fintone("profiles", "desk")[1].replace("source: headlines.csv", f"source: {wire}\n  label_map: words.yaml")
    Path("my.yaml").write_text(text)
    assert planned("--profile", "my.yaml")[0].data.label_map == WORDS


def test_a_label_map_may_be_given_in_the_command(wire: str, planned: Callable[..., tuple[StudyConfig, str]]) -> None:
    words = "{1: positive, 0: neutral, no: negative}"
    assert planned("--data", wire, "--label-map", words)[0].data.label_map == WORDS


def test_the_context_column_of_an_ingestion_is_not_that_of_a_study(
    wire: str, fintone: Run, planned: Callable[..., tuple[StudyConfig, str]]
) -> None:
    lines = Path(wire).read_text(encoding="utf-8").splitlines()
    Path(wire).write_text("\n".join(f"{line};background" for line in lines), encoding="utf-8")
    assert fintone("ingest", wire, *OPTIONS, "--context-column", "background")[0] == 0
    assert planned("--data", wire)[0].data.context_column is None
