"""The size of a base model, from its name only, before any of its files is fetched."""

import math
import re
from dataclasses import dataclass
from typing import cast

from schemas.cell import BaseModelSettings
from schemas.profiles import build_config, load_profile

PARAMETERS_IN_NAME = re.compile(r"(?:(?P<experts>\d+)x)?(?P<size>\d+(?:\.\d+)?)(?P<unit>[bm])\b", re.IGNORECASE)
"""As in `Llama-2-7b-hf`, `gemma-3-270m` and `Mixtral-8x7B`, of which experts share a few weights."""

BYTES_A_WEIGHT = {"nf4": 0.5 + 4 / 64, "none": 2.0}
"""Bytes in memory; NF4 keeps a float32 scale for each block of 64 weights, and experts of a mixture keep 16 bits."""


@dataclass(frozen=True)
class Footprint:
    """The memory and disk that a base model takes, in gigabytes."""

    billions: float
    """Parameters, in billions."""
    weights: int
    """Memory of the weights; training takes about as much again."""
    bits: int
    """Of a weight in memory."""
    files: float
    """Disk, at 16 bits a weight."""

    @property
    def training(self) -> int:
        """Memory to train an adapter."""
        return 2 * self.weights


def estimate_footprint(base: BaseModelSettings) -> Footprint | None:
    """Read the size from a name such as `Llama-2-7b-hf`; None where the name has none."""
    named = PARAMETERS_IN_NAME.search(base.name)
    if named is None:
        return None
    billions = int(named["experts"] or 1) * float(named["size"]) / (1 if named["unit"] in "bB" else 1_000)
    form = "none" if named["experts"] else base.quantization
    return Footprint(billions, math.ceil(billions * BYTES_A_WEIGHT[form]), 4 if form == "nf4" else 16, billions * 2)


def desk_footprint() -> Footprint:
    """The footprint of the base model of the profile `desk`, whose name holds its size."""
    return cast("Footprint", estimate_footprint(build_config(load_profile("desk")).base_model))
