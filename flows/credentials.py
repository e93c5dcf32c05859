"""Secrets of a flow: the hub's token, from the environment or else from a Prefect block. Not stored, not shown.

Blocks are stored encrypted on the Prefect server, so that a worker's environment needs no secret.
"""

import os
from typing import TYPE_CHECKING, cast

from schemas.redaction import HUB_TOKENS

if TYPE_CHECKING:
    from prefect.blocks.system import Secret

HUB_TOKEN_BLOCK = "fintone-hub-token"  # noqa: S105 (the name of a block)


def provide_hub_token() -> None:
    """Let this process, and those that it starts, read the hub with the token of the block `fintone-hub-token`.

    A token in the environment takes precedence. Without a block nothing is set; public models need no token.
    """
    if any(os.environ.get(name) for name in HUB_TOKENS):
        return
    from prefect.blocks.system import Secret

    try:
        block = cast("Secret[str]", Secret.load(HUB_TOKEN_BLOCK))
    except ValueError:  # there is none
        return
    os.environ[HUB_TOKENS[0]] = block.get()
