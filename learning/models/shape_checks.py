"""Checks that a configuration and the weights beside it are of one model: names it knows, layers, embedding, head.

Loads no torch. Weights of a family with other names are not judged here: `learning.models.base_model` checks them when
they are loaded.
"""

import re
from collections.abc import Iterable
from typing import Any

from learning.models.known_names import activations, model_types, rope_types
from learning.models.model_files import AGAIN, ModelFiles
from learning.models.stored_tensors import StoredTensor
from schemas.listing import count
from schemas.nearest import did_you_mean

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
WIDTHS = ("hidden_size", "n_embd", "d_model", "dim")
NARROW = ("embedding_size", "word_embed_proj_dim")
"""The width of an embedding that another layer brings to that of the model."""
NARROW_FAMILIES = frozenset({"albert", "convbert", "electra", "mobilebert", "roformer"})
"""Families with such an embedding, also where the configuration leaves its width to their default."""
ACTIVATIONS = ("hidden_act", "hidden_activation", "activation_function")
ROPES = ("rope_scaling", "rope_parameters")
NEXT_TOKENS = "num_nextn_predict_layers"
"""Layers that predict several tokens ahead. They are numbered after the others, and transformers ignores them."""
STACK = re.compile(r"(?P<place>(?:[\w-]+\.)*?)(?:layers|layer|h|blocks)\.(?P<number>\d+)\.")
PLACES = frozenset(
    {"model", "transformer", "gpt_neox", "encoder", "decoder", "bert", "roberta", "deberta", "embeddings"}
)
"""What comes before the model's own layers and embedding; not a vision tower, and no layers beside the stack."""
EMBEDDING = re.compile(r"(?P<place>(?:[\w-]+\.)*?)(?:embed_tokens|wte|word_embeddings|embed_in|tok_embeddings)\.weight")
MATRIX = 2
"""Dimensions of an embedding."""
HEADLESS = ("model.", "transformer.", "gpt_neox.")
"""Beginnings of the names of all weights except those of a head."""
OWN_CODE = (
    "asks for code of its own (auto_map), which is never run; give a model of a family that transformers has itself"
)
MATCH = "give the config.json that belongs to the weights"


def check_known(files: ModelFiles, config: dict[str, Any]) -> None:
    """Check that transformers knows the type of the model, its activations and its scaling of positions.

    Raises:
        ModelFilesError: It does not know one.
    """
    kind, known = config.get("model_type"), model_types()
    if not isinstance(kind, str):
        raise files.refuse(f"config.json has no model_type; {AGAIN}, or write the model's family there, such as llama")
    if known and kind not in known:
        if config.get("auto_map"):
            raise files.refuse(OWN_CODE)
        raise _refuse_name(files, "model_type", kind, known)
    for key in ACTIVATIONS:
        if isinstance(config.get(key), str) and activations() and config[key] not in activations():
            raise _refuse_name(files, key, config[key], activations())
    for key in ROPES:
        settings = config.get(key)
        for scaling in (settings, *settings.values()) if isinstance(settings, dict) else ():
            named = scaling.get("rope_type", scaling.get("type")) if isinstance(scaling, dict) else None
            if isinstance(named, str) and rope_types() and named not in rope_types():
                raise _refuse_name(files, f"{key} of type", named, rope_types())


def _refuse_name(files: ModelFiles, key: str, value: Any, known: Iterable[str]) -> Exception:
    hint = did_you_mean(str(value), known)
    return files.refuse(f"config.json says {key} {value!r}, which transformers does not know{hint}; correct it there")


def check_shapes(files: ModelFiles, config: dict[str, Any], tensors: list[StoredTensor]) -> None:
    """Check that the weights have the layers, the embedding and the head of the configuration.

    Raises:
        ModelFilesError: They have others.
    """
    _check_layers(files, config, [tensor.name for tensor in tensors])
    _check_embedding(files, config, tensors)
    _check_head(files, config, [tensor.name for tensor in tensors])


def explain_other_layers(names: Iterable[str], config: dict[str, Any]) -> str | None:
    """Why weights do not fit the number of layers; None if they do, or if no single stack of layers is recognised.

    Args:
        names: Names of all weights in the files.
        config: The configuration.
    """
    key = next((key for key in LAYERS if isinstance(config.get(key), int)), None)
    if key is None:
        return None
    stacks: dict[str, int] = {}
    for found in filter(None, map(STACK.match, names)):
        if _is_own(found["place"], config):
            stacks[found["place"]] = max(stacks.get(found["place"], 0), int(found["number"]) + 1)
    if len(stacks) != 1:
        return None
    [held], most = stacks.values(), config[key] + _count_next(config)
    if config[key] <= held <= most:
        return None
    return f"config.json says {key} {config[key]}, its weights have {count(held, 'layer')}; {MATCH}"


def explain_unread_layers(unread: Iterable[str], config: Any) -> str | None:
    """Why a loaded model is not the one of its weights: whole layers were not read. None if all were.

    Args:
        unread: Names of the weights that were not read.
        config: The configuration of the loaded model, as transformers has it.
    """
    values, number = config.to_dict(), getattr(config.get_text_config(), "num_hidden_layers", None)
    if not isinstance(number, int):
        return None
    found = [name for name in map(STACK.match, unread) if name and _is_own(name["place"], values)]
    beyond = [int(name["number"]) for name in found if int(name["number"]) >= number + _count_next(values)]
    if not beyond:
        return None
    asked = f"config.json asks for {count(number, 'layer')} (num_hidden_layers)"
    return f"{asked}, its weights have {max(beyond) + 1}; {MATCH}"


def _count_next(config: dict[str, Any]) -> int:
    number = config.get(NEXT_TOKENS)
    return number if isinstance(number, int) else 0


def _is_own(place: str, config: dict[str, Any]) -> bool:
    """Whether weights at a place, such as `model.`, are the model's own."""
    family = str(config.get("model_type")).replace("-", "_")
    return {*place.split(".")} <= PLACES | {family, ""}


def _check_layers(files: ModelFiles, config: dict[str, Any], names: list[str]) -> None:
    why = explain_other_layers(names, config)
    if why:
        raise files.refuse(why)


def _check_embedding(files: ModelFiles, config: dict[str, Any], tensors: list[StoredTensor]) -> None:
    found = [tensor for tensor in tensors if _is_embedding(tensor, config)]
    if len(found) != 1:
        return
    rows, width = found[0].shape
    is_narrow = config.get("model_type") in NARROW_FAMILIES or any(key in config for key in NARROW)
    widths = NARROW if is_narrow else WIDTHS
    for keys, held in ((("vocab_size",), rows), (widths, width)):
        said = {key: config[key] for key in keys if isinstance(config.get(key), int)}
        if said and held not in said.values():
            key, value = next(iter(said.items()))
            raise files.refuse(f"config.json says {key} {value}, its weights have {held} ({found[0].name}); {MATCH}")


def _is_embedding(tensor: StoredTensor, config: dict[str, Any]) -> bool:
    found = EMBEDDING.fullmatch(tensor.name)
    return found is not None and len(tensor.shape) == MATRIX and _is_own(found["place"], config)


def _check_head(files: ModelFiles, config: dict[str, Any], names: list[str]) -> None:
    """Refuse a configuration whose head is a matrix of its own, with weights that lack it."""
    if config.get("tie_word_embeddings") is False and any(
        all(name.startswith(begin) for name in names) for begin in HEADLESS
    ):
        raise files.refuse(
            "config.json says tie_word_embeddings false, its weights have no lm_head.weight; write true there if the "
            f"model was trained so, or {AGAIN}"
        )
