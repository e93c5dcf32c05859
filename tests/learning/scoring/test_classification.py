"""Batches of a sequence classifier: their size, their order, and what they do when memory runs out."""

from typing import Any

import pytest
import torch

from learning.models.device import Device
from learning.models.encoder import load_encoder
from learning.scoring.classification import classify_rows
from schemas.label import LABELS
from tests.learning.models.encoders import make_encoder

CPU = Device("cpu", torch.float32, "adamw_torch", scoring_tokens=40)
LENGTHS = (3, 20, 7, 5, 20, 11, 2, 9, 15, 4)
NO_MEMORY_FOR_CUBLAS = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"
ROWS = [{"input_ids": [100 + number] * length} for number, length in enumerate(LENGTHS)]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_encoder(make_encoder(tmp_path_factory.mktemp("encoder"), labels=LABELS), CPU)


def classify(classifier: Any, rows: list[dict[str, list[int]]], most: int) -> tuple[torch.Tensor, list[int], list[int]]:
    """The probabilities, the tokens of each pass and the headlines done after it; memory is for `most` tokens."""
    tokens, done = list[int](), list[int]()

    def limit(_: Any, __: Any, inputs: dict[str, torch.Tensor]) -> None:
        if inputs["input_ids"].numel() > most:
            raise RuntimeError(NO_MEMORY_FOR_CUBLAS)
        tokens.append(inputs["input_ids"].numel())

    hook = classifier.register_forward_pre_hook(limit, with_kwargs=True)
    try:
        found = classify_rows(classifier, rows, [1.0], pad_token=1, device=CPU, on_batch=done.append)
    finally:
        hook.remove()
    return found.sampled[:, 0], tokens, done


@pytest.mark.parametrize("most", [1_000, 25], ids=["enough memory", "memory for a long row"])
def test_a_batch_has_at_most_the_tokens_that_fit_and_progress_counts_all_headlines(classifier: Any, most: int) -> None:
    alone = torch.cat([classify(classifier, [row], 1_000)[0] for row in ROWS])
    found, tokens, done = classify(classifier, ROWS, most)
    assert max(tokens) <= min(most, CPU.scoring_tokens)
    assert len(tokens) == len(done) < len(ROWS)
    assert done == sorted(set(done))
    assert done[-1] == len(ROWS)
    assert found.numpy() == pytest.approx(alone.numpy(), rel=1e-4)


def test_a_row_that_does_not_fit_alone_ends_it(classifier: Any) -> None:
    with pytest.raises(RuntimeError, match=NO_MEMORY_FOR_CUBLAS):
        classify(classifier, ROWS, 10)
