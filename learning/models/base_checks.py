"""Checks by its files whether a model can be fine-tuned: kind, sizes, tokenizer, finite weights.

Loads no torch. `learning.scoring.probe` checks properties that only show in the loaded model.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from typing import Any

from learning.models.families import ENCODERS, RECURRENT, RELATIVE
from learning.models.model_files import AGAIN, ModelFiles
from learning.models.shape_checks import LAYERS, check_known, check_shapes
from learning.models.stored_tensors import EXPONENTS, StoredTensor, find_not_finite, read_tensors

ConfigCheck = Callable[[ModelFiles, dict[str, Any]], None]
"""Checks that a configuration is that of a kind of model; raises `ModelFilesError`."""

ATTENTION = {
    "_attn_implementation": {"eager", "sdpa"},
    "attn_implementation": {"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"},
    "_experts_implementation": {"eager", "batched_mm", "grouped_mm"},
    "experts_implementation": {"eager", "batched_mm", "grouped_mm"},
}
"""Implementations that a configuration may name; transformers fetches any other from the hub, as code. The second key
has no effect, since fintone names the attention itself."""
OTHER_FILES = {
    "configuration_files",
    "transformers_weights",
    "fast_tokenizer_files",
    "gguf_file",
    "vocab_file",
    "tokenizer_file",
    "merges_file",
    "adapter_kwargs",
    "subfolder",
}
"""Keys of settings that make transformers load other files."""
SETTINGS = ("config.json", "sentence_*.json")
"""Files whose values libraries take as settings of the model."""
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json")

PARTS_OF_OTHERS = ("vision_config", "audio_config", "text_config", "speech_config")
"""Keys that show in a configuration that the model takes more than text."""
DECODERS = ("ForCausalLM", "LMHeadModel")
"""Endings of the names of transformers' classes of causal language models."""
LANGUAGE_MODEL = "give a causal language model, such as a Llama, Mistral, Qwen, Gemma or GPT-2"

ENCODER = "give a BERT, RoBERTa, DeBERTa, ModernBERT, DistilBERT or ELECTRA"

QUANTISED = ("quantization_config", "compression_config")
QUANTISED_TENSORS = (".qweight", ".weight_packed", ".absmax", ".quant_state.")
UNQUANTISED = "give the model's original weights in 16 or 32 bits: fintone quantises them itself"

SIZES = (
    *("vocab_size", "hidden_size", "n_embd", "d_model", "intermediate_size", "n_inner", "ffn_dim", "head_dim"),
    *("num_attention_heads", "num_key_value_heads", "n_head", "num_experts", "num_local_experts", "n_routed_experts"),
    "num_labels",
)
"""Keys whose value is at most the largest dimension of a weight."""


def check_names(files: ModelFiles) -> None:
    """Check that the settings in a model's files name no other file and no code to load.

    Raises:
        ModelFilesError: A setting does.
    """
    for file in files.opened:
        name = file.relative_to(files.folder).as_posix()
        if file.name in TOKENIZER_SETTINGS:
            named = [key for key, value in files.read_json(name).items() if _names_a_file(file.name, key, value)]
            if named:
                raise files.refuse(f"{name} names other files to load ({named[0]}); remove the key")
        if not any(fnmatch(file.name, pattern) for pattern in SETTINGS):
            continue
        for key, value in _walk(files.read_json(name)):
            if key in OTHER_FILES and value:
                raise files.refuse(f"{name} names other files to load ({key}); remove the key")
            unknown = [name for name in _strings(value) if name not in ATTENTION[key]] if key in ATTENTION else []
            if unknown:
                raise files.refuse(
                    f"{name} asks for {key} {unknown[0]!r}, which is not used; write sdpa or eager there"
                )


def _names_a_file(file: str, key: str, value: Any) -> bool:
    """Whether a key of a tokenizer's settings makes transformers open a file.

    Keys of tokenizer_config.json that end in `_file` do not: other tools write them, and transformers puts the folder's
    own files in their place. The map of special tokens is taken after that, whatever its keys are.
    """
    if file == "special_tokens_map.json":
        return not key.endswith(("_token", "_tokens"))
    if key in {"vocab", "merges"}:
        return isinstance(value, str)
    inside = value if isinstance(value, dict) else {}
    return key == "fast_tokenizer_files" or (key == "init_inputs" and bool(value)) or "model_file" in inside


def check_base(files: ModelFiles, check_kind: ConfigCheck) -> None:
    """Check a base model without loading it, except for the values of its weights.

    Args:
        files: The model's files.
        check_kind: Checks that its configuration is of the right kind.

    Raises:
        ModelFilesError: It does not fit; the message has the reason and a remedy.
    """
    check_config(files, check_kind)
    check_loadable(files)
    config = files.read_json("config.json")
    check_shapes(files, config, read_tensors(files))
    _check_vocabulary(files, config)


def check_config(files: ModelFiles, check_kind: ConfigCheck) -> None:
    """Check the configuration of a base model; see `check_base`.

    Raises:
        ModelFilesError: It is of a kind that is not fine-tuned, unknown to transformers, or already quantised.
    """
    config = files.read_json("config.json")
    check_kind(files, config)
    _check_not_quantised(files, config, [])
    check_known(files, config)


