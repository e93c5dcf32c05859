"""Probes of a loaded base model: it must be causal, with finite logits that stay the same after a cached prefix.

The probes are a few short passes when a base is loaded. They find families that `learning.models.families` does not
list.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from learning.models.alike import is_alike
from learning.models.base_checks import LANGUAGE_MODEL, explain_token_beyond
from learning.models.base_model import BaseModelError
from learning.models.device import is_out_of_memory
from learning.models.model_files import AGAIN
from learning.models.quiet import quiet_libraries
from learning.prompt.encoding import encode_prompts
from learning.scoring.passes import ALIKE, node_logits
from learning.scoring.prefix_cache import compute_prefix
from schemas.cell import PromptSettings

if TYPE_CHECKING:
    from learning.models.loaded_base import LoadedBase

TEXTS = ("Profit rose .", "Sales of the Finnish company fell by a tenth")
CHANGED = 3
"""Number of last tokens that are changed, to detect whether earlier ones look ahead."""
CAUSAL = {dtype: tolerance / 10 for dtype, tolerance in ALIKE.items()}
"""As `ALIKE`, for logits that are computed in one way: rounding makes it almost 0, an untrained encoder a
thousandth."""


def probe_base(base: "LoadedBase") -> None:
    """Check that a base can be fine-tuned and scored.

    Raises:
        BaseModelError: It cannot; the message has the reason and a remedy.
    """
    with torch.inference_mode(), quiet_libraries():
        _probe(base)


def _probe(base: "LoadedBase") -> None:
    model, dtype = base.model, base.device.dtype
    prompts = encode_prompts(TEXTS, base.tokenizer, PromptSettings())
    beyond = _explain_tokens(model, base.tokenizer, prompts)
    if beyond:
        raise _unfit(model, beyond)
    with _refusing(model, "takes no prompt"):
        alone = [_logits(model, ids) for ids in prompts]
        is_causal = _is_causal(model, prompts[-1], alone[-1], CAUSAL[dtype])
    if not all(bool(logits.isfinite().all()) for logits in alone):
        raise _unfit(model, f"its logits are NaN or infinite in {base.device.dtype_name}; {_remedy(dtype)}")
    if not is_causal:
        raise _unfit(model, _explain(model, "looks at the words that follow, as an encoder does"))
    with _refusing(model, "takes no shared prefix"):
        behind = _behind_prefix(base, prompts)
    whole = torch.stack([logits[-1] for logits in alone])
    if not is_alike(behind, whole, ALIKE[dtype]):
        raise _unfit(model, _explain(model, "gives other answers after a shared prefix than without one"))


@contextmanager
def _refusing(model: Any, why: str) -> Iterator[None]:
    """Report any error in the block, except for lack of memory, as a family that does not fit."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _unfit(model, _explain(model, why)) from error


def _logits(model: Any, ids: Sequence[int]) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=torch.tensor([ids], device=model.device)).logits[0].float()
    return logits


def _explain_tokens(model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]]) -> str | None:
    """Why the tokenizer does not fit the embedding, or None; a special token counts if it is in every text."""
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    used = {number for ids in prompts for number in ids}
    return explain_token_beyond(tokenizer.get_vocab(), special - used, model.get_input_embeddings().weight.shape[0])


def _is_causal(model: Any, ids: Sequence[int], logits: torch.Tensor, tolerance: float) -> bool:
    """Whether earlier logits stay the same when the last tokens change."""
    kept, first = len(ids) - CHANGED, ids[0]
    return is_alike(_logits(model, [*ids[:kept], *[first] * CHANGED])[:kept], logits[:kept], tolerance)


def _behind_prefix(base: "LoadedBase", prompts: list[tuple[int, ...]]) -> torch.Tensor:
    """Logits at the end of each prompt, computed as scoring does."""
    prefix = compute_prefix(base.model, prompts)
    suffixes = [ids[prefix.length :] for ids in prompts]
    return node_logits(base.model, prefix, suffixes, base.answers(PromptSettings()))[:, 0].float()


def _explain(model: Any, why: str) -> str:
    return f"{type(model).__name__} {why}, and is not fine-tuned; {LANGUAGE_MODEL}"


def _remedy(dtype: torch.dtype) -> str:
    return AGAIN if dtype is torch.float32 else "set training.precision=float32"


def _unfit(model: Any, why: str) -> BaseModelError:
    return BaseModelError(f"base model {model.name_or_path}: {why}")
