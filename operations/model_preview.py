"""The models that a study would use, before it does anything: which files, which kind, what they need."""

from collections.abc import Sequence
from pathlib import Path

from learning.baselines.embeddings import is_local, resolve_embedding_model
from learning.baselines.registry import choose_kinds
from learning.kinds.resolution import (
    check_hub_base,
    check_weights,
    find_known_kind,
    local_folder,
    plan_base,
    resolve_base_model,
)
from learning.models.base_model import HUB_NAME
from schemas.cell import BaseModelSettings
from schemas.config import StudyConfig
from schemas.disk import count_weight_bytes
from schemas.footprint import estimate_footprint
from storage.home import Home

LARGE_GIGABYTES = 1.0
"""Size of weights from which training takes days without a GPU."""
LONGEST_LOOK = 10.0
"""Seconds for which weights are checked beforehand; the study itself checks all of them."""


def list_bases(config: StudyConfig) -> list[BaseModelSettings]:
    """The base models of a study, each once."""
    return list(dict.fromkeys(cell.base_model for cell in config.resolve_all()))


def find_twins(bases: Sequence[BaseModelSettings]) -> dict[str, str]:
    """Local base models that are the same files as an earlier one under another name: that name for each."""
    models, first, twins = Home.from_environment().models, dict[str, str](), {}
    for name in dict.fromkeys(base.name for base in bases if not is_on_hub(base)):
        other = first.setdefault(resolve_base_model(name, None, models).revision, name)
        if other != name:
            twins[name] = other
    return twins


def note_twins(bases: Sequence[BaseModelSettings]) -> list[str]:
    """Notes on base models that are named twice."""
    return [
        f"{name} is the same model as {other}: their cells are the same, and run once"
        for name, other in find_twins(bases).items()
    ]


def describe_model(base: BaseModelSettings) -> str:
    """Where a base model is found, its revision and its kind.

    Raises:
        InputError: It cannot be used.
    """
    models = Home.from_environment().models
    if is_on_hub(base):
        check_hub_base(base.name, base.revision, models, fetch=False)
        known = find_known_kind(base.name, base.revision, models)
        absent = " (no such folder here)" if known is None else ""
        found = _describe_kind("causal" if known is None else known.name, base)
        return f"{base.name} from the hub, revision {base.revision or 'newest'}{absent}, {found}"
    resolved = resolve_base_model(base.name, None, models)
    check_weights(resolved, models, LONGEST_LOOK)
    kind = plan_base(resolved, base.quantization).kind_of_model
    return f"{base.name}, files {resolved.revision}, {_describe_kind(kind, base)}"


def _describe_kind(kind: str, base: BaseModelSettings) -> str:
    return f"weights: {base.quantization}" if kind == "causal" else f"kind: {kind}"


def describe_baselines(config: StudyConfig) -> str:
    """The baselines by name, with the encoder of the one that needs it."""
    encoder = config.baselines.embedding_model
    where = f"{encoder} from the hub"
    if encoder and is_local(encoder):
        where = f"{encoder}, files {resolve_embedding_model(encoder, Home.from_environment().models).revision}"
    names = [f"{kind.name} ({where})" if kind.needs_encoder else kind.name for kind in choose_kinds(config.baselines)]
    return ", ".join(names) or "none"


def describe_needs(base: BaseModelSettings) -> str:
    """What a base model needs from the machine: network, disk, GPU memory."""
    if not is_on_hub(base):
        folder = local_folder(base.name)
        gigabytes = count_weight_bytes(folder) / 1e9
        if gigabytes < LARGE_GIGABYTES:
            return "nothing more: it runs on this machine as it is, faster with a CUDA GPU"
        return f"a CUDA GPU: the weights are {gigabytes:.1f} GB of files"
    needs = ["a network, or the model in FINTONE_HOME", "HF_TOKEN if the model is gated"]
    footprint = estimate_footprint(base)
    if footprint is None:
        needs.append("a CUDA GPU if the weights are more than a gigabyte")
    elif footprint.files < LARGE_GIGABYTES:
        needs.append(f"about {footprint.files:.1f} GB of disk for the weights")
    else:
        needs.append("a CUDA GPU")
        needs.append(
            f"about {footprint.files:.0f} GB of disk for the weights, {footprint.weights} GB of GPU memory for them in "
            f"{footprint.bits} bits, and about as much again to train"
        )
    return "; ".join(needs)


def is_on_hub(base: BaseModelSettings) -> bool:
    """Whether a name is that of a hub model; a path that exists is not."""
    return not Path(base.name).expanduser().exists() and HUB_NAME.fullmatch(base.name) is not None


def describe_examples(config: StudyConfig) -> list[tuple[str, str]]:
    """The examples before each headline, if any cell has some."""
    prompts = [cell.prompt for cell in config.resolve_all()]
    choices = [f"{prompt.examples} {prompt.examples_by}" for prompt in prompts if prompt.examples]
    fixed = "; fixed ones are not trained on" if any(each.endswith("fixed") for each in choices) else ""
    where = f"of the train part before each headline{fixed}"
    return [("examples", f"{', '.join(dict.fromkeys(choices))} {where}")] if choices else []
