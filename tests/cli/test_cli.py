"""The command line: a user's mistake is one line on standard error and an exit code, and creates nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.profiles import load_profile

Run = Callable[..., tuple[int, str, str]]
Refuse = Callable[..., str]


def test_no_command_shows_the_help_as_bad_usage(fintone: Run) -> None:
    code, out, err = fintone()
    assert (code, out) == (2, "")
    assert "Usage: fintone" in err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["run", "--epoch", "3"], "No such option: --epoch (Possible options: --epochs); see fintone run --help"),
        (["run", "--epochs"], "Option '--epochs' requires an argument"),
        (["run", "demo"], "unexpected extra argument(s) (demo); see fintone run --help"),
        (["sql"], "Missing argument 'statement'; see fintone sql --help"),
        (["sql", "SELECT 1", "--format", "xml"], "'--format': 'xml' is not one of 'table', 'csv', 'json'"),
        (
            ["run", "--profile", "dmeo"],
            "unknown profile 'dmeo', did you mean 'demo'?; there are demo, desk, desk-pt, paper",
        ),
        (["run", "--temperatures", "0"], "decoding.temperatures: 0 must be greater than 0"),
        (["run", "--epochs", "-1"], "grid: training.epochs = -1: must be greater than or equal to 1"),
        (["run", "--data", ""], "data.source has no value: give it one"),
        (["run", "--epochs", "two"], "grid: training.epochs = 'two': must be a valid integer"),
        (
            ["run", "--learning-rates", "1e-3,1e-3"],
            "grid: training.learning_rate = ['1e-3', '1e-3']: names a value twice",
        ),
        (["run", "--seed", "-1"], "grid: training.seed = -1: must be greater than or equal to 0"),
        (["run", "--set", "lora.rank=8"], "unknown setting lora.rank; did you mean"),
        (["run", "--set", "lora.r"], "'lora.r' sets nothing"),
        (["run", "--set", "lora.r=8", "--set", "lora.dropout=2"], "lora.dropout = 2: must be less than 1"),
        (["run", "--set", "runner.kind=ray"], "start one with `prefect server start` and set PREFECT_API_URL"),
        (["run", "--set", "runner.storage=shared"], "give an absolute path or an fsspec address"),
    ],
)
def test_wrong_usage_names_the_fault_and_the_remedy(
    refuse: Refuse, home: Path, arguments: list[str], line: str
) -> None:
    assert line in refuse(*arguments)
    assert not home.exists()


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("nowhere.csv", "source 'nowhere.csv' does not exist in "),
        ("x" * 300, "cannot be read (File name too long): check its path"),
        (".", "source 'bad.zip' is a zip that cannot be read"),
        ("empty.csv", "source 'empty.csv' is empty"),
        ("few.csv", "601 negative headlines are needed"),
        ("bad.zip", "source 'bad.zip' is a zip"),
    ],
)
def test_an_unfit_source_is_reported_before_anything_is_created(
    refuse: Refuse, home: Path, dry: list[str], source: str, line: str
) -> None:
    Path("empty.csv").touch()
    Path("few.csv").write_text("text,label\nProfit rose.,positive\nProfit fell.,negative\nIt met.,neutral\n")
    Path("bad.zip").write_bytes(b"PK\3\4 and no more")
    assert line in refuse("run", "--data", source, *dry)
    assert not home.exists()


@pytest.mark.slow
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("nowhere", "base model nowhere: no such folder; give `embedded`, a folder, or ORG/NAME on the hub"),
        ("embeded", "base model embeded: no such folder, did you mean 'embedded'?; give `embedded`, a folder, or"),
        ("", "base_model.name = ''"),
        ("empty", "base model empty: no config.json"),
        ("pickled", "base model pickled: its weights are pickles"),
        ("file.safetensors", "base model file.safetensors: is a file; give the folder"),
    ],
)
def test_an_unfit_base_model_is_reported_before_anything_is_created(
    refuse: Refuse, home: Path, dry: list[str], model: str, line: str
) -> None:
    Path("empty").mkdir()
    Path("pickled").mkdir()
    Path("pickled/config.json").write_text("{}")
    Path("pickled/pytorch_model.bin").touch()
    Path("file.safetensors").touch()
    assert line in refuse("run", "--base-model", model, *dry)
    assert not home.exists()


def test_a_base_model_that_two_options_name_is_refused(refuse: Refuse, home: Path) -> None:
    line = refuse("run", "--base-model", "embedded", "--set", "base_model.name=other")
    assert "base_model.name is given twice: base_model.name=embedded and base_model.name=other" in line
    assert not home.exists()


def test_a_setting_that_varies_twice_is_refused_however_it_is_written(refuse: Refuse) -> None:
    line = refuse("run", "--grid", "grid.lora.r=16,32", "--grid", "lora.r=64,128")
    assert "lora.r is given twice: grid.lora.r=16,32 and grid.lora.r=64,128" in line


def test_a_home_that_cannot_be_created_is_named(refuse: Refuse, home: Path) -> None:
    home.write_text("a file of someone's")
    assert f"FINTONE_HOME {home}: cannot create" in refuse("run")
    assert home.read_text() == "a file of someone's"


def test_debug_shows_the_traceback_and_keeps_the_exit_code(fintone: Run) -> None:
    for arguments in (["--debug", "sql", "SELECT 1"], ["sql", "SELECT 1", "--debug"]):
        code, _, err = fintone(*arguments)
        assert code == 2
        assert err.startswith("Traceback")
        assert "WarehouseMissingError" in err
        assert err.splitlines()[-1].startswith("fintone: warehouse ")


def test_a_dry_run_creates_nothing(fintone: Run, home: Path) -> None:
    code, out, err = fintone("run", "--dry-run", "--epochs", "2", "--seed", "7", "--set", "training.batch_size=16")
    assert (code, err) == (0, "")
    assert "3 cells: training.learning_rate 2e-06, 1e-03, 5e-02 x training.epochs 2 x training.seed 7" in " ".join(
        out.split()
    )
    assert "batches of 16" in out
    assert not home.exists()
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("profile", ["desk", "paper"])
def test_a_dry_run_of_a_profile_works_before_its_data_and_model_are_here(fintone: Run, profile: str) -> None:
    code, out, err = fintone("run", "--profile", profile, "--dry-run")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "not found here: give its path with --data" in text
    assert "meta-llama/Llama-2-7b-hf from the hub" in text


def test_a_revision_follows_an_at_sign(fintone: Run) -> None:
    _, out, _ = fintone("run", "--dry-run", "--base-model", "org/model@v2")
    assert "org/model from the hub, revision v2" in out


@pytest.mark.parametrize(
    "grid",
    [
        {"base_model.name": ["embedded", "org/other"], "training.epochs": [1, 2]},
        [{"base_model.name": ["embedded"], "training.epochs": [1, 2]}, {"base_model.name": ["org/other"]}],
    ],
)
def test_one_base_model_replaces_those_that_the_grid_of_a_profile_varies(fintone: Run, grid: object) -> None:
    Path("mine.yaml").write_text(json.dumps({**load_profile("demo"), "grid": grid}))
    _, out, _ = fintone("run", "--profile", "mine.yaml", "--dry-run", "--base-model", "org/model")
    assert "org/model from the hub" in out
    assert "org/other" not in out


def test_words_in_brackets_are_no_markup(fintone: Run) -> None:
    _, out, _ = fintone("run", "--dry-run", "--set", "name=night", "--base-model", "org/model@[bold]")
    assert "revision [bold]" in out
