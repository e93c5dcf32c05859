"""The names that transformers knows are read from its source, and are those that it has when it is loaded."""

from transformers.activations import ACT2FN
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from learning.models.known_names import OTHER_ROPES, activations, model_types, rope_types


def test_the_names_are_those_of_the_library() -> None:
    assert model_types() == frozenset(CONFIG_MAPPING_NAMES)
    assert activations() == frozenset(ACT2FN)
    assert rope_types() == frozenset(ROPE_INIT_FUNCTIONS) | OTHER_ROPES
