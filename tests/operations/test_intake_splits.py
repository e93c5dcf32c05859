"""From a source to parts, through a real warehouse: the paper's split, near copies, and a corrected label."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from learning.study.split import count_leaks
from operations.intake import find_headlines, ingest_and_save
from operations.splitting import draw_parts
from schemas.label import LABELS
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings
from schemas.split import SplitSettings
from storage.splits import load_leaks
from storage.warehouse import writing
from tests.asking import ask
from tests.operations.labelled_sources import decorate, reword, stock, texts_of, write
from tests.splitting import divide

pytestmark = pytest.mark.usefixtures("new_home")

SPLIT = SplitSettings(method="hashed", train_per_class=2, test_per_class=2)


def test_the_papers_split_of_the_kaggle_copy_is_the_notebooks_headline_for_headline(
    new_home: Path, fpb_folder: Path
) -> None:
    source = fpb_folder / "all-data.csv"
    values = load_profile("paper")
    config = build_config({**values, "data": {**values["data"], "source": str(source)}})
    ingested = ingest_and_save(config.data, lambda _: None)
    found = texts_of(new_home, divide(ingested, config.split, config.data.near_duplicates))

    frame = pd.read_csv(source, names=["label", "text"], encoding="cp1252", lineterminator="\r")
    assert len(frame) == 4846
    expected: dict[str, Counter[tuple[str, str]]] = {"train": Counter(), "test": Counter()}
    for label in LABELS:
        of_label = frame[frame["label"] == label]
        for part, rows in zip(
            ("train", "test"), train_test_split(of_label, train_size=300, test_size=300, random_state=42), strict=True
        ):
            expected[part].update(zip(rows["text"].str.strip(), rows["label"], strict=True))
    assert {part: found[part].total() for part in found} == {"train": 900, "test": 900, "validation": 3046}
    assert {part: found[part] for part in expected} == expected


def test_near_copies_that_come_without_their_original_stay_on_its_side(new_home: Path, tmp_path: Path) -> None:
    rows = stock(0, 30)
    first = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "a.csv", rows), print), SPLIT, "reworded"))
    later = [*((reword(text), label) for text, label in rows), *stock(30, 60)]
    second = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "b.csv", later), print), SPLIT, "reworded"))
    judged = {reword(text) for text, _ in first["test"]}
    learned = {reword(text) for part in ("train", "validation") for text, _ in first[part]}
    assert len(judged) == 6
    assert not judged & {text for part in ("train", "validation") for text, _ in second[part]}
    assert not learned & {text for text, _ in second["test"]}
    assert learned & {text for text, _ in second["train"]} or learned & {text for text, _ in second["validation"]}


def test_a_reworded_headline_may_be_on_either_side_if_it_counts_as_no_near_copy(new_home: Path, tmp_path: Path) -> None:
    rows = stock(0, 30)
    first = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "a.csv", rows), print), SPLIT, "numbers"))
    later = write(tmp_path / "b.csv", [(reword(text), label) for text, label in rows])
    second = texts_of(
        new_home,
        divide(ingest_and_save(later.model_copy(update={"near_duplicates": "numbers"}), print), SPLIT, "numbers"),
    )
    judged = {reword(text) for text, _ in first["test"]}
    assert judged & {text for part in ("train", "validation") for text, _ in second[part]}


@pytest.mark.parametrize("near", ["numbers", "reworded"])
def test_posts_of_one_headline_are_never_on_both_sides_of_a_split(new_home: Path, tmp_path: Path, near: str) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(rows)]
    data = write(tmp_path / "a.csv", [*rows, *posts]).model_copy(update={"near_duplicates": near})
    parts = texts_of(new_home, divide(ingest_and_save(data, print), SPLIT, near))
    part_of = {text: part for part, texts in parts.items() for text, _ in texts}
    pairs = {(part_of.get(text), part_of.get(post)) for (text, _), (post, _) in zip(rows, posts, strict=True)}
    assert {one for one, other in pairs if one and other and one != other} == set()
    warehouse = new_home / "warehouse.duckdb"
    assert ask(warehouse, "SELECT * FROM split_leaks") == []
    assert ask(warehouse, "SELECT DISTINCT kind FROM near_copies") == [("links",)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_leaks_are_counted_the_same_before_and_after_a_split_is_saved(
    new_home: Path, tmp_path: Path, seed: int
) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(rows)]
    data = write(tmp_path / "a.csv", [*rows, *posts])
    split = SplitSettings(method="study", train_per_class=10, test_per_class=6, seed=seed)
    ingested, headlines = ingest_and_save(data, print), find_headlines(data)
    group_of = dict(zip(headlines["headline_id"], headlines["group_id"], strict=True))
    before = count_leaks(group_of, draw_parts(headlines, split, "reworded"))
    assert 0 < before < 18
    assert load_leaks(new_home / "warehouse.duckdb", divide(ingested, split, "reworded")) == before


def forget_masks(home: Path) -> None:
    """Remove the masks, as a migration of an older warehouse leaves it."""
    with writing(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE headlines SET masked_id = NULL WHERE regexp_matches(text, 'RT|[@#/]')")


def test_headlines_of_an_older_warehouse_are_near_copies_of_new_ones(new_home: Path, tmp_path: Path) -> None:
    rows = stock(0, 30)
    posts = [(decorate(text, 2 * number), label) for number, (text, label) in enumerate(rows)]
    first = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "a.csv", posts), print), SPLIT, "numbers"))
    forget_masks(new_home)
    later = [*rows, *stock(30, 60)]
    second = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "b.csv", later), print), SPLIT, "numbers"))
    post_of = {text: post for (text, _), (post, _) in zip(rows, posts, strict=True)}
    judged = {post for post, _ in first["test"]}
    assert judged
    assert not [text for part in ("train", "validation") for text, _ in second[part] if post_of.get(text) in judged]
    together = (
        "SELECT count(*) FROM (SELECT masked_id FROM headlines GROUP BY masked_id HAVING count(*) = 2)"
        " WHERE masked_id IS NOT NULL"
    )
    assert ask(new_home, together) == [(30,)]


@pytest.mark.parametrize("name", ["a.csv", "b.csv"])
def test_an_ingestion_fills_in_the_masks_that_an_upgrade_left_out(new_home: Path, tmp_path: Path, name: str) -> None:
    posts = [(decorate(text, number), label) for number, (text, label) in enumerate(stock(0, 6))]
    query = "SELECT text, text_id, masked_id FROM headlines ORDER BY text"
    ingest_and_save(write(tmp_path / "a.csv", posts), print)
    complete = ask(new_home, query)
    forget_masks(new_home)
    assert ask(new_home, query) != complete
    ingest_and_save(write(tmp_path / name, posts), print)
    assert ask(new_home, query) == complete


@pytest.mark.parametrize("seed", [42, 7])
def test_a_corrected_label_stays_in_test(new_home: Path, tmp_path: Path, seed: int) -> None:
    rows, split = stock(0, 24), SPLIT.model_copy(update={"seed": seed})
    first = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "a.csv", rows), print), split, "reworded"))
    corrected = next(text for text, label in first["test"] if label == "positive")
    later = [(text, "neutral" if text == corrected else label) for text, label in rows]
    smaller = split.model_copy(update={"test_per_class": 1})
    second = texts_of(new_home, divide(ingest_and_save(write(tmp_path / "a.csv", later), print), smaller, "reworded"))
    assert second["test"][corrected, "neutral"] == 1
    assert set(first["test"]) - {(corrected, "positive")} <= set(second["test"])


def test_rows_in_another_order_are_split_the_same_by_the_studys_method(tmp_path: Path, monkeypatch) -> None:
    rows = [f"Headline {number} of {word},{label}" for number, word in enumerate("abcdefgh") for label in LABELS]
    split = SplitSettings(method="study", train_per_class=3, test_per_class=3)
    drawn = []
    for name, order in (("one", rows), ("other", rows[::-1])):
        monkeypatch.setenv("FINTONE_HOME", str(tmp_path / name))
        source = tmp_path / f"{name}.csv"
        source.write_text("\n".join(["text,label", *order]))
        data = DataSettings(source=str(source), conflicts="keep", near_duplicates="numbers")
        drawn.append(texts_of(tmp_path / name, divide(ingest_and_save(data, lambda _: None), split, "numbers")))
    assert drawn[0] == drawn[1]
