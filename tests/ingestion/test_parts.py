"""An official split is read from a column or from the names of files; unknown words reject their rows."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ingestion.columns import MissingColumnError
from ingestion.ingest import Ingestion, read_source
from ingestion.parts import part_of_file, resolve_part
from ingestion.places import find_rows
from ingestion.sources import find_source
from schemas.source import DataSettings

ROWS = [
    ("Profit rose", "positive", "Train"),
    ("Profit fell", "negative", "dev"),
    ("AGM is in May", "neutral", " TEST "),
    ("Costs rose", "negative", ""),
    ("Sales rose", "positive", "holdout"),
    ("Profit rose", "positive", "test"),
]
FRAME = pd.DataFrame(ROWS, columns=["text", "label", "fold"])
WRITERS: dict[str, Callable[[Path], object]] = {
    "csv": lambda path: FRAME.to_csv(path, index=False),
    "parquet": FRAME.to_parquet,
    "xlsx": lambda path: FRAME.to_excel(path, index=False),
    "jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "json": lambda path: path.write_text(json.dumps(FRAME.to_dict("records"))),
}


def read(source: Path, **settings: object) -> Ingestion:
    return read_source(DataSettings.model_validate({"source": str(source), "max_rejected": 0.5} | settings))


def parts_of(ingestion: Ingestion) -> list[tuple[str, str]]:
    joined = ingestion.given.merge(ingestion.accepted, on="headline_id")
    return sorted(joined[["text", "part"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("ending", WRITERS)
def test_a_column_gives_parts_and_an_unknown_word_rejects_its_row(tmp_path: Path, ending: str) -> None:
    WRITERS[ending](tmp_path / f"news.{ending}")
    ingestion = read(tmp_path / f"news.{ending}", split_column="fold")
    assert parts_of(ingestion) == [
        ("AGM is in May", "test"),
        ("Profit fell", "validation"),
        ("Profit rose", "test"),
        ("Profit rose", "train"),
    ]
    assert list(ingestion.rejected[["row_number", "reason"]].itertuples(index=False, name=None)) == [
        (4, "no part of the split"),
        (5, "unknown part 'holdout' of the split"),
    ]
    assert "part of the split from 'fold'" in ingestion.columns.describe()


def test_a_column_of_a_file_without_a_header_is_named_by_its_number(tmp_path: Path) -> None:
    FRAME[:3].to_csv(tmp_path / "news.csv", index=False, header=False)
    ingestion = read(tmp_path / "news.csv", text_column="1", label_column="2", split_column="3")
    assert [part for _, part in parts_of(ingestion)] == ["test", "validation", "train"]


def test_a_missing_column_is_refused_and_a_wrong_one_rejects_every_row(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "news.csv", index=False)
    with pytest.raises(MissingColumnError, match=r"has no split column 'part', its columns are .*: name it with"):
        read(tmp_path / "news.csv", split_column="part")
    ingestion = read(tmp_path / "news.csv", split_column="label")
    assert "unknown part 'positive' of the split" in set(ingestion.rejected["reason"])
    assert ingestion.accepted.empty


def test_without_the_setting_no_row_has_a_part_and_the_ids_stay_the_same(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "news.csv", index=False)
    ingestion = read(tmp_path / "news.csv")
    assert ingestion.given.empty
    assert read(tmp_path / "news.csv", too_long="truncate").ingest_id == ingestion.ingest_id
    assert read(tmp_path / "news.csv", split_column="fold").ingest_id != ingestion.ingest_id
    assert (ingestion.ingest_id, ingestion.snapshot_id) == ("e2f107d4a6725ef0", "778b5f79256b0142")


@pytest.mark.parametrize("is_zip", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "validation.csv", "test.csv"),
        ("data/train-00000-of-00001.csv", "data/validation-00000-of-00001.csv", "data/test-00000-of-00001.csv"),
        ("train/a.csv", "dev/a.csv", "test/a.csv"),
        ("fin_train.csv", "fin_val.csv", "fin_test.csv"),
    ],
)
def test_files_that_are_named_by_parts_are_an_official_split(
    tmp_path: Path, names: tuple[str, ...], *, is_zip: bool
) -> None:
    folder, archive = tmp_path / "news", tmp_path / "news.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for row, name in enumerate(names):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            FRAME[row : row + 1].to_csv(folder / name, columns=["text", "label"], index=False)
            file.write(folder / name, name)
    ingestion = read(archive if is_zip else folder)
    assert parts_of(ingestion) == [("AGM is in May", "test"), ("Profit fell", "validation"), ("Profit rose", "train")]
    assert ingestion.rows_read == 3


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train.csv", "train"),
        ("data/Train-00000-of-00001.parquet", "train"),
        ("test/2024/news.csv", "test"),
        ("train/test.csv", "test"),
        ("train_and_test.csv", None),
        ("contest.csv", None),
        ("news.csv", None),
    ],
)
def test_the_words_of_a_file_name_give_its_part(name: str, part: str | None) -> None:
    assert part_of_file(name) == part


def test_a_file_with_another_name_is_read_again_since_its_name_gives_its_part(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    for row, name in enumerate(("more.csv", "test.csv")):
        FRAME[row : row + 1].to_csv(folder / name, columns=["text", "label"], index=False)
    first = read(folder)
    (folder / "more.csv").rename(folder / "more-train.csv")
    second = read(folder)
    assert (first.snapshot_id, first.sha256) == (second.snapshot_id, second.sha256)
    assert first.ingest_id != second.ingest_id
    assert parts_of(second) == [("Profit fell", "test"), ("Profit rose", "train")]
    (folder / "more-train.csv").rename(folder / "moves-train.csv")
    assert read(folder).ingest_id == second.ingest_id


def test_half_a_surrogate_pair_in_a_column_of_parts_costs_its_row(tmp_path: Path) -> None:
    rows = FRAME.to_dict("records")
    lines = [json.dumps(row).replace("holdout", "hold\\ud800") for row in rows]
    (tmp_path / "news.jsonl").write_text("\n".join(lines))
    ingestion = read(tmp_path / "news.jsonl", split_column="fold", max_rejected=1)
    reasons = dict(zip(ingestion.rejected["row_number"], ingestion.rejected["reason"], strict=True))
    assert reasons[5] == "half a surrogate pair, which is not Unicode"


def test_words_for_parts_are_recognised_in_any_case() -> None:
    words = ("train", "Training", "VAL", "valid", "dev", "validation", " test ", "other")
    parts = ["train", "train", *["validation"] * 4, "test", "other"]
    assert list(map(resolve_part, words)) == parts


def test_a_text_is_found_in_its_first_row_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    for name, rows in (("a.csv", FRAME[:2]), ("b.csv", FRAME[2:])):
        rows.to_csv(folder / name, index=False)
    settings = DataSettings(source=str(folder))
    accepted = read_source(settings).accepted.set_index("text")["text_id"]
    places = {"Costs rose": ("news/b.csv", 2), "Profit fell": ("news/a.csv", 2), "Profit rose": ("news/a.csv", 1)}
    wanted = {accepted[text]: place for text, place in places.items()}
    assert find_rows(find_source(settings), settings, wanted) == wanted