def check_loadable(files: ModelFiles) -> None:
    """Check that a library that loads the model would open no other files and build no more than the weights can fill.

    Raises:
        ModelFilesError: It would, or the weights are already quantised.
    """
    check_names(files)
    config, tensors = files.read_json("config.json"), read_tensors(files)
    _check_not_quantised(files, config, tensors)
    _check_sizes(files, config, tensors)


def check_numbers(files: ModelFiles, seconds: float | None = None) -> None:
    """Check that every weight is a finite number.

    Args:
        files: The model's files.
        seconds: Time limit, after which the rest is assumed to be finite; no limit when None.

    Raises:
        ModelFilesError: A weight is NaN or infinite.
    """
    broken = find_not_finite(read_tensors(files), seconds)
    if broken:
        raise files.refuse(f"its weights {broken.name} hold NaN or infinity; {AGAIN}")


def check_causal(files: ModelFiles, config: dict[str, Any]) -> None:
    """Check that a configuration is that of a causal language model that can be fine-tuned.

    Raises:
        ModelFilesError: It is another model.
    """
    kind = str(config.get("model_type", "unknown"))
    listed = config.get("architectures")
    classes = [str(name) for name in listed] if isinstance(listed, list) else []
    named = classes[0] if classes else kind
    if config.get("is_encoder_decoder"):
        raise files.refuse(f"is an encoder with a decoder ({named}), which is not fine-tuned; {LANGUAGE_MODEL}")
    if any(key in config for key in PARTS_OF_OTHERS):
        raise files.refuse(f"takes more than text ({named}), which is not fine-tuned; {LANGUAGE_MODEL}")
    if kind in ENCODERS and not config.get("is_decoder"):
        raise files.refuse(
            f"is an encoder of a family that is not fine-tuned ({named}); {ENCODER}, or a language model"
        )
    if classes and not any(name.endswith(DECODERS) for name in classes):
        raise files.refuse(f"is no causal language model but {named}; {LANGUAGE_MODEL}")
    if kind in RECURRENT:
        raise files.refuse(f"is a recurrent model ({named}), which is not fine-tuned; {LANGUAGE_MODEL}")
    if kind in RELATIVE or (kind == "falcon" and config.get("alibi")):
        raise files.refuse(f"has ALiBi positions ({named}), which do not fit packed batches; {LANGUAGE_MODEL}")


def _check_not_quantised(files: ModelFiles, config: dict[str, Any], tensors: list[StoredTensor]) -> None:
    for key in QUANTISED:
        if config.get(key):
            settings = config[key] if isinstance(config[key], dict) else {}
            method = settings.get("quant_method") or ("bitsandbytes" if "load_in_4bit" in settings else key)
            raise files.refuse(f"its weights are quantised already ({method}); {UNQUANTISED}")
    for tensor in tensors:
        is_rounded = tensor.name.endswith(".weight") and tensor.dtype not in EXPONENTS
        if is_rounded or any(mark in tensor.name for mark in QUANTISED_TENSORS):
            raise files.refuse(f"its weights are quantised already ({tensor.name}, {tensor.dtype}); {UNQUANTISED}")


def _check_sizes(files: ModelFiles, config: dict[str, Any], tensors: list[StoredTensor]) -> None:
    """Refuse sizes that the weights cannot have: building such a model could take all memory, or hours."""
    largest = max((size for tensor in tensors for size in tensor.shape), default=1)
    for keys, limit in ((LAYERS, len(tensors)), (SIZES, largest)):
        for key in keys:
            value = config.get(key)
            if isinstance(value, str | float) or (isinstance(value, int) and not 0 < value <= limit):
                raise files.refuse(f"config.json says {key} {value!r}, its weights allow 1 to {limit:,}; {AGAIN}")


def _check_vocabulary(files: ModelFiles, config: dict[str, Any]) -> None:
    """Check tokenizer.json, if there is one; `learning.scoring.probe` checks other tokenizers."""
    from tokenizers import Tokenizer

    file, rows = files.folder / "tokenizer.json", config.get("vocab_size")
    if file not in files.opened:
        return
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises the bare class
        raise files.refuse(f"its tokenizer cannot be loaded ({error}); {AGAIN}") from error
    special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    beyond = explain_token_beyond(tokenizer.get_vocab(), special, rows) if isinstance(rows, int) else None
    if beyond:
        raise files.refuse(beyond)


def explain_token_beyond(vocabulary: dict[str, int], special: set[int], rows: int) -> str | None:
    """Why a tokenizer does not fit an embedding: it has a token without a row. None if it fits.

    Args:
        vocabulary: Number of each token, including special ones.
        special: Numbers of special tokens, which no text is ever encoded to.
        rows: Number of rows of the embedding.
    """
    beyond = {number: token for token, number in vocabulary.items() if number >= rows and number not in special}
    if not beyond:
        return None
    number, token = max(beyond.items())
    return (
        f"its tokenizer goes up to token {number} ({token!r}), its embedding has {rows} rows (vocab_size); take the "
        "tokenizer that belongs to the weights, or resize the embedding (`resize_token_embeddings`)"
    )


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth of JSON."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield from node.items()
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _strings(value: Any) -> Iterator[str]:
    """The text of a value, or of each value of a mapping."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif value is not None:
        yield str(value)
