"""How large a base model is, from its name alone: before anything of it was fetched."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from schemas.cell import BaseModelSettings
from schemas.profiles import build_config, load_profile

PARAMETERS_IN_NAME = re.compile(r"(\d+(?:\.\d+)?)b\b", re.IGNORECASE)

BYTES_A_WEIGHT = {"nf4": 0.5 + 4 / 64, "none": 2.0}
"""In memory; NF4 keeps a float32 scale for each block of 64 weights."""


@dataclass(frozen=True)
class Footprint:
    """What a base model takes, in gigabytes."""

    billions: float
    """Of parameters."""
    weights: int
    """In memory; training takes about as much again."""
    files: float
    """On disk, 16 bits a weight."""

    @property
    def training(self) -> int:
        """In memory, to train an adapter."""
        return 2 * self.weights


def estimate_footprint(base: BaseModelSettings) -> Footprint | None:
    """Read the size from a name such as `Llama-2-7b-hf`; None where it tells none."""
    named = PARAMETERS_IN_NAME.search(base.name)
    if named is None:
        return None
    billions = float(named.group(1))
    return Footprint(billions, math.ceil(billions * BYTES_A_WEIGHT[base.quantization]), billions * 2)


def count_weight_bytes(folder: Path) -> int:
    """Bytes of the weights in a base model's folder."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def desk_footprint() -> Footprint:
    """What the base model of the profile `desk` takes, whose name tells its size."""
    return cast("Footprint", estimate_footprint(build_config(load_profile("desk")).base_model))
