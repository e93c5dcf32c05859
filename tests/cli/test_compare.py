"""`fintone compare`: two cells on the same headlines, told to a person or a program, whatever the headlines say."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from learning.study.comparison import compare, compare_all
from schemas.label import LABELS
from storage.cells import CellRecord, add_cells
from storage.comparisons import load_runs, save_comparisons
from storage.evaluations import EvaluationRecord, save_evaluations
from storage.query import query
from storage.studies import StudyRecord, save_study
from storage.warehouse import writing

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]

N = 60
LABEL_NUMBERS = np.arange(N) % 3
CELLS = {
    "aaaa11112222": ("fine-tuned", "tiny-llama", 2e-4, 3, 42),
    "bbbb11112222": ("fine-tuned", "tiny-llama", 2e-6, 1, 42),
    "5555aaaabbbb": ("baseline", "TF-IDF + linear SVM", None, None, None),
    "5555ccccdddd": ("baseline", "majority class", None, None, None),
}
TUNED, WEAK, SVM, MAJORITY = CELLS
STEERING = "\x1b[31mProfit\x1b[0m [bold]rose[/bold] .\u202e"


def err(*spans: tuple[int, int]) -> np.ndarray:
    """Predictions that are wrong on these spans of headlines and right elsewhere."""
    wrong = np.zeros(N, dtype=bool)
    for start, end in spans:
        wrong[start:end] = True
    return np.where(wrong, (LABEL_NUMBERS + 1) % 3, LABEL_NUMBERS)


def add_evaluations(warehouse: Path, cell_id: str, runs: dict[float | None, np.ndarray], **changes: Any) -> None:
    """Evaluate a cell on test headlines; figures of the leaderboard are of no matter here."""
    records, frames = [], []
    for temperature, predicted in runs.items():
        fields = dict.fromkeys(EvaluationRecord.__dataclass_fields__, 0.5)
        sampling = {"top_k": None, "top_p": None, "draw_seed": None}
        identity = {
            "evaluation_id": f"{cell_id} at {temperature} {changes.get('part', 'test')}",
            "cell_id": cell_id,
            "split_id": "split",
            "part": "test",
            "temperature": temperature,
            "decoding_id": None if temperature is None else "all",
            "n": len(predicted),
        }
        records.append(EvaluationRecord(**(fields | sampling | identity | changes)))
        first = changes.get("first", 0)
        rows = {
            "evaluation_id": identity["evaluation_id"],
            "headline_id": [f"{number:016x}" for number in range(first, first + len(predicted))],
            "predicted": [LABELS[number].value for number in predicted],
        }
        frames.append(pd.DataFrame(rows | dict.fromkeys(("p_negative", "p_neutral", "p_positive", "p_unparsed"), 0.25)))
    save_evaluations(warehouse, records, pd.concat(frames))


def add_study(warehouse: Path, study_id: str, cells: dict[str, tuple[Any, ...]], split_id: str = "split") -> None:
    fields = {"snapshot_id": "snapshot", "split_id": split_id}
    study = {"profile": "desk", "base_model": "tiny-llama", "base_revision": None, "source": "news.csv"}
    rest = {"synthetic": False, "config": {}, "temperatures": (0.1, 1.0), "decoding_id": "all"}
    save_study(warehouse, StudyRecord(study_id=study_id, **study, **fields, **rest))
    names = ("kind", "model", "learning_rate", "epochs", "seed")
    records = [
        CellRecord(
            cell_id=cell_id, name=name_cell(*cell), hyperparameters={}, **fields, **dict(zip(names, cell, strict=True))
        )
        for cell_id, cell in cells.items()
    ]
    add_cells(warehouse, study_id, records)


def name_cell(kind: str, model: str, learning_rate: float | None, epochs: int | None, seed: int | None) -> str:
    return f"{kind}: {model}" if learning_rate is None else f"lr={learning_rate:g} epochs={epochs} seed={seed}"


def compare_study(warehouse: Path, study_id: str) -> None:
    """What the task `compare cells` does, without Prefect."""
    labels, runs = load_runs(warehouse, study_id, "test")
    rows = [
        {"temperature": own[1] or other[1], "cell_id": own[0], "other_cell_id": other[0], **asdict(compared)}
        for own, other, compared in compare_all(labels, runs)
    ]
    save_comparisons(warehouse, study_id, "test", pd.DataFrame(rows))


@pytest.fixture(scope="module")
def compared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two fine-tunes and two baselines on 60 headlines, the first of which would steer a terminal."""
    headlines = pd.DataFrame(
        {
            "headline_id": [f"{number:016x}" for number in range(N)],
            "text": [STEERING, *(f"Sales of firm {number} rose ." for number in range(1, N))],
            "label": [LABELS[number].value for number in LABEL_NUMBERS],
            "first_ingest_id": "ingest",
        }
    )
    warehouse = Path(shutil.copy(prepared, tmp_path_factory.mktemp("compared")))
    with writing(warehouse) as connection:
        connection.register("incoming", headlines)
        connection.execute("INSERT INTO headlines BY NAME FROM incoming")
    add_study(warehouse, "study", CELLS)
    add_evaluations(warehouse, TUNED, {0.1: err((58, 60)), 1.0: err((0, 20))})
    add_evaluations(warehouse, WEAK, {0.1: err((0, 40)), 1.0: err((0, 21))})
    add_evaluations(warehouse, SVM, {None: err((0, 20))})
    add_evaluations(warehouse, MAJORITY, {None: np.ones(N, dtype=np.int64)})
    compare_study(warehouse, "study")
    return warehouse


