"""The size of a model by its name: memory by its weights' form, disk at 16 bits."""

import pytest

from schemas.cell import BaseModelSettings
from schemas.footprint import Footprint, estimate_footprint


@pytest.mark.parametrize(
    ("name", "quantization", "expected"),
    [
        ("meta-llama/Llama-2-7b-hf", "nf4", Footprint(7, 4, 4, 14)),
        ("meta-llama/Llama-2-7b-hf", "none", Footprint(7, 14, 16, 14)),
        ("Qwen/Qwen2.5-0.5B", "nf4", Footprint(0.5, 1, 4, 1)),
        ("google/gemma-3-270m", "none", Footprint(0.27, 1, 16, 0.54)),
        ("mistralai/Mixtral-8x7B-v0.1", "nf4", Footprint(56, 112, 16, 112)),
        ("ProsusAI/finbert", "none", None),
    ],
)
def test_a_size_is_read_from_the_name(name: str, quantization: str, expected: Footprint | None) -> None:
    settings = BaseModelSettings.model_validate({"name": name, "quantization": quantization})
    assert estimate_footprint(settings) == expected
