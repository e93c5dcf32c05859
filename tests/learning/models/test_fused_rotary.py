"""Queries and keys are rotated as the families' own functions do it, with the same gradients."""

from collections.abc import Callable

import pytest
import torch
from transformers import GPTJConfig, GPTNeoXConfig, GPTNeoXForCausalLM, Olmo2Config, Olmo2ForCausalLM
from transformers.models.gptj import modeling_gptj
from transformers.models.llama import modeling_llama
from transformers.models.qwen2 import modeling_qwen2

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_model
from learning.models.device import choose_device
from learning.models.fused_rotary import fused_rotary, rotate


def rotated(function: object, heads_at: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    shape = (2, 4, 5, 8) if heads_at == 1 else (2, 5, 4, 8)
    query, key = (torch.randn(shape, generator=generator, requires_grad=True) for _ in range(2))
    cos, sin = (torch.randn(2, 5, 8, generator=generator) for _ in range(2))
    results = function(query, key, cos, sin, unsqueeze_dim=heads_at)  # type: ignore[operator]
    weights = torch.linspace(-1, 2, results[0].numel()).view(shape)
    sum((result * weights).sum() for result in results).backward()
    assert query.grad is not None
    assert key.grad is not None
    return [*results, query.grad, key.grad]


@pytest.mark.parametrize("heads_at", [1, 2])
@pytest.mark.parametrize("family", [modeling_llama, modeling_qwen2])
def test_results_and_gradients_are_the_familys_own(family: object, heads_at: int) -> None:
    expected = rotated(family.apply_rotary_pos_emb, heads_at)  # type: ignore[attr-defined]
    for one, other in zip(rotated(rotate, heads_at), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_a_llama_uses_the_fused_function_only_inside_the_block() -> None:
    model = load_model(MODEL_FOLDER, "none", choose_device())
    original = modeling_llama.apply_rotary_pos_emb
    ids = torch.arange(3, 40)[None]
    expected = model(ids).logits
    with fused_rotary(model):
        assert modeling_llama.apply_rotary_pos_emb is not original
        logits = model(ids).logits
    assert modeling_llama.apply_rotary_pos_emb is original
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_a_function_that_pairs_other_halves_is_not_replaced() -> None:
    original = modeling_gptj.apply_rotary_pos_emb
    config = GPTJConfig(vocab_size=50, n_positions=16, n_embd=8, n_layer=1, n_head=2, rotary_dim=4)
    with fused_rotary(modeling_gptj.GPTJForCausalLM(config)):
        assert modeling_gptj.apply_rotary_pos_emb is original


def write_neox() -> torch.nn.Module:
    """A family that rotates a quarter of each head."""
    config = GPTNeoXConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=32,
    )
    return GPTNeoXForCausalLM(config)


def write_olmo() -> torch.nn.Module:
    """A family whose angles are always in float32."""
    config = Olmo2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=32,
        pad_token_id=0,
    )
    return Olmo2ForCausalLM(config).bfloat16()


@pytest.mark.parametrize("write", [write_neox, write_olmo])
def test_families_that_rotate_partly_or_in_another_dtype_compute_as_before(
    write: Callable[[], torch.nn.Module],
) -> None:
    torch.manual_seed(1)
    model, ids = write().eval(), torch.arange(10)[None]
    expected = model(ids).logits
    with fused_rotary(model):
        torch.testing.assert_close(model(ids).logits, expected)
