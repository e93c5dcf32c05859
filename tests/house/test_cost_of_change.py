"""A baseline is one new file, a kind of model or a format a file and a line, and a setting that varies needs none."""

import re
from pathlib import Path

import pytest
from numpy import ones
from safetensors.numpy import save_file

from embedded.paths import MODEL_FOLDER
from ingestion import formats
from ingestion.encodings import Text
from ingestion.formats import TextFormat
from ingestion.rows import RawRow, TableRows
from ingestion.sources import find_source
from learning.baselines import kinds
from learning.baselines.evaluation import evaluate_baseline, fit_baseline
from learning.baselines.registry import plan_baselines
from learning.kinds import registry
from learning.kinds.registry import find_kind
from learning.kinds.resolution import resolve_base_model
from learning.models.fine_tune import FineTune
from learning.study.evaluation import LabelledPart
from learning.training.recipe import Recipe, Training
from learning.worker.jobs import BaseSpec, ScoringJob, TrainingJob
from operations.known_sources import read_whole
from operations.planning import lay_out
from operations.preview import describe_study
from schemas.evaluation import BaselineSettings
from schemas.label import LABELS, Label
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile
from schemas.source import DataSettings

NAMED = re.compile(r"""["'.]dropout\b""")
"""A setting as code would name it."""

OPTIMIST = """
import numpy as np

from learning.baselines.kind import Answers, BaselineKind
from schemas.label import LABELS, Label

BASELINE = BaselineKind(
    name="optimist",
    version=1,
    fit=lambda train: lambda texts: Answers(np.full(len(texts), LABELS.index(Label.POSITIVE))),
)
"""


@pytest.fixture
def optimist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A baseline in its own file, in a folder that is added to the package."""
    (tmp_path / "optimist.py").write_text(OPTIMIST, encoding="utf-8")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    return "optimist"


def test_a_new_baseline_is_one_file(optimist: str) -> None:
    config = build_config(apply_overrides(load_profile("demo"), [f"baselines.names=majority class,{optimist}"]))
    assert dict(describe_study(config))["baselines"] == "majority class, optimist"
    [plan] = plan_baselines(BaselineSettings(names=(optimist,)))
    assert (plan.name, plan.version) == ("optimist", 1)
    labels = tuple(label.value for label in LABELS)
    part = LabelledPart("test", ("a", "b", "c"), ("Profit rose", "It met", "Sales fell"), labels)
    [result] = evaluate_baseline(fit_baseline(optimist, part, 42).answer, [part])
    assert result.metrics.accuracy == pytest.approx(1 / 3)


COIN = """
import json

import torch
from numpy import ones

from learning.prompt.decoding import LabelProbabilities
from learning.training.recipe import TrainingOutcome
from schemas.cell import LoraSettings, PromptSettings
from schemas.model_card import ExportForm


class CoinModel:
    arithmetic = "float32"

    def count_side_by_side(self, headlines, labels, recipe):
        return 1

    def train(self, headlines, labels, trainings, notify):
        outcomes = []
        for training in trainings:
            training.adapter_folder.mkdir(parents=True)
            odds = {label.value: labels.count(label) / len(labels) for label in set(labels)}
            (training.adapter_folder / "odds.json").write_text(json.dumps(odds))
            outcomes.append(TrainingOutcome((), 0, 0.0, None, None, 0, {}, 1, 0, False, "hash"))
        return outcomes

    def fits(self, headlines, prompt):
        return ones(len(headlines), dtype=bool)

    def probabilities(self, fine_tune, headlines, prompt, decodings, on_headlines):
        odds = json.loads((fine_tune[0] / "odds.json").read_text()) if fine_tune else {}
        row = [odds.get(word, 0.0 if odds else 1 / 3) for word in ("negative", "neutral", "positive")]
        on_headlines(len(headlines))
        sampled = torch.tensor([*row, 0.0], dtype=torch.float64).expand(len(headlines), len(decodings), 4)
        return LabelProbabilities(sampled, sampled[:, 0].argmax(-1))

    def release(self):
        pass


