"""How many tokens a model takes, by its configuration; loads no weights."""

from pathlib import Path

from learning.models.base_checks import check_names
from learning.models.model_files import find_configuration, handed_over
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import longest_allowed


def read_bound(thing: str, folder: Path) -> int | None:
    """The most tokens that the model of a folder takes; None if its configuration sets no limit.

    Raises:
        InputError: The configuration is not one that transformers may read.
    """
    files = find_configuration(thing, folder)
    said = files.read_json("config.json").get("max_position_embeddings")
    if isinstance(said, int):
        return said
    from transformers import AutoConfig

    check_names(files)
    with handed_over(files) as place, quiet_libraries():
        return longest_allowed(AutoConfig.from_pretrained(str(place), trust_remote_code=False))
