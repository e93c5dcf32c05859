"""Small hard inputs that users sent, if they are at hand: each is read, or refused with the remedy."""

import os
from pathlib import Path

import pytest

from ingestion.formats import read_content
from ingestion.ingest import Ingestion, read_source
from schemas.errors import InputError
from schemas.source import DataSettings, UnlabelledSettings


@pytest.fixture(scope="module")
def cases() -> Path:
    """The folder with the inputs, which are not part of the project."""
    folder = Path(os.environ.get("FINTONE_TEST_CASES", Path(__file__).parents[3] / "shared" / "cases"))
    if not (folder / "nested.json").is_file():
        pytest.skip("needs the small hard inputs: set FINTONE_TEST_CASES to their folder")
    return folder


def read(path: Path, **settings: str) -> Ingestion:
    return read_source(DataSettings(source=str(path), **settings))


@pytest.mark.parametrize(
    ("name", "text", "label", "count"),
    [
        ("nested.json", "text", "sentiment.polarity", 2),
        ("wrapped.json", "text", "label", 2),
        ("columns.json", "text", "label", 2),
        ("chat.jsonl", "messages.user", "messages.assistant", 1),
        ("instructions.jsonl", "input", "output", 1),
        ("stray-quotes.tsv", "text", "label", 6),
        ("two-candidates.csv", "headline", "sentiment", 3),
    ],
)
def test_each_input_is_read_from_the_right_columns(cases: Path, name: str, text: str, label: str, count: int) -> None:
    ingestion = read(cases / name)
    assert (ingestion.columns.text, ingestion.columns.label) == (text, label)
    assert (len(ingestion.accepted), len(ingestion.rejected)) == (count, 0)


def test_two_candidates_are_both_named(cases: Path) -> None:
    warnings = read(cases / "two-candidates.csv").columns.warn()
    assert ["'text' could be meant" in warnings[0], "'label' could be meant" in warnings[1]] == [True, True]


def test_near_copies_with_links_are_grouped_and_stay_unchanged(cases: Path) -> None:
    accepted = read(cases / "link-copies.csv").accepted
    assert (accepted["group_id"].nunique(), accepted["text"].str.contains("https").all()) == (3, True)


def test_objects_by_key_are_named_with_the_path_to_their_scores(cases: Path) -> None:
    with pytest.raises(InputError, match=r"no label column.*'info.sentiment_score'.*\(it was read as objects by key\)"):
        read(cases / "keyed.json")
    scored = UnlabelledSettings(source="keyed")
    rows = read_content((cases / "keyed.json").read_bytes(), "keyed", scored).rows
    assert [row.text for row in rows] == ["Northwind profit climbs", "Harbour Foods profit slides"]


def test_a_header_of_two_words_is_no_headline(cases: Path) -> None:
    message = "no text column, its columns are .*name it with --text-column.*; 'News Title' may hold the text"
    with pytest.raises(InputError, match=message):
        read_content((cases / "two-word-header.csv").read_bytes(), "news", UnlabelledSettings(source="news"))
