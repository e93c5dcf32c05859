"""The most tokens that a model takes, according to its configuration; loads no weights."""

from pathlib import Path
from typing import Any

from learning.models.base_checks import check_names
from learning.models.model_files import find_configuration, handed_over
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import longest_allowed

LIMIT = "max_position_embeddings"


def read_bound(noun: str, folder: Path) -> int | None:
    """The most tokens that the causal language model of a folder takes; None if its configuration sets no limit.

    Raises:
        InputError: Transformers may not read the configuration.
    """
    bound: int | None = read_config(noun, folder).get(LIMIT)
    return bound


def read_config(noun: str, folder: Path) -> dict[str, Any]:
    """A model's config.json, with transformers' defaults if it does not set how many tokens the model takes.

    Raises:
        InputError: Transformers may not read the configuration.
    """
    files = find_configuration(noun, folder)
    values = files.read_json("config.json")
    if isinstance(values.get(LIMIT), int):
        return values
    from transformers import AutoConfig

    check_names(files)
    with handed_over(files) as place, quiet_libraries():
        config: Any = AutoConfig.from_pretrained(str(place), trust_remote_code=False)
    return {**config.to_dict(), LIMIT: longest_allowed(config)}
