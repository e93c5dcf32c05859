"""The headlines that benchmarks of learning run on: any source, split as in the study. Measures nothing."""

import os
from tempfile import TemporaryDirectory

from operations.intake import find_headlines
from operations.splitting import draw_parts
from schemas.label import Label
from schemas.overrides import apply_overrides
from schemas.profiles import build_config, load_profile

Part = tuple[list[str], list[Label]]
"""Texts and their labels."""


def load_parts(source: str) -> dict[str, Part]:
    """Read a source and draw the parts `train`, `validation` and `test` of the profile `paper`, in the source's order.

    Raises:
        InputError: The source cannot be read, or a class has too few headlines.
    """
    config = build_config(apply_overrides(load_profile("paper"), [f"data.source={source}"]))
    with TemporaryDirectory() as home:
        os.environ["FINTONE_HOME"] = home
        frame = find_headlines(config.data)
        parts = draw_parts(frame, config.split, config.data.near_duplicates)
    columns = (frame[name].tolist() for name in ("headline_id", "text", "label"))
    rows = {identifier: (text, Label(label)) for identifier, text, label in zip(*columns, strict=True)}
    return {
        name: ([rows[identifier][0] for identifier in ids], [rows[identifier][1] for identifier in ids])
        for name, ids in parts.items()
    }
