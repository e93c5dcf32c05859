"""A user's own headlines under the demo get the desk's rules for copies, and copies in test are always reported."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cli import run as command
from cli.own_data import find_rules
from embedded.grammar import generate_headline
from schemas.config import StudyConfig

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "split.train_per_class=3", "--set", "split.test_per_class=3")
KEPT = ("--set", "data.duplicates=keep", "--set", "split.method=study")


def write(name: str, texts: int, times: int) -> None:
    """Write a CSV with this many texts of each label, each repeated this many times."""
    random, rows, counts = Random(1), [], dict.fromkeys(("negative", "neutral", "positive"), 0)
    while min(counts.values()) < texts:
        headline = generate_headline(random)
        if counts[headline.sentiment] < texts:
            counts[headline.sentiment] += 1
            rows += [(headline.text, headline.sentiment)] * times
    random.shuffle(rows)
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def planned(fintone: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., StudyConfig]:
    """Runs `fintone run` up to where the study would start, and returns its settings."""
    seen: list[StudyConfig] = []
    monkeypatch.setattr(command, "run_study", lambda config, notes: seen.append(config))

    def plan(*arguments: str) -> StudyConfig:
        assert fintone("run", *arguments)[0] == 0
        return seen[-1]

    return plan


@pytest.mark.parametrize("profile", [(), ("--profile", "demo")])
def test_copies_of_own_headlines_are_merged_and_kept_out_of_test(
    planned: Callable[..., StudyConfig], profile: tuple[str, ...]
) -> None:
    config = planned(*profile, "--data", "news.csv")
    assert (config.data.duplicates, config.split.method) == ("merge", "hashed")
    config = planned(*profile, "--set", "data.source=news.csv", *KEPT[:2])
    assert (config.data.duplicates, config.split.method) == ("keep", "hashed")
    config = planned(*profile, "--data", "news.csv", *KEPT)
    assert (config.data.duplicates, config.split.method) == ("keep", "study")


def test_a_named_profile_and_the_studys_own_data_keep_their_rules(planned: Callable[..., StudyConfig]) -> None:
    Path("bank").mkdir()
    Path("bank/Sentences_50Agree.txt").write_text("Profit rose@positive\n")
    shutil.make_archive("archive", "zip", "bank")
    sources = ("bank", "bank/Sentences_50Agree.txt", "archive.zip", "embedded")
    for arguments in ((), *(("--data", source) for source in sources), ("--profile", "paper", "--data", "news.csv")):
        config = planned(*arguments)
        assert (config.data.duplicates, config.split.method) == ("keep", "study")


def test_a_source_that_cannot_be_read_counts_as_the_users_own(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    for source in (broken, tmp_path / "nowhere", "/dev/null", "x" * 300, "a\0b", "~nobody/x"):
        assert len(find_rules("demo", [f"data.source={source}"])) == 2


def test_copies_of_a_few_texts_are_not_enough_for_a_study(fintone: Run) -> None:
    write("few.csv", texts=4, times=20)
    code, _, err = fintone("run", "--data", "few.csv", *SMALL, "--dry-run")
    assert code == 2
    assert "7 negative headlines are needed and 4 are there, 7 neutral and 4, 7 positive and 4 (copies aside;" in err
    assert "or use --set split.train_per_class=2 --set split.test_per_class=1" in err


def test_the_preview_shows_how_many_test_headlines_are_in_train(fintone: Run) -> None:
    write("few.csv", texts=4, times=20)
    code, out, _ = fintone("run", "--data", "few.csv", *SMALL, *KEPT, "--dry-run")
    found = re.search(r"(\d+) of 9 test headlines have near copies in train", flat(out))
    assert code == 0
    assert found
    assert int(found[1]) > 0
    code, out, _ = fintone(
        "run", "--profile", "paper", "--data", "few.csv", "--base-model", "embedded", *SMALL, "--dry-run"
    )
    assert re.search(r"\d of 9 test headlines ha", flat(out))


def test_the_preview_shows_the_rules_for_own_headlines_and_no_leak(fintone: Run) -> None:
    write("many.csv", texts=30, times=2)
    code, out, _ = fintone("run", "--data", "many.csv", *SMALL, "--dry-run")
    assert code == 0
    assert "note own headlines: data.duplicates=merge and split.method=hashed, as in the profile desk" in flat(out)
    assert "near copies in train, which" not in flat(out)
