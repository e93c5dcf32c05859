"""A folder is read as all its files in the order of their paths, and every skipped file is reported."""

import os

import pytest

from ingestion.ingest import read_source
from schemas.errors import InputError
from schemas.source import DataSettings


def read(folder):
    return read_source(DataSettings(source=str(folder)))


@pytest.fixture
def folder(tmp_path):
    """Five rows in three files of different kinds and encodings; the last repeats the first."""
    source = tmp_path / "daily"
    (source / "2024").mkdir(parents=True)
    (source / "2024" / "a.csv").write_text("text,label\nProfit rose,positive\n,neutral\n")
    (source / "b.txt").write_bytes("Nestlé opens a café in München@neutral\n".encode("latin-1"))
    (source / "c").write_text(
        '[{"label": "negative", "text": "Costs rose"}, {"label": "positive", "text": "Profit rose"}]'
    )
    (source / "d.csv").write_text("text,label\n")
    (source / ".DS_Store").write_bytes(b"\0")
    return source


def test_rows_are_numbered_in_their_files(folder):
    ingestion = read(folder)
    assert ingestion.kind == "folder of csv, financial-phrasebank text, json"
    assert (ingestion.source, ingestion.encoding) == ("daily", "iso-8859-1, utf-8")
    assert list(ingestion.accepted["text"]) == ["Profit rose", "Nestlé opens a café in München", "Costs rose"]
    rejected = ingestion.rejected[["source", "row_number", "reason"]]
    assert list(rejected.itertuples(index=False, name=None)) == [("daily/2024/a.csv", 2, "empty text")]
    assert (ingestion.rows_read, ingestion.rows_merged) == (5, 1)


def test_the_id_follows_from_the_files_and_not_from_the_place(folder, tmp_path):
    before = read(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    assert read(moved).ingest_id == before.ingest_id
    (moved / "d.csv").write_text("text,label\nAGM,neutral\n")
    assert read(moved).ingest_id != before.ingest_id


def test_a_row_is_identified_by_its_file_and_its_number_in_it(folder):
    (folder / "b.txt").write_text("Costs rose@neutral\nAGM@neutral\n")
    (folder / "e.csv").write_text("text,label\nAGM,neutral\nCosts rose,bullish\n")
    ingestion = read(folder)
    rejected = ingestion.rejected[["source", "row_number"]].itertuples(index=False, name=None)
    assert list(rejected) == [("daily/2024/a.csv", 2), ("daily/b.txt", 1), ("daily/c", 1), ("daily/e.csv", 2)]
    quarantined = ingestion.quarantined[["source", "row_number", "label", "resolution"]]
    assert list(quarantined.itertuples(index=False, name=None)) == [
        ("daily/b.txt", 1, "neutral", "dropped"),
        ("daily/c", 1, "negative", "dropped"),
    ]


def test_a_file_that_holds_no_headlines_is_skipped_and_reported(folder):
    for name in ("README.md", "LICENSE", "2024/licence-cc-by.txt", "~$b.xlsx", "2024/c.csv~", "Thumbs.db", "_SUCCESS"):
        (folder / name).write_text("text,label\nA document rose,positive\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "index").write_text("text,label\nA document rose,positive\n")
    ingestion = read(folder)
    assert (ingestion.rows_read, "A document rose" in set(ingestion.accepted["text"])) == (5, False)
    assert ingestion.not_read == (
        ".DS_Store (hidden)",
        ".git (hidden)",
        "2024/c.csv~ (temporary)",
        "2024/licence-cc-by.txt (document)",
        "LICENSE (document)",
        "README.md (document)",
        "Thumbs.db (system file)",
        "_SUCCESS (system file)",
        "~$b.xlsx (temporary)",
    )


@pytest.mark.parametrize(
    "name", ["news.csv", "licences.csv", "readers.txt", "notes", "changes.json", "version.parquet"]
)
def test_a_file_that_may_hold_headlines_is_never_skipped(folder, name):
    (folder / name).write_text("text,label\nSales fell,negative\n")
    ingestion = read(folder)
    assert (ingestion.rows_read, ingestion.not_read) == (6, (".DS_Store (hidden)",))


def test_a_folder_of_only_documents_is_refused_with_their_names(tmp_path):
    (tmp_path / "README.md").write_text("text,label\nA document rose,positive\n")
    with pytest.raises(InputError, match=r"is a folder without files of data, only README.md \(document\): give one"):
        read(tmp_path)


def test_files_next_to_the_phrasebank_are_reported(tmp_path):
    (tmp_path / "Sentences_50Agree.txt").write_text("Profit rose@positive\n")
    for name in ("Sentences_AllAgree.txt", "own.csv", "README.txt"):
        (tmp_path / name).write_text("Profit rose@positive\n")
    assert read(tmp_path).not_read == ("README.txt (document)", "own.csv (beside FinancialPhraseBank)")


def test_a_link_to_a_folder_is_not_followed_and_reported(folder):
    (folder / "2024" / "loop").symlink_to(folder, target_is_directory=True)
    ingestion = read(folder)
    assert ingestion.rows_read == 5
    assert "2024/loop (link to a folder)" in ingestion.not_read


def test_a_file_of_no_known_kind_is_named(folder):
    (folder / "2024" / "odd").write_bytes(b"%PDF-1.7\n1 0 obj\n")
    with pytest.raises(InputError, match="is a PDF, which is not read: export its headlines") as caught:
        read(folder)
    assert repr(str(folder / "2024" / "odd")) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_named_and_the_others_are_read_as_without_it(folder, content):
    without = read(folder)
    (folder / "2024" / "0.csv").write_bytes(content)
    ingestion = read(folder)
    assert ingestion.not_read == (*without.not_read, "2024/0.csv (empty)")
    assert ingestion.accepted.equals(without.accepted)
    assert ingestion.rows.equals(without.rows)
    assert ingestion.rejected.equals(without.rejected)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("nowhere"), os.mkfifo])
def test_what_is_no_regular_file_is_named_and_never_waited_for(folder, make):
    make(folder / "odd")
    with pytest.raises(InputError, match=r"^source '[^']*' holds '[^']*odd', which is not a regular file: take it out"):
        read(folder)


def test_a_folder_without_files_or_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder without files"):
        read(tmp_path)
    (tmp_path / "a.csv").write_text("text,label\n")
    with pytest.raises(InputError, match="has no rows"):
        read(tmp_path)
