"""An assignment sets the setting that it names, in the type of that setting; a wrong name is refused."""

import re

import pytest

from schemas.errors import InputError
from schemas.overrides import apply_overrides, refuse_conflicts
from schemas.profiles import build_config, load_profile


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("training.learning_rate=2e-4", 2e-4),
        ("curve_epochs=", ()),
        ("curve_epochs=1,2", (1, 2)),
        ("decoding.temperatures=0.1,1,10", (0.1, 1, 10)),
        ("decoding.top_k=50", 50),
        ("decoding.top_k=null", None),
        ("lora.dropout=1e-1", 0.1),
        ("base_model.quantization=none", "none"),
        ("baselines.names=majority class,TF-IDF + linear SVM", ("majority class", "TF-IDF + linear SVM")),
        ("baselines.names=", ()),
        ("baselines.embedding_model=org/name@v2", "org/name@v2"),
        ("base_model.revision=0123456", "0123456"),
        ("base_model.revision=12e4567", "12e4567"),
        ("data.source=C:\\news: all #1.csv", "C:\\news: all #1.csv"),
        ("data.source=a=b.csv", "a=b.csv"),
        ("data.text_column=2024", "2024"),
        ("data.text_column=null", None),
        ("data.encoding=", None),
        ("data.label_map={up: positive, down: negative}", {"up": "positive", "down": "negative"}),
        ('prompt.instruction="Good\\nor bad?"', "Good\nor bad?"),
        ("name=night", "night"),
    ],
)
def test_a_value_gets_the_type_of_its_setting(assignment: str, expected: object) -> None:
    config = build_config(apply_overrides(load_profile("demo"), [assignment]))
    value: object = config
    for name in assignment.partition("=")[0].split("."):
        value = getattr(value, name)
    assert value == expected


def test_the_given_values_stay_as_they_were() -> None:
    values = load_profile("demo")
    changed = apply_overrides(values, ["grid.epochs=9", "training.batch_size=16"])
    assert values == load_profile("demo")
    assert (changed["grid"]["training.epochs"], changed["training"]["batch_size"]) == ([9], 16)


def test_the_last_one_wins() -> None:
    assert apply_overrides({}, ["grid.epochs=1", "grid.epochs=2"]) == {"grid": {"training.epochs": [2]}}


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ("grid.lora.r=8,16", "lora.r=4", "lora.r"),
        ("grid.lora.r=4", "grid.lora.r=8", "lora.r"),
        ("grid.seeds=3", "grid.training.seed=1,2", "training.seed"),
        ("grid.learning_rates=1e-3", "training.learning_rate=1e-4", "training.learning_rate"),
        ("decoding.top_k=5", " decoding.top_k = 6", "decoding.top_k"),
    ],
)
def test_a_setting_that_one_command_gives_twice_is_refused(one: str, other: str, path: str) -> None:
    refuse_conflicts(["lora.alpha=8", one, "grid.epochs=1"])
    with pytest.raises(InputError) as raised:
        refuse_conflicts([one, "lora.alpha=8", other])
    assert str(raised.value) == f"{path} is given twice: {one} and {other}; leave one out"


@pytest.mark.parametrize(
    ("assignment", "line"),
    [
        ("epochs=3", "unknown setting epochs; did you mean training.epochs?"),
        ("training.lr=1", "unknown setting training.lr; did you mean training.learning_rate?"),
        ("decodng.seed=1", "unknown setting decodng.seed; did you mean decoding.seed?"),
        ("grid.epoch=1", "unknown setting grid.epoch; did you mean grid.epochs?"),
        ("temperatures=1", "unknown setting temperatures; did you mean decoding.temperatures?"),
        ("learning_rate=1", "unknown setting learning_rate; did you mean training.learning_rate?"),
        ("grid.lora.rank=1", "unknown setting grid.lora.rank; did you mean grid.lora.r?"),
        ("grid.split.seed=1", "grid: split.seed cannot vary: all cells of a study answer the same headlines"),
        ("seed=1", "unknown setting seed; did you mean"),
        ("lora=8", "unknown setting lora; did you mean lora.r?"),
        ("grid.epochs.0=1", "unknown setting grid.epochs.0; did you mean grid.epochs?"),
        ("grid.epochs", "'grid.epochs' sets nothing: write any.setting=value, as in grid.epochs=1,3"),
        (
            "curve_epochs=[1,",
            "curve_epochs = [1,: no valid YAML or JSON; write a list as 1,3 or [1,3], a text in quotes",
        ),
    ],
)
def test_a_wrong_assignment_is_one_line_with_the_remedy(assignment: str, line: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(line)}") as raised:
        apply_overrides(load_profile("demo"), [assignment])
    assert "\n" not in str(raised.value)


def test_a_value_out_of_bounds_is_refused_when_the_study_is_built() -> None:
    values = apply_overrides(load_profile("demo"), ["decoding.temperatures=0"])
    with pytest.raises(InputError, match=r"^decoding\.temperatures: 0 must be greater than 0$"):
        build_config(values)
