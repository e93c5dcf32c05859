"""Scoring with a sequence classifier, in batches of similar length and at several temperatures."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from learning.models.device import Device, is_out_of_memory
from learning.models.encoder import label_columns
from learning.models.encoder_rows import Row, pad_rows
from learning.prompt.decoding import LabelProbabilities
from learning.prompt.not_finite import not_finite
from learning.study.unparsed import UNPARSED


def classify_rows(
    model: Any,
    rows: Sequence[Row],
    temperatures: Sequence[float],
    *,
    pad_token: int | None,
    device: Device,
    on_batch: Callable[[int], None],
) -> LabelProbabilities:
    """The probability of each label at each of D temperatures, and the arg-max.

    The probabilities are softmax(logits / T). A classifier has only three answers, so none is unparsed, and top-k and
    top-p have no effect.

    Args:
        model: A sequence classifier in evaluation mode.
        rows: The rows of N headlines, at least one.
        temperatures: D temperatures.
        pad_token: The tokenizer's token for padding, if it has one.
        device: The device of the model.
        on_batch: Called after each batch with the number of headlines that are done.

    Raises:
        NotFiniteError: The logits are NaN or infinite.
    """
    logits = torch.empty(len(rows), UNPARSED, dtype=torch.float64)
    columns = label_columns(model)
    order = sorted(range(len(rows)), key=lambda number: -len(rows[number]["input_ids"]))
    done, most = 0, device.scoring_tokens
    while done < len(order):
        batch = order[done : done + max(1, most // len(rows[order[done]]["input_ids"]))]
        inputs = pad_rows([rows[number] for number in batch], pad_token)
        found = None
        try:
            with torch.inference_mode():
                found = model(**{name: tensor.to(device.name) for name, tensor in inputs.items()}).logits
        except RuntimeError as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
        if found is None:  # memory ran out; after the block, the error no longer keeps what the pass took
            most //= 2
            torch.cuda.empty_cache()
            continue
        logits[batch] = found[:, columns].double().cpu()
        done += len(batch)
        on_batch(done)
    if not logits.isfinite().all():
        raise not_finite("model")
    return tempered(logits, temperatures)


def tempered(logits: torch.Tensor, temperatures: Sequence[float]) -> LabelProbabilities:
    """Probabilities [N, D, 4] from logits [N, 3]: softmax(logits / T), and 0 for an unparsed answer."""
    divided = logits[:, None, :] / torch.tensor(temperatures, dtype=torch.float64)[:, None]
    sampled = torch.nn.functional.pad(divided.softmax(dim=-1), (0, 1))
    return LabelProbabilities(sampled, logits.argmax(dim=-1))
