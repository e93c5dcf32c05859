"""The error of a model whose logits are NaN or infinite. Loads no torch, for code that only catches it."""

from schemas.errors import FailureError


class NotFiniteError(FailureError):
    """A model's logits are NaN or infinite, so it has no answer."""


def not_finite(name: str) -> NotFiniteError:
    """The error of a model with this name."""
    return NotFiniteError(
        f"{name}: its logits are NaN or infinite, which is no answer; train it at a smaller learning rate, or with "
        "training.precision=float32"
    )
