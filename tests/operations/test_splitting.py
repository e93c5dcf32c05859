"""Long headlines, present classes and official splits on their way from a source to a saved split."""

import csv
import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from embedded.grammar import generate_headline
from learning.study.split_sizes import SplitError
from operations.intake import ingest_and_save
from operations.lengths import TooLongError
from operations.preview import check_inputs, describe_study
from operations.splitting import settle_study_split
from schemas.config import StudyConfig
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from storage.warehouse import writing
from tests.asking import ask
from tests.splitting import divide

SMALL = ("data.duplicates=merge", "split.method=hashed", "split.train_per_class=9", "split.test_per_class=5")
LONG = " and profit rose again" * 200


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    shutil.copy(prepared, tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(path: str, count: int = 90, long: tuple[int, ...] = (), labels: str = "negative neutral positive") -> None:
    random, rows = Random(3), list[tuple[str, str]]()
    while len(rows) < count:
        row = generate_headline(random)
        text = row.text + (LONG if len(rows) in long else "")
        rows += [(text, row.sentiment)] if row.sentiment in labels else []
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def configure(source: str, *assignments: str) -> StudyConfig:
    return build_config(apply_overrides(load_profile("demo"), [f"data.source={source}", *SMALL, *assignments]))


def settle(config: StudyConfig) -> tuple[str, list[str]]:
    return settle_study_split(config, ingest_and_save(config.data, lambda _: None))


def test_long_headlines_are_named_at_the_preview_and_are_in_no_part(home: Path) -> None:
    write("news.csv", long=(3, 40))
    config = configure("news.csv")
    notes = [text for subject, text in describe_study(config) if subject == "note"]
    assert notes[0].startswith("2 headlines are longer than a base model takes with prompt and label (row ")
    assert "row 4: " in notes[0]
    assert "row 41: " in notes[0]
    assert " tokens, embedded takes 512" in notes[0]
    assert notes[0].endswith("in no part of the split; data.too_long=truncate keeps the beginning")
    split, settled_notes = settle(config)
    assert settled_notes == notes[:1]
    saved = ask(
        home,
        "SELECT text LIKE '%again', bound, tokens > 512, resolution, part FROM long_headlines JOIN headlines"
        " USING (headline_id) LEFT JOIN splits USING (split_id, headline_id)",
    )
    assert saved == [(True, 512, True, "rejected", None)] * 2
    assert ask(home, f"SELECT count(*) FROM splits WHERE split_id = '{split}'") == [(88,)]
    assert settle(config) == (split, settled_notes)
    assert ask(home, "SELECT count(*) FROM long_headlines") == [(2,)]


@pytest.mark.parametrize(("count", "end"), [(3, " takes 512)"), (5, "; and 2 more)")])
def test_the_three_longest_are_named_up_to_the_share_that_may_be_rejected(count: int, end: str) -> None:
    Path("news").mkdir()
    write("news/a.csv", count=100, long=tuple(range(count)))
    config = configure("news", f"data.max_rejected={count / 100}")
    note = next(text for subject, text in describe_study(config) if subject == "note")
    assert len(re.findall(r"row \d of news/a\.csv: ", note)) == 3
    assert f"{end}: in no part of the split" in note
    with pytest.raises(TooLongError, match=f"a share of {count / 100}"):
        describe_study(configure("news", f"data.max_rejected={count / 100 - 0.001}"))


@pytest.mark.parametrize("method", ["hashed", "study"])
def test_a_split_that_fails_names_how_many_headlines_were_too_long_for_it(method: str) -> None:
    write("news.csv", count=60, long=tuple(range(40)))
    config = configure("news.csv", f"split.method={method}", "data.max_rejected=0.9")
    with pytest.raises(SplitError, match=r" \(headlines longer than a base model takes, left out: 40\)$"):
        describe_study(config)
    write("news.csv", count=30)
    with pytest.raises(SplitError, match=r"split\.test_per_class=\d+$"):
        describe_study(config)


@pytest.mark.parametrize(
    "assignments",
    [
        ["split.folds=2", "split.train_per_class=3", "split.validation_per_class=3"],
        ["split.method=temporal", "split.validation_from=2025-02-01", "split.test_from=2025-03-01"],
    ],
    ids=["folds", "by time"],
)
def test_long_headlines_are_in_no_fold_and_no_period(home: Path, assignments: list[str]) -> None:
    write("news.csv", long=(3, 40))
    head, *lines = Path("news.csv").read_text().splitlines()
    dated = [f"{line},{date(2025, 1, 1) + timedelta(days=number)}" for number, line in enumerate(lines)]
    Path("news.csv").write_text("\n".join([f"{head},date", *dated]))
    settle(configure("news.csv", *assignments))
    placed = "SELECT count(*) FILTER (text LIKE '%again'), count(*) > 50 FROM splits JOIN headlines USING (headline_id)"
    assert ask(home, placed) == [(0, True)]
    assert ask(home, "SELECT count(*) FROM long_headlines") == [(2,)]


@pytest.mark.slow
def test_a_headline_is_measured_with_the_longest_prompt_and_the_context_of_the_study() -> None:
    write("news.csv", long=(3, 40))
    head, *lines = Path("news.csv").read_text().splitlines()
    lines[40] = f"More and more: {lines[40]}"
    Path("news.csv").write_text("\n".join([f"{head},body", *(f"{line},More" for line in lines)]))
    longer = "Is this headline of a company good or bad for the price of its shares"

    def note(*assignments: str) -> str:
        return next(text for subject, text in describe_study(configure("news.csv", *assignments)) if subject == "note")

    assert note(f"grid.prompt.instruction={longer},Good or bad") == note(f"prompt.instruction={longer}")
    assert note() != note("prompt.instruction=Good or bad")
    assert "takes with prompt, context and label (row 41: " in note("data.context_column=body")  # the longest


def test_truncated_headlines_are_in_the_split_as_if_they_were_short(home: Path) -> None:
    write("news.csv", long=(3, 40))
    config = configure("news.csv", "data.too_long=truncate")
    split, notes = settle(config)
    assert notes[0].endswith("truncated to the longest beginning that the base model takes")
    assert ask(home, f"SELECT count(*) FROM splits WHERE split_id = '{split}'") == [(90,)]
    ingested = ingest_and_save(config.data, lambda _: None)
    assert split == divide(ingested, config.split, config.data.near_duplicates)
    assert ask(home, "SELECT DISTINCT resolution FROM long_headlines") == [("truncated",)]


def test_of_several_base_models_the_one_with_the_lowest_limit_decides(tmp_path: Path, tiny_folder: Path) -> None:
    write("news.csv")
    short = Path(shutil.copytree(tiny_folder, tmp_path / "short"))
    values = json.loads((short / "config.json").read_text())
    (short / "config.json").write_text(json.dumps({**values, "max_position_embeddings": 70}))
    config = configure("news.csv", "data.max_rejected=0.5", f"grid.base_model.name=embedded,{short}")
    note = next(text for subject, text in describe_study(config) if subject == "note")
    assert f"{short} takes 70" in note
    assert "embedded takes" not in note
    with pytest.raises(TooLongError, match=r"a share of 0\.\d+ where data\.max_rejected allows 0; shorten them"):
        check_inputs(configure("news.csv", "data.max_rejected=0", f"base_model.name={short}"), lambda _: None)


def test_if_every_headline_fits_the_split_has_its_earlier_id(home: Path) -> None:
    write("news.csv")
    for assignment in ("data.too_long=reject", "data.too_long=truncate", "split.classes=present"):
        config = configure("news.csv", assignment)
        assert settle(config) == ("50bb1a1d8f94", [])
    assert ask(home, "SELECT count(*) FROM long_headlines") == [(0,)]


def test_two_classes_are_split_and_counted_if_the_setting_allows_it(home: Path) -> None:
    write("news.csv", labels="negative positive")
    lines = dict(describe_study(configure("news.csv", "split.classes=present")))
    assert lines["data"].startswith("news.csv: train 18 (9 negative, 9 positive); validation ")
    assert "test 10 (5 negative, 5 positive)" in lines["data"]
    assert "27 steps in all" in lines["training"]  # three batches an epoch, three learning rates, 3 epochs at most
    split, _ = settle(configure("news.csv", "split.classes=present"))
    assert ask(
        home,
        f"SELECT DISTINCT label FROM splits JOIN headlines USING (headline_id) WHERE split_id = '{split}' ORDER BY 1",
    ) == [("negative",), ("positive",)]


def test_the_id_of_an_official_split_depends_only_on_its_content(home: Path) -> None:
    write("all.csv")
    lines = Path("all.csv").read_text().splitlines()
    Path("off/data").mkdir(parents=True)
    for name, rows in (("train", lines[1:51]), ("dev", lines[51:70]), ("test", lines[70:])):
        Path(f"off/data/{name}-0.csv").write_text("\n".join([lines[0], *rows]))
    marked = [*(f"{line},train" for line in lines[1:51]), *(f"{line},val" for line in lines[51:70])]
    Path("marked.csv").write_text("\n".join(["text,label,fold", *marked, *(f"{line},Test" for line in lines[70:])]))
    first, _ = settle(configure("off", "split.method=given"))
    second, _ = settle(configure("marked.csv", "split.method=given", "data.split_column=fold", "split.seed=7"))
    assert first == second
    assert ask(home, "SELECT part, count(*) FROM splits GROUP BY part ORDER BY part") == [
        ("test", 21),
        ("train", 50),
        ("validation", 19),
    ]
    with writing(home / "warehouse.duckdb") as connection:  # as an older version left it
        connection.execute("DELETE FROM given_parts")
    assert settle(configure("off", "split.method=given")) == (first, [])


@pytest.mark.slow
def test_copies_across_an_official_split_are_reported(home: Path) -> None:
    write("all.csv")
    lines = Path("all.csv").read_text().splitlines()
    Path("off").mkdir()
    for name, rows in (("train", lines[1:51]), ("dev", lines[51:70]), ("test", [*lines[70:], *lines[1:4]])):
        Path(f"off/{name}.csv").write_text("\n".join([lines[0], *rows]))
    config = configure("off", "split.method=given")
    note = (
        "the source's own split: 3 train headlines are copies or near copies of headlines in another part, and "
        "therefore in no part; test stays whole"
    )
    assert ("note", note) in describe_study(config)
    assert settle(config)[1] == [note]
    assert ask(home, "SELECT count(*) FROM splits WHERE part = 'test'") == [(24,)]
    train = Path("off/train.csv")
    train.write_text(f"{train.read_text()}\nOrlo rose{LONG},positive\n")
    [long, moved] = settle(config)[1]
    assert (long.startswith("1 headline is longer"), moved) == (True, note)  # one in no part for another reason
    assert ask(home, "SELECT coalesce(sum(in_test), 0) FROM split_leaks WHERE in_train > 0") == [(0,)]
