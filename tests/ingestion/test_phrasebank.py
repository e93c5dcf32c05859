"""FinancialPhraseBank: the real one where it is at hand, and small ones of the same form."""

import zipfile

import pytest

from ingestion.ingest import read_source
from schemas.source import DataSettings

ARCHIVE = "FinancialPhraseBank-v1.0.zip"

# rows; neutral, positive, negative; rows merged; rows rejected for labels that disagree
PUBLISHED = {
    50: (4846, [2879, 1363, 604], 6, 4),
    66: (4217, [2535, 1168, 514], 6, 0),
    75: (3453, [2146, 887, 420], 5, 0),
    100: (2264, [1391, 570, 303], 5, 0),
}
FILES = {50: "50Agree", 66: "66Agree", 75: "75Agree", 100: "AllAgree"}


def read(source, **settings):
    return read_source(DataSettings(source=str(source), **settings))


def counts_by_label(ingestion):
    counts = ingestion.accepted["label"].value_counts()
    return [counts["neutral"], counts["positive"], counts["negative"]]


@pytest.fixture(scope="session")
def unpacked(fpb_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(fpb_folder / ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("agreement", PUBLISHED)
def test_the_archive_gives_the_published_counts(fpb_folder, agreement):
    rows, by_label, _, _ = PUBLISHED[agreement]
    ingestion = read(fpb_folder / ARCHIVE, agreement=agreement, duplicates="keep")
    assert (ingestion.kind, ingestion.encoding) == ("financial-phrasebank zip", "iso-8859-1")
    assert ingestion.rows_read == len(ingestion.accepted) == rows
    assert counts_by_label(ingestion) == by_label


@pytest.mark.parametrize("agreement", PUBLISHED)
def test_merging_accounts_for_every_row_of_the_archive(fpb_folder, agreement):
    rows, _, merged, conflicting = PUBLISHED[agreement]
    ingestion = read(fpb_folder / ARCHIVE, agreement=agreement)
    assert ingestion.rows_merged == merged
    assert len(ingestion.rejected) == conflicting
    assert ingestion.rejected["reason"].str.startswith("the same text is also labelled").all()
    assert len(ingestion.accepted) + merged + conflicting == ingestion.rows_read == rows


def test_the_kaggle_copy_has_the_rows_of_the_archive_in_their_order(fpb_folder):
    copy = read(fpb_folder / "all-data.csv", duplicates="keep")
    original = read(fpb_folder / ARCHIVE, duplicates="keep")
    assert (copy.kind, copy.encoding, copy.rows_read) == ("csv", "cp1252", 4846)
    assert counts_by_label(copy) == [2879, 1363, 604]
    assert list(copy.accepted["label"]) == list(original.accepted["label"])
    assert (copy.accepted["text"] != original.accepted["text"]).sum() == 111


@pytest.mark.slow
@pytest.mark.parametrize("agreement", FILES)
def test_archive_folder_and_file_give_the_same_snapshot(fpb_folder, unpacked, agreement):
    file = unpacked / "FinancialPhraseBank-v1.0" / f"Sentences_{FILES[agreement]}.txt"
    from_archive = read(fpb_folder / ARCHIVE, agreement=agreement)
    from_folder, from_file = read(unpacked, agreement=agreement), read(file)
    assert from_folder.kind == "folder of financial-phrasebank text"
    assert from_file.kind == "financial-phrasebank text"
    assert from_archive.snapshot_id == from_folder.snapshot_id == from_file.snapshot_id


def test_the_texts_are_those_of_the_file_to_the_byte(fpb_folder):
    with zipfile.ZipFile(fpb_folder / ARCHIVE) as archive:
        content = archive.read("FinancialPhraseBank-v1.0/Sentences_50Agree.txt")
    accepted = read(fpb_folder / ARCHIVE, duplicates="keep").accepted
    lines = [f"{text}@{label}\r\n" for text, label in zip(accepted["text"], accepted["label"], strict=True)]
    assert "".join(lines).encode("iso-8859-1") == content


def test_the_file_is_found_anywhere_in_an_archive_except_in_the_folder_of_macos(tmp_path):
    path = tmp_path / "renamed.dat"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/a/Sentences_AllAgree.txt", "Junk@neutral\r\n")
        archive.writestr("a/b/Sentences_AllAgree.txt", "Profit rose@positive\r\n")
    assert list(read(path, agreement=100).accepted["text"]) == ["Profit rose"]


@pytest.mark.slow
def test_each_headline_has_the_level_of_the_strictest_file_that_holds_it(fpb_folder, unpacked):
    from_archive = read(fpb_folder / ARCHIVE, duplicates="keep").accepted
    counts = from_archive["agreement"].value_counts().to_dict()
    assert counts == {100: 2264, 75: 3453 - 2264, 66: 4217 - 3453, 50: 4846 - 4217}
    from_folder = read(unpacked, duplicates="keep").accepted
    assert from_folder["agreement"].tolist() == from_archive["agreement"].tolist()
    file = unpacked / "FinancialPhraseBank-v1.0" / "Sentences_66Agree.txt"
    assert set(read(file, duplicates="keep").accepted["agreement"]) == {66}
    assert read(fpb_folder / "all-data.csv").accepted["agreement"].isna().all()


def test_a_headline_has_the_highest_level_that_a_copy_of_it_reached(tmp_path):
    for level, lines in {"66": "Profit rose@positive\nProfit  rose@positive\n", "75": "Profit rose@positive\n"}.items():
        (tmp_path / f"Sentences_{level}Agree.txt").write_text(lines)
    assert list(read(tmp_path, agreement=66).accepted["agreement"]) == [75]


@pytest.mark.slow
@pytest.mark.parametrize("agreement", FILES)
def test_each_file_accounts_for_every_row(unpacked, agreement):
    rows, by_label, merged, conflicting = PUBLISHED[agreement]
    file = unpacked / "FinancialPhraseBank-v1.0" / f"Sentences_{FILES[agreement]}.txt"
    assert counts_by_label(read(file, duplicates="keep")) == by_label
    ingestion = read(file)
    assert (ingestion.rows_read, ingestion.rows_merged, len(ingestion.rejected)) == (rows, merged, conflicting)
    assert len(ingestion.accepted) == rows - merged - conflicting
