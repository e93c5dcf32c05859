"""`fintone compare`: two cells on the same headlines, as text for a person or JSON for a program."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from learning.study.comparison import compare
from storage.query import query
from storage.warehouse import writing
from tests.cli.compared_cells import (
    LABEL_NUMBERS,
    STEERING,
    SVM,
    TUNED,
    WEAK,
    add_evaluations,
    add_study,
    make_compared,
    predict_except,
)

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


@pytest.fixture(scope="module")
def compared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_compared(prepared, tmp_path_factory.mktemp("compared"))


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
    no_interval = "no interval: fewer than 3 headlines tell the two apart"
    assert f"temperature 1 accuracy A .667, B .667, 0 ({no_interval}) macro-F1 0 ({no_interval})" in text
    assert (
        f"verdict no difference beyond noise: 0 ({no_interval}), p=1.000 after Holm's correction for 11 comparisons"
        in text
    )
    assert f"A is no better than the best baseline, TF-IDF + linear SVM, beyond noise: 0 ({no_interval})" in text


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
    code, answer, _ = fintone("sql", sql)
    assert code == 0
    assert answer.endswith("(22 rows)\n")


def test_a_program_reads_every_digit(fintone: Run, study: Path) -> None:
    code, out, _ = fintone("compare", "aaaa", "bbbb", "--format", "json", "--flips", "1")
    document = json.loads(out)
    assert code == 0
    assert (document["cell"]["cell_id"], document["other_cell"]["learning_rate"], document["part"]) == (
        TUNED,
        2e-6,
        "test",
    )
    first, second = document["comparisons"]
    predicted, other_predicted = predict_except((58, 60)), predict_except((0, 40))
    figures = asdict(compare(LABEL_NUMBERS, predicted, other_predicted))
    assert {name: first[name] for name in figures} == figures
    assert (first["temperature"], second["temperature"], first["flipped"], first["pairs"]) == (0.1, 1.0, 42, 11)
    assert first["flips"][0]["text"] == STEERING
    assert first["verdict"].startswith("lr=0.0002 epochs=3 seed=42 beats lr=2e-06 epochs=1 seed=42: +.633 [")
    assert first["baseline_verdict"]["beats_baseline"]
    assert not first["other_baseline_verdict"]["beats_baseline"]
    assert len(query(study, document["query"]).rows) == 43


def test_the_figures_are_those_of_the_view(fintone: Run, study: Path) -> None:
    _, out, _ = fintone("compare", "5555aaaabbbb", "aaaa", "--format", "json")
    printed = {each["temperature"]: each for each in json.loads(out)["comparisons"]}
    where = f"cell_id = '{SVM}' AND other_cell_id = '{TUNED}'"
    viewed = query(study, f"SELECT * FROM comparisons WHERE {where}")
    names = ("accuracy", "difference", "difference_low", "macro_f1_difference_high", "only_right", "p_value", "p_holm")
    assert len(viewed.rows) == 2
    for row in viewed.rows:
        values = dict(zip(viewed.columns, row, strict=True))
        assert {name: printed[values["temperature"]][name] for name in names} == pytest.approx(
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


def test_a_comparison_on_validation_says_that_test_judges(fintone: Run, study: Path) -> None:
    for cell_id, wrong in ((TUNED, (0, 1)), (WEAK, (1, 40))):
        add_evaluations(study, cell_id, {0.1: predict_except(wrong)}, part="validation")
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
    predicted = predict_except((0, 30))[20:]
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


def test_cells_of_one_name_are_distinguished_by_their_ids(fintone: Run, renewed: Path) -> None:
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
        (["aaaa", "5555"], "cell 5555: 2 things match: cell 5555"),
        (["aaa", "bbbb"], "cell 'aaa': give a name, or the first 4 characters or more of an id"),
        (["aaaa", "bbbb", "--temperature", "3"], "temperature 3: the two cells share 0.1, 1"),
        (["5555a", "5555c", "--temperature", "1"], "temperature 1: the two cells share none, as neither samples"),
        (["aaaa", "bbbb", "--part", "validation"], f"cell {TUNED}: no evaluation on validation yet"),
        (["aaaa", "bbbb", "--part", "train"], "'train' is not one of 'validation', 'test'"),
        (["aaaa", "bbbb", "--flips", "-1"], "Invalid value for '--flips'"),
        (
            ["aaaa", "bbbb", "--output", "nowhere/answer"],
            "output nowhere/answer: the folder nowhere does not exist; give another place, or make the folder",
        ),
        (["aaaa"], "Missing argument 'other'; see fintone compare --help"),
    ],
)
def test_what_cannot_be_compared_is_reported_in_one_line(
    refuse: Refuse, study: Path, arguments: list[str], line: str
) -> None:
    assert line in refuse("compare", *arguments)


def test_a_comparison_without_a_warehouse_says_how_to_get_one(refuse: Refuse, home: Path) -> None:
    assert "does not exist; run `fintone run` first" in refuse("compare", "aaaa", "bbbb")
    assert not home.exists()