@pytest.fixture
def study(warehouse: Path, compared: Path) -> Path:
    return Path(shutil.copy(compared, warehouse))


def squeeze(text: str) -> str:
    return " ".join(text.split())


def test_a_person_reads_which_is_better_at_each_temperature_and_how_sure_that_is(fintone: Run, study: Path) -> None:
    code, out, error = fintone("compare", "aaaa", "5555aaaabbbb")
    assert (code, error) == (0, "")
    text = squeeze(out)
    assert text.startswith(f"A lr=0.0002 epochs=3 seed=42 (cell {TUNED}) B baseline: TF-IDF + linear SVM (cell {SVM})")
    assert "headlines 60 test headlines of study study temperature 0.1 accuracy A .967, B .667, +.300 [." in text
    assert "only one right A on 20, B on 2 of 60 headlines McNemar p<.001, p<.001 after Holm's correction" in text
    assert re.search(
        r"verdict A beats B: \+\.300 \[\.\d{3}, \.\d{3}\], p<\.001 after Holm's correction for 11 comp", text
    )
    assert "baseline A beats the best baseline, TF-IDF + linear SVM: +.300 [" in text
    none = "no interval: fewer than 3 headlines tell the two apart"
    assert f"temperature 1 accuracy A .667, B .667, 0 ({none}) macro-F1 0 ({none})" in text
    assert f"verdict no difference beyond noise: 0 ({none}), p=1.000 after Holm's correction for 11 comparisons" in text
    assert f"A is no better than the best baseline, TF-IDF + linear SVM, beyond noise: 0 ({none})" in text


def test_the_better_one_is_named_in_either_order(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "bbbb", "aaaa", "--temperature", "0.1")
    text = squeeze(out)
    assert "accuracy A .333, B .967, -.633 [-." in text
    assert "verdict B beats A: +.633 [." in text
    assert "baseline A is worse than the best baseline, TF-IDF + linear SVM: -.333 [-." in text
    assert "baseline B beats the best baseline" in text
    assert "temperature 1 " not in text


def test_flipped_headlines_steer_no_terminal(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "aaaa", "5555aaaabbbb", "--flips", "3")
    assert all(line.isprintable() for line in out.splitlines())
    flips = squeeze(out).partition("flipped 22 headlines at temperature 0.1, 3 of them here ")[2]
    assert flips.startswith(
        "A right negative (A negative, B neutral): \\x1b[31mProfit\\x1b[0m [bold]rose[/bold] .\\u202e"
        " B right neutral (A positive, B neutral): Sales of firm 58 rose . A right neutral"
    )