class CoinKind:
    name = "coin"
    training_changes = {1: "coins are thrown"}

    def settle(self, settings):
        return settings.model_copy(update={"prompt": PromptSettings(), "lora": LoraSettings()})

    def ignored(self, settings):
        return ("prompt", "lora")

    def answers_untouched(self, folder):
        return True

    def describe_export(self, settings, *, merge):
        return ExportForm(True, "a coin", "The folder holds a coin.", "coins", "text-classification", ("Throw it.",))

    def claims(self, config):
        return config.get("model_type") == "coin"

    def check_config(self, files):
        pass

    def check_folder(self, folder):
        return "0123456789abcdef"

    def find_too_long(self, config_folder, headlines, prompt, complete):
        return {}

    def load(self, folder, quantization, training):
        return CoinModel()

    def check_fine_tune(self, folder, expected):
        return "hash"

    def write(self, export, output, *, merge):
        pass


KIND = CoinKind()
"""


def test_a_new_kind_of_model_is_one_package_and_its_registration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "coin_kind.py").write_text(COIN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "MODULES", ["coin_kind", *registry.MODULES])
    folder = tmp_path / "coin"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "coin"}', encoding="utf-8")
    save_file({"edge": ones(1)}, folder / "model.safetensors")
    found = resolve_base_model(str(folder), None, tmp_path)
    assert (found.name, found.revision) == ("coin", "0123456789abcdef")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    grid = ["grid.training.epochs=1", "grid.lora.r=2,4", f"base_model.name={folder}", "baselines.names="]
    config = build_config(apply_overrides({**load_profile("demo"), "grid": {}}, grid))
    study = lay_out(config, "snapshot", "split")
    [base], [cell] = study.base_cells, study.cells  # two ranks of an adapter that a coin does not have are one cell
    assert (base.name, cell.name, cell.base.kind_of_model) == ("base: coin", "lr=2e-04 epochs=1", "coin")
    settings = cell.settings
    spec = BaseSpec(found.folder, "none", settings.training, found.revision)
    model = find_kind(found.folder).load(spec.folder, spec.quantization, spec.training)
    recipe = Recipe(settings.prompt, settings.lora, settings.training)
    planned = Training(recipe, tmp_path / "trained")
    labels = (Label.POSITIVE, Label.POSITIVE, Label.NEGATIVE)
    [outcome] = TrainingJob(spec, ("a", "b", "c"), labels, (planned,)).do(model, lambda _: None)
    part = LabelledPart("test", ("a", "b", "c"), ("Up", "More", "Down"), tuple(label.value for label in labels))
    decoding = build_config(load_profile("demo")).decoding
    scored = ScoringJob(spec, FineTune(planned.adapter_folder, outcome.adapter_hash), [part], settings.prompt, decoding)
    results = scored.do(model, lambda _: None)
    assert [result.temperature for result in results] == list(decoding.temperatures)
    assert results[0].metrics.expected_accuracy == pytest.approx((2 / 3 * 2 + 1 / 3) / 3)
    assert find_kind(MODEL_FOLDER) is not find_kind(folder)


def test_a_new_source_format_is_one_reader_and_its_registration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(text: Text, _: Text, __: str, ___: DataSettings) -> tuple[str, TableRows]:
        lines = text.first_lines(100)[1:]
        rows = (RawRow(*line.strip().split(" = "), line) for line in lines)
        return "ticker tape", TableRows(rows)

    tape = TextFormat("csv", lambda head, _: head.first_line().startswith("#tape"), read)
    others = [each for each in formats.TEXT_FORMATS if each.name != "csv"]
    monkeypatch.setattr(formats, "TEXT_FORMATS", [tape, *others])
    (tmp_path / "tape.txt").write_text("#tape\nProfit rose = positive\nSales fell = negative\n", encoding="utf-8")
    ingestion = read_whole(find_source(settings := DataSettings(source=str(tmp_path / "tape.txt"))), settings)
    assert ingestion.kind == "ticker tape"
    assert sorted(zip(ingestion.accepted["text"], ingestion.accepted["label"], strict=True)) == [
        ("Profit rose", "positive"),
        ("Sales fell", "negative"),
    ]


def test_no_code_of_the_grid_names_a_setting_that_varies(root: Path) -> None:
    """`tests/flows/test_grid.py` varies it end to end."""
    places = ("schemas/grid.py", "schemas/plan.py", "learning/study", "tasks", "flows", "storage", "reporting", "cli")
    files = [
        file for place in places for file in ([root / place] if place.endswith(".py") else (root / place).rglob("*"))
    ]
    naming = [file.name for file in files if file.suffix in {".py", ".sql", ".html"} and NAMED.search(file.read_text())]
    assert naming == ["identity.py"]  # it names the settings that older ids are made of
