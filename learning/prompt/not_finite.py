"""The error of a model whose logits are NaN or infinite. Loads no torch, so that code that catches it need not."""

from schemas.errors import FailureError


class NotFiniteError(FailureError):
    """A model's logits are NaN or infinite, from which no answer follows."""


def not_finite(thing: str) -> NotFiniteError:
    """The error of a model, named so that a person knows which one it is."""
    return NotFiniteError(
        f"{thing}: its logits are NaN or infinite, which is no answer; train it at a smaller learning rate, or with "
        "training.precision=float32"
    )
