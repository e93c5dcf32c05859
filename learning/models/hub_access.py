"""Checks whether the hub answers and accepts the token. Fetches nothing, and never shows a token."""

import os
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from learning.models.hub import name_offline_switches
from schemas.checkup import Finding
from schemas.reasons import describe_reason
from schemas.redaction import HUB_TOKENS, show_address

PATIENCE = 3.0
"""Seconds that the hub may take for an answer."""
REFUSED = 401
NO_TOKEN = "for gated models, as Llama 2 is: accept the licence there and set HF_TOKEN"  # noqa: S105 (advice)
NO_HUB = "give models as local folders, or mend the network or its proxy; models fetched before still serve"


@dataclass(frozen=True)
class Answer:
    """The result of a request."""

    status: int | None
    """HTTP status; None if there was no answer."""
    reason: str = ""
    """Why there was no answer."""


def check_hub() -> Finding:
    """Whether the hub answers, and accepts the token if there is one. A run with local models does not need it."""
    from huggingface_hub import constants, is_offline_mode

    if is_offline_mode():
        switches = name_offline_switches()
        text = f"offline, as {switches} says: only models that are here already"
        return Finding("hub", "note", text, f"to fetch others: unset {switches}")
    address = show_address(constants.ENDPOINT)
    if address is None:
        return Finding("hub", "note", "HF_ENDPOINT is no address", "unset it, or give one such as https://HOST")
    return _judge(address, _find_token(Path(constants.HF_TOKEN_PATH)), ask_hub(PATIENCE))


def _find_token(file: Path) -> str | None:
    """The variable or file that holds the token; None if there is no token."""
    variables = [name for name in HUB_TOKENS if os.environ.get(name, "").strip()]
    if variables:
        return variables[0]
    return str(file) if file.is_file() else None


def _judge(address: str, token: str | None, answer: Answer) -> Finding:
    known = f"a token is set by {token}" if token else "no token is set"
    if answer.status is None:
        return Finding("hub", "note", f"{address} does not answer ({answer.reason}); {known}", NO_HUB)
    if token and answer.status == REFUSED:
        remedy = "make a new token there and set HF_TOKEN, or unset it: public models need none"
        return Finding("hub", "note", f"{address} refuses the token that is set by {token}", remedy)
    if answer.status >= 400:  # noqa: PLR2004 (errors of HTTP begin there)
        return Finding("hub", "note", f"{address} answers with status {answer.status}; {known}", NO_HUB)
    if token is None:
        return Finding("hub", "note", f"{address} answers; {known}", NO_TOKEN)
    return Finding("hub", "ok", f"{address} answers and takes the token that is set by {token}")


def ask_hub(seconds: float) -> Answer:
    """Request the user's name from the hub, or a public model if there is no token.

    Args:
        seconds: Longest wait. After it the request continues in a thread that nobody waits for: without a network,
            resolving a name takes longer than any time limit of a request.
    """
    answers: SimpleQueue[Answer] = SimpleQueue()
    Thread(target=lambda: answers.put(_ask()), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        return Answer(None, f"no answer within {seconds:g} s")


def _ask() -> Answer:
    from huggingface_hub import HfApi, constants, get_session, get_token
    from huggingface_hub.errors import HfHubHTTPError

    try:
        if get_token():
            HfApi().whoami()
            return Answer(200)
        return Answer(get_session().get(f"{constants.ENDPOINT}/api/models?limit=1").status_code)
    except HfHubHTTPError as error:
        return Answer(error.response.status_code)
    except Exception as error:  # noqa: BLE001 (whatever its transport raises: a lost connection, a proxy, a certificate)
        return Answer(None, describe_reason(error))