def test_the_query_at_the_end_gives_all_flips(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "aaaa", "5555aaaabbbb")
    [sql] = re.findall(r'^  fintone sql "(.*)"$', out, flags=re.MULTILINE)
    rows = query(study, sql).rows
    assert [row[0] for row in rows] == [0.1] * 22
    code, told, _ = fintone("sql", sql)
    assert code == 0
    assert told.endswith("(22 rows)\n")


def test_a_program_reads_every_digit(fintone: Run, study: Path) -> None:
    code, out, _ = fintone("compare", "aaaa", "bbbb", "--format", "json", "--flips", "1")
    told = json.loads(out)
    assert code == 0
    assert (told["cell"]["cell_id"], told["other_cell"]["learning_rate"], told["part"]) == (TUNED, 2e-6, "test")
    first, second = told["comparisons"]
    own, other = err((58, 60)), err((0, 40))
    figures = asdict(compare(LABEL_NUMBERS, own, other))
    assert {name: first[name] for name in figures} == figures
    assert (first["temperature"], second["temperature"], first["flipped"], first["pairs"]) == (0.1, 1.0, 42, 11)
    assert first["flips"][0]["text"] == STEERING
    assert first["verdict"].startswith("lr=0.0002 epochs=3 seed=42 beats lr=2e-06 epochs=1 seed=42: +.633 [")
    assert first["baseline_verdict"]["beats_baseline"]
    assert not first["other_baseline_verdict"]["beats_baseline"]
    assert len(query(study, told["query"]).rows) == 43


def test_the_figures_are_those_of_the_view(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "5555aaaabbbb", "aaaa", "--format", "json")
    told = {each["temperature"]: each for each in json.loads(out)["comparisons"]}
    where = f"cell_id = '{SVM}' AND other_cell_id = '{TUNED}'"
    viewed = query(study, f"SELECT * FROM comparisons WHERE {where}")
    names = ("accuracy", "difference", "difference_low", "macro_f1_difference_high", "only_right", "p_value", "p_holm")
    for row in viewed.rows:
        values = dict(zip(viewed.columns, row, strict=True))
        assert {name: told[values["temperature"]][name] for name in names} == pytest.approx(
            {name: values[name] for name in names}
        )


def test_an_answer_may_go_to_a_file(fintone: Run, study: Path) -> None:
    assert fintone("compare", "aaaa", "bbbb", "--output", "answer.txt") == (0, "", "")
    assert Path("answer.txt").read_text().startswith("A  ")
    assert fintone("compare", "aaaa", "bbbb", "--format", "json", "--output", "answer.json") == (0, "", "")
    assert json.loads(Path("answer.json").read_text())["part"] == "test"


