"""How many tokens a model takes, by its configuration; loads no weights."""

from pathlib import Path
from typing import Any

from learning.models.base_checks import check_names
from learning.models.model_files import find_configuration, handed_over
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import longest_allowed

LIMIT = "max_position_embeddings"


def read_bound(thing: str, folder: Path) -> int | None:
    """The most tokens that the causal language model of a folder takes; None if its configuration sets no limit.

    Raises:
        InputError: The configuration is not one that transformers may read.
    """
    bound: int | None = read_config(thing, folder).get(LIMIT)
    return bound


def read_config(thing: str, folder: Path) -> dict[str, Any]:
    """A model's config.json, with transformers' defaults where it does not say how many tokens the model takes.

    Raises:
        InputError: The configuration is not one that transformers may read.
    """
    files = find_configuration(thing, folder)
    said = files.read_json("config.json")
    if isinstance(said.get(LIMIT), int):
        return said
    from transformers import AutoConfig

    check_names(files)
    with handed_over(files) as place, quiet_libraries():
        config: Any = AutoConfig.from_pretrained(str(place), trust_remote_code=False)
    return {**config.to_dict(), LIMIT: longest_allowed(config)}
