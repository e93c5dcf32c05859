"""YAML of any kind gives plain values, or one short reason, in a short time."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import StudyConfig
from schemas.errors import InputError
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, check_settings, load_profile
from schemas.source import DataSettings
from schemas.yaml_text import YamlTextError, read_yaml

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghi"))
REFUSED = {
    "deep lists": ("[" * 100_000, "more than 20 deep"),
    "deep mappings": ("{a: " * 10_000, "more than 20 deep"),
    "deep blocks": ("\n".join(" " * n + "a:" for n in range(500)), "more than 20 deep"),
    "aliases of aliases": (BOMB, "repeats a part of itself by an alias"),
    "an alias of itself": ("&a [*a]", "repeats a part of itself by an alias"),
    "a word twice": ("up: positive\nup: negative\n", "it names 'up' twice"),
    "a million lines": ("up: positive\n" * 1_000_000, "13,000,000 characters, more than the 200,000"),
    "a number of 5,000 digits": ("9" * 5_000, "more than 400 digits"),
    "a hexadecimal number of 5,000 digits": (f"0x{'9' * 5_000}", "more than 400 digits"),
    "a number of 50,000 sixtieths": ("1:" * 50_000 + "1", "more than 400 digits"),
    "a 99th month": ("2024-99-99", "no valid YAML"),
    "an object of Python": ("!!python/object/apply:os.system [ls]", "no valid YAML"),
    "bytes that are none": ("!!binary x", "no valid YAML"),
    "a number that is none": ('!!int ""', "no valid YAML"),
    "a key that is a list": ("? [a]\n: b", "no valid YAML"),
    "a bracket left open": ("[1, 2", "no valid YAML"),
    "a bracket left open in line 2 of three": ("a: 1\nb: [1, 2\nc: 3", r"no valid YAML or JSON \(line 3\)$"),
    "a tab": ("a:\n\tb: 1\n", r"no valid YAML or JSON \(line 2\); write spaces in place of tabs$"),
    "a control character": ("a\0b", "no valid YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_setting_needs_is_refused_at_once(name):
    text, reason = REFUSED[name]
    start = time.process_time()
    with pytest.raises(YamlTextError, match=reason) as caught:
        read_yaml(text)
    assert time.process_time() - start < 5
    assert len(str(caught.value)) < 120


@given(st.text(st.sampled_from("a1:[]{},&*!?|>-#%@`'\"\n \t.0x~<=_é"), max_size=60), st.booleans())
def test_any_text_gives_values_or_a_short_reason(text, as_words):
    try:
        read_yaml(text, as_words=as_words)
    except YamlTextError as error:
        message = str(error)
    else:
        message = ""
    assert len(message) < 200


def test_words_stay_as_they_are_written():
    assert read_yaml("0: no\n1.0: on\nnull: ~\n", as_words=True) == {"0": "no", "1.0": "on", "null": "~"}
    assert read_yaml("[0, no, 1.5, null]") == [0, False, 1.5, None]


def test_the_keys_of_a_mapping_are_words():
    given = ["data.label_map={0: negative, no: neutral, null: positive}"]
    config = build_config(apply_overrides(load_profile("desk"), given))
    assert config.data.label_map == {"0": "negative", "no": "neutral", "null": "positive"}
    assert build_config(apply_overrides(load_profile("desk"), ["data.label_map=null"])).data.label_map is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting", ["split.seed", "grid.training.learning_rate", "training.epochs", "training.warmup_ratio"]
)
@pytest.mark.parametrize("value", ["9" * 399, "9" * 5_000, "[" * 1_000, f"[{'1,' * 50_000}1]", f"'{'x' * 100_000}'"])
def test_a_huge_value_of_a_setting_is_one_short_line(setting, value):
    with pytest.raises(InputError) as caught:
        build_config(apply_overrides(load_profile("demo"), [f"{setting}={value}"]))
    message = str(caught.value)
    assert setting.removeprefix("grid.") in message
    assert len(message.splitlines()) == 1
    assert len(message) < 600


def test_a_huge_number_that_did_not_come_as_text_is_one_short_line():
    values = load_profile("demo")
    with pytest.raises(InputError, match=r"^split.seed = a number of thousands of digits: must be"):
        check_settings(StudyConfig, values | {"split": values["split"] | {"seed": 10**5_000}})


@pytest.mark.parametrize("assignment", ["x" * 100_000, "x" * 100_000 + "=1", "data." + "x" * 100_000 + "=1"])
def test_an_overlong_assignment_is_not_shown_whole(assignment):
    with pytest.raises(InputError) as caught:
        apply_overrides(load_profile("demo"), [assignment])
    assert len(str(caught.value)) < 3_000


@pytest.mark.parametrize("name", ["source", "text_column", "encoding"])
def test_a_nul_character_is_in_no_setting(name):
    with pytest.raises(InputError, match=rf"^{name}: 'a\\x00b' holds a NUL character: take it out$"):
        check_settings(DataSettings, {"source": "x", name: "a\0b"})


CONTRADICTIONS = {
    "it maps 'UP ' to positive and to negative, case ignored": {"up": "positive", "UP ": "negative"},
    "it maps an empty word to neutral, but an empty word means no label": {" ": "neutral"},
}


@pytest.mark.parametrize("message", CONTRADICTIONS)
def test_a_label_map_gives_a_word_one_meaning(message):
    with pytest.raises(InputError, match=f"^label_map: {message}"):
        check_settings(DataSettings, {"source": "x", "label_map": CONTRADICTIONS[message]})
    agreeing = {"up": "positive", "UP": "positive"}
    assert check_settings(DataSettings, {"source": "x", "label_map": agreeing}).label_map == agreeing