@pytest.mark.parametrize("width", [30, 60])
def test_a_narrow_terminal_loses_nothing(
    fintone: Run, study: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from cli.output import console

    wide = squeeze(fintone("compare", "aaaa", "bbbb")[1])
    monkeypatch.setattr(console.stdout, "_width", width)
    _, out, _ = fintone("compare", "aaaa", "bbbb")
    assert max(len(line) for line in out.splitlines() if "fintone sql" not in line) <= width
    assert sorted(squeeze(out).replace(" ", "")) == sorted(wide.replace(" ", ""))


def test_two_baselines_are_compared_without_a_temperature(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "5555a", "5555c")
    text = squeeze(out)
    assert "temperature none: neither cell samples accuracy A .667, B .333" in text
    assert "after Holm's correction for 11 comparisons" in text
    assert "best baseline" not in text


def test_validation_is_told_apart_from_test(fintone: Run, study: Path) -> None:
    for cell_id, wrong in ((TUNED, (0, 1)), (WEAK, (1, 40))):
        add_evaluations(study, cell_id, {0.1: err(wrong)}, part="validation")
    _, out, _ = fintone("compare", "aaaa", "bbbb", "--part", "validation")
    text = squeeze(out)
    assert "note validation chose between the cells and flatters its choice; test judges" in text
    assert "only one right A on 39, B on 1 of 60 headlines McNemar p<.001 verdict A beats B" in text
    assert "p<.001, not corrected" in text
    assert "baseline" not in text


@pytest.fixture
def renewed(study: Path) -> Path:
    """A second study on another split, with two thirds of the headlines and another way of sampling."""
    cells = {"cccc11112222": ("fine-tuned", "tiny-llama", 2e-4, 3, 42)}
    add_study(study, "later", cells, split_id="renewed split")
    with writing(study) as connection:
        connection.execute("UPDATE studies SET decoding_id = 'top-1' WHERE study_id = 'later'")
    predicted = err((0, 30))[20:]
    add_evaluations(study, "cccc11112222", {0.1: predicted}, split_id="renewed split", decoding_id="top-1")
    with writing(study) as connection:
        connection.execute(
            "UPDATE ledger.predictions SET headline_id = format('{:016x}', ('0x' || headline_id)::BIGINT + 20)"
            " WHERE evaluation_id LIKE 'cccc%'"
        )
    return study


def test_cells_of_two_studies_are_compared_on_what_both_saw(fintone: Run, renewed: Path) -> None:
    code, out, error = fintone("compare", "cccc", "aaaa", "--flips", "1")
    assert (code, error) == (0, "")
    text = squeeze(out)
    assert "40 test headlines that both answered: 40 of A in study later, 60 of B in study" in text
    assert "note no study has both cells, so p is for this pair only" in text
    assert "note the two were not sampled with the same top-k, top-p and seed" in text
    assert "only one right A on 2, B on 10 of 40 headlines McNemar p=.039 verdict B beats A: +.200 [." in text
    assert "p=.039, not corrected" in text
    assert "baseline B beats the best baseline" in text
    [sql] = re.findall(r'^  fintone sql "(.*)"$', out, flags=re.MULTILINE)
    assert len(query(renewed, sql).rows) == 12


def test_cells_of_one_name_are_told_apart_by_their_ids(fintone: Run, renewed: Path) -> None:
    _, out, _ = fintone("compare", "cccc", "aaaa", "--format", "json")
    assert json.loads(out)["comparisons"][0]["verdict"].startswith(f"{TUNED} beats cccc11112222: +.200 [")


def test_a_study_without_comparisons_says_so(fintone: Run, study: Path) -> None:
    with writing(study) as connection:
        connection.execute("DELETE FROM ledger.comparisons")
    _, out, _ = fintone("compare", "aaaa", "5555a")
    text = squeeze(out)
    assert "note study study has no comparisons yet, so p is for this pair only; `fintone run` finishes it" in text
    assert "p<.001, not corrected" in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["aaaa", "aaaa1"], f"cell {TUNED}: is on both sides; give two cells"),
        (["aaaa", "zzzz"], "cell zzzz: not in the warehouse; `fintone list cells`"),
        (["aaaa", "5555"], f"cell 5555: 2 ids start with it ({SVM}, {MAJORITY}); give more characters"),
        (["aaa", "bbbb"], "cell 'aaa': give its id, or the first 4 characters or more"),
        (["aaaa", "bbbb", "--temperature", "3"], "temperature 3: the two cells share 0.1, 1"),
        (["5555a", "5555c", "--temperature", "1"], "temperature 1: the two cells share none, as neither samples"),
        (["aaaa", "bbbb", "--part", "validation"], f"cell {TUNED}: no evaluation on validation yet"),
        (["aaaa", "bbbb", "--part", "train"], "'train' is not one of 'validation', 'test'"),
        (["aaaa", "bbbb", "--flips", "-1"], "Invalid value for '--flips'"),
        (
            ["aaaa", "bbbb", "--output", "nowhere/answer"],
            "output nowhere/answer: cannot be written (No such file or directory)",
        ),
        (["aaaa"], "Missing argument 'other'; see fintone compare --help"),
    ],
)
def test_what_cannot_be_compared_is_one_line(refuse: Refuse, study: Path, arguments: list[str], line: str) -> None:
    assert line in refuse("compare", *arguments)


def test_a_comparison_without_a_warehouse_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    assert "does not exist; run `fintone run` first" in refuse("compare", "aaaa", "bbbb")
    assert not home.exists()
