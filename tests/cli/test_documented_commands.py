"""The commands of README and docs, run as printed: a study, then each command on its results; names are filled in."""

import csv
import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from embedded.grammar import generate_headline
from tests.asking import ask

Run = Callable[..., tuple[int, str, str]]

BASH = shutil.which("bash")
ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
WORDS = {"positive": "bullish", "neutral": "flat", "negative": "bearish"}
SCORES = {"positive": 0.7, "neutral": 0.0, "negative": -0.7}

ELSEWHERE = {
    "fintone sql": "in the tests of printed queries",
    "hf:ORG/NAME": "needs the hub",
    "ORG/NAME@REVISION": "needs the hub",
    "--profile paper": "needs the hub",
    "FinancialPhraseBank": "in the tests of ingestion, which skip where it is absent",
    "--prices prices.csv": "in the tests of fintone market",
    "demo/": "in the tests of fintone market",
    "runner.kind=ray": "in the tests of the Ray runner",
}
"""Parts of lines that this test does not run, and where they are tested or why not."""
STUDY = (
    "fintone run --profile desk --data headlines.csv --base-model path/to/a/model --learning-rates 2e-4 --epochs 1,2"
)
SMALLER = (
    "split.train_per_class=16",
    "split.test_per_class=10",
    "split.validation_per_class=5",
    "lora.r=4",
    "promotion.min_accuracy=0",
    "promotion.max_unparsed_rate=1",
    "promotion.beat_baseline=false",
    "data.near_duplicates=numbers",
    "data.label_map='{bullish: positive, flat: neutral, bearish: negative}'",
)
"""With these settings the documented study takes seconds and every cell passes its gate."""


def make_smaller(line: str) -> str:
    """The line with the settings of `SMALLER` that it does not give itself."""
    added = (setting for setting in SMALLER if setting.partition("=")[0] + "=" not in line)
    return " ".join([line, *(f"--set {setting}" for setting in added)])


def find_lines() -> list[str]:
    """The lines that call fintone, each once and in order, without those that are tested elsewhere."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    lines = re.findall(r"^ {4}((?:.*\| )?fintone .+)$", text, flags=re.MULTILINE)
    return [line for line in dict.fromkeys(lines) if not any(word in line for word in ELSEWHERE)]


@pytest.fixture
def folder(home: Path) -> Path:
    """The working folder, with the files that the lines name."""
    random, folder = Random(6), Path.cwd()
    rows = [generate_headline(random) for _ in range(450)]
    own_words = [(row.text, WORDS[row.sentiment]) for row in rows]
    days = (str(date(2024, 4, 1) + timedelta(days=number)) for number in range(len(rows)))
    dated_rows = [(*row, day, f"Of {day}") for row, day in zip(own_words, days, strict=True)]
    write_csv(folder / "headlines.csv", "title,label,date,background", dated_rows)
    write_csv(
        folder / "this-week.csv",
        "title,label,date",
        [(*row[:1], rows[at].sentiment, row[2]) for at, row in enumerate(dated_rows)],
    )
    write_csv(folder / "labelled.csv", "title,label", own_words[:20])
    words = [*((word, label) for label, word in WORDS.items()), ("unclear", "null")]
    (folder / "words.yaml").write_text("".join(f"{word}: {label}\n" for word, label in words))
    (folder / "wire.txt").write_text("".join(f"{generate_headline(random).text}\n" for _ in range(20)))
    (folder / "news.csv.gz").write_bytes(gzip.compress((folder / "wire.txt").read_bytes()))
    nested = [{"article": {"title": row.text}, "sentiment": {"polarity": row.sentiment}} for row in rows]
    (folder / "news.json").write_text(json.dumps(nested))
    folds = [("test", "validation", "train", "train")[number % 4] for number in range(len(rows))]
    dated = [(row.text, row.sentiment, "03/24/2026 09:30", fold) for row, fold in zip(rows, folds, strict=True)]
    write_csv(folder / "news.csv", "text,label,date,fold", dated)
    write_csv(folder / "votes.csv", "text,a1,a2,a3", [(row.text, *[row.sentiment] * 3) for row in rows])
    write_csv(folder / "scores.csv", "text,label", [(row.text, SCORES[row.sentiment]) for row in rows])
    (folder / "folder").mkdir()
    for part in ("train", "validation", "test"):
        of_part = [(row.text, row.sentiment) for row, fold in zip(rows, folds, strict=True) if fold == part]
        write_csv(folder / "folder" / f"{part}.csv", "text,label", of_part)
    return folder


def write_csv(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])


def run_in_shell(line: str) -> str:
    """Run a line in a shell as a person would, and return what it wrote to standard output."""
    assert BASH
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [BASH, "--norc", "-o", "pipefail", "-c", line]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


@pytest.mark.soak
@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_every_documented_command_works(
    folder: Path, home: Path, tiny_folder: Path, fintone: Run, lasting_worker: None
) -> None:
    def run(line: str) -> str:
        if line.startswith("fintone run") or re.search(r" [|<>] ", line):  # a study has a Prefect server of its own
            return run_in_shell(line)
        code, out, err = fintone(*shlex.split(line)[1:])
        assert code == 0, f"{line}: {err}"
        return out

    lines = find_lines()
    assert STUDY in lines
    lines = [make_smaller(line) if line.startswith("fintone run") else line for line in lines]
    lines = [line.replace("path/to/a/model", str(tiny_folder)) for line in lines]
    study = next(line for line in lines if line.startswith("fintone run") and "--dry-run" not in line)
    printed = run(study)
    cells = "FROM leaderboard SELECT DISTINCT cell_id WHERE kind = 'fine-tuned' ORDER BY is_champion, cell_id"
    other, champion = [cell for (cell,) in ask(home, cells)]
    suggested = re.findall(r"^ {2}(fintone .+)$", printed, flags=re.MULTILINE)
    assert len(suggested) == 4  # a comparison and three queries
    for line in (*suggested, *lines):
        if line == study:
            continue
        filled = line.replace("CELL", other, 1).replace("CELL", champion).replace("tail -f", "cat")
        filled += " --yes" if line.startswith("fintone promote") else ""  # there is no terminal to ask on
        out = run(filled)
        assert out or "--output" in line or " > " in line, line
