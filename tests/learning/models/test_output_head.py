"""The loss over the output head and its gradients are those of all logits at once; other heads are not taken."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config

from learning.models import output_head
from learning.models.output_head import OutputHead, add_losses

K, D, V, M = 23, 16, 101, 40


def make_case(dtype: torch.dtype) -> tuple[torch.nn.Linear, torch.Tensor, tuple[torch.Tensor, ...]]:
    """A frozen head, hidden states, and targets: some rows have several, some have none."""
    random = torch.Generator().manual_seed(1)
    head = torch.nn.Linear(D, V, dtype=dtype).requires_grad_(False)
    hidden = (3 * torch.randn(K, D, generator=random)).to(dtype).requires_grad_(True)
    rows, targets = (torch.randint(most, (M,), generator=random) for most in (K - 2, V))
    return head, hidden, (rows, targets, torch.rand(M, generator=random) + 0.5)


@pytest.mark.parametrize("at_once", [1, 5 * V, 10_000], ids=["a row", "five rows", "all rows"])
def test_loss_and_gradient_are_those_of_all_logits(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(output_head.LOGITS_AT_ONCE, "cpu", at_once)
    head, hidden, where = make_case(torch.float32)
    loss, _ = OutputHead(head).add_losses(hidden, *where)
    (loss / 7).backward()
    exact = hidden.detach().double().requires_grad_(True)
    expected = add_losses(exact @ head.weight.double().T + head.bias.double(), *where)
    (expected / 7).backward()
    assert hidden.grad is not None
    torch.testing.assert_close(loss, expected.float(), rtol=1e-6, atol=0)
    torch.testing.assert_close(hidden.grad, exact.grad.float(), rtol=1e-5, atol=1e-6)


def test_a_head_in_bfloat16_gives_a_loss_in_float32() -> None:
    head, hidden, where = make_case(torch.bfloat16)
    loss, _ = OutputHead(head).add_losses(hidden, *where)
    loss.backward()
    assert (loss.dtype, hidden.grad.dtype) == (torch.float32, torch.bfloat16)  # type: ignore[union-attr]
    torch.testing.assert_close(loss, add_losses(head(hidden), *where), rtol=1e-2, atol=0)


def test_the_head_of_a_model_is_found_and_may_be_left_out(tiny_folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_folder).requires_grad_(False).train()
    head = OutputHead.find(model)
    assert head
    assert model.training
    tokens = torch.tensor([[5, 6, 7, 8]])
    with head.left_out():
        hidden = model(input_ids=tokens).logits
    assert hidden.shape == (1, 4, model.config.hidden_size)
    torch.testing.assert_close(head.module(hidden), model(input_ids=tokens).logits)


def test_a_head_with_capped_logits_or_trainable_weights_is_not_taken(tiny_folder: Path) -> None:
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "head_dim": 16,
    }
    config = Gemma2Config(vocab_size=V, num_key_value_heads=2, final_logit_softcapping=0.5, **shape)
    assert OutputHead.find(AutoModelForCausalLM.from_config(config).requires_grad_(False)) is None
    assert OutputHead.find(AutoModelForCausalLM.from_pretrained(tiny_folder)) is None


def test_rows_with_nan_do_not_change_the_losses_of_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of several trainings side by side may diverge; its rows are in another part of the logits, or in the same."""
    head = torch.nn.Linear(4, 6).requires_grad_(False)
    hidden = torch.randn(8, 4, generator=torch.Generator().manual_seed(3), requires_grad=True)
    rows, targets, weights = torch.arange(8), torch.arange(8) % 6, torch.ones(8)
    _, expected = OutputHead(head).add_losses(hidden, rows, targets, weights)
    broken = hidden.detach().clone()
    broken[4:] = torch.nan
    for at_once in (2 * 6, 4 * 6, 8 * 6):
        monkeypatch.setitem(output_head.LOGITS_AT_ONCE, "cpu", at_once)
        broken.requires_grad_(True)
        loss, losses = OutputHead(head).add_losses(broken, rows, targets, weights)
        torch.testing.assert_close(losses[:4], expected[:4])
        assert losses[4:].isnan().all()
        [gradient] = torch.autograd.grad(loss, broken)
        assert gradient[:4].isfinite().all()
