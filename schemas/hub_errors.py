"""Errors of the hub for a model or a data set that it refuses."""


def explain_refusal(error: Exception, revision: str | None, elsewhere: str = "") -> str | None:
    """The problem and its remedy, as text that follows a name; None where it was not the hub that refused.

    Args:
        error: What the hub's client raised.
        revision: The requested revision.
        elsewhere: Where else the name was looked for, such as `; nor is it a folder here`.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return "is gated; accept its terms on the hub and set HF_TOKEN to a token that may read it"
    if isinstance(error, RepositoryNotFoundError):
        return f"is not on the hub, or private; check it or set HF_TOKEN{elsewhere}"
    if isinstance(error, RevisionNotFoundError):
        return f"has no revision {revision!r}; give a commit, branch or tag"
    return None
