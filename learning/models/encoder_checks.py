"""Checks whether a model is an encoder that can be fine-tuned, and reads the labels of its classification head.

Reads configurations only; loads no heavy library.
"""

from pathlib import Path
from typing import Any

from learning.models.adapter_files import AGAIN, CONFIG, AdapterError, check_adapter, check_files
from learning.models.families import CLASSIFIERS
from learning.models.model_files import WEIGHTS, ModelFiles, ModelFilesError, find_files
from learning.models.stored_tensors import read_tensors
from schemas.label import LABELS, Label, fold_word
from schemas.listing import count

FULL_FILES = ("config.json", WEIGHTS)
"""Files of a fine-tune of all weights. The tokenizer is that of the base."""
CLASSIFIER = "ForSequenceClassification"
"""Ending of the names of transformers' classes of sequence classifiers."""
WORDS = {
    Label.NEGATIVE: ("negative", "neg", "bearish"),
    Label.NEUTRAL: ("neutral", "neu"),
    Label.POSITIVE: ("positive", "pos", "bullish"),
}
"""Names of the labels in sentiment classifiers."""
LABELS_OF_WORDS = {word: label for label, words in WORDS.items() for word in words}
AFTER_PADDING = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Families whose positions begin after the number of the padding token."""
SINGLE = "single_label_classification"
PLAIN = "give a plain encoder, whose head fintone adds, or one with those three labels"


def is_encoder(config: dict[str, Any]) -> bool:
    """Whether a configuration is that of an encoder of a family that is fine-tuned as a classifier."""
    return str(config.get("model_type")) in CLASSIFIERS and not config.get("is_decoder")


def check_encoder(files: ModelFiles, config: dict[str, Any]) -> None:
    """Check that an encoder has no head, or one for the three labels.

    Raises:
        ModelFilesError: Its head has other labels.
    """
    _read_labels(files, config)


def find_labels(files: ModelFiles) -> tuple[Label, ...] | None:
    """The labels of a classification head, in its order; None for an encoder without one.

    Raises:
        ModelFilesError: The head has other labels.
    """
    return _read_labels(files, files.read_json("config.json"))


def _read_labels(files: ModelFiles, config: dict[str, Any]) -> tuple[Label, ...] | None:
    if not any(name.endswith(CLASSIFIER) for name in _classes(config)):
        return None
    named = config.get("id2label")
    words = list(named.values()) if isinstance(named, dict) else ["LABEL_0", "LABEL_1"]  # transformers' own default
    if config.get("problem_type") not in (None, SINGLE):
        raise files.refuse(f"its head has problem_type {config['problem_type']!r}, not one label a headline; {PLAIN}")
    if len(words) != len(LABELS):
        raise files.refuse(
            f"its head has {count(len(words), 'label')} ({', '.join(map(str, words[:5]))}), not "
            f"the three of sentiment (negative, neutral, positive); {PLAIN}"
        )
    labels = []
    for number in range(len(LABELS)):
        word = named.get(str(number)) if isinstance(named, dict) else None
        label = LABELS_OF_WORDS.get(fold_word(str(word)))
        if label is None or label in labels:
            why = "is a second word for one label" if label else "is none of negative, neutral, positive"
            raise files.refuse(
                f"label {number} of its head, {word!r}, {why}; name it so in id2label of config.json, in a copy"
            )
        labels.append(label)
    return tuple(labels)


def most_tokens(config: dict[str, Any]) -> int | None:
    """The most tokens that an encoder takes, special ones included; None if its configuration sets no limit.

    Args:
        config: All values of its configuration, with transformers' defaults.
    """
    positions: int | None = config.get("max_position_embeddings")
    if positions is not None and config["model_type"] in AFTER_PADDING:
        return positions - (config.get("pad_token_id") or 0) - 1
    return positions


def _classes(config: dict[str, Any]) -> list[str]:
    listed = config.get("architectures")
    return [str(name) for name in listed] if isinstance(listed, list) else []


def is_adapter(folder: Path) -> bool:
    """Whether a fine-tune of an encoder is a LoRA adapter; else all weights."""
    return (folder / CONFIG).exists()


def check_fine_tuned(folder: Path, expected: str | None = None) -> str:
    """Check the files of a fine-tuned encoder (all weights or an adapter) and return their hash.

    Args:
        folder: Its folder.
        expected: The hash that the files must have; any when None.

    Raises:
        AdapterError: A file is absent, not a regular file or damaged; or the files have another form or hash.
    """
    if is_adapter(folder):
        return check_adapter(folder, expected)
    found = check_files(folder, FULL_FILES, expected)
    try:
        files = find_files("fine-tune", folder)
        read_tensors(files)
        labels = find_labels(files)
    except ModelFilesError as error:
        raise AdapterError(f"{error}; {AGAIN}") from error
    if labels is None:
        raise AdapterError(f"fine-tune {folder}: config.json names no classification head; {AGAIN}")
    return found
