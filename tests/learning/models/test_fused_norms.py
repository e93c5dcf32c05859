"""torch's norm replaces that of a family only if both are the same function."""

import copy

import pytest
import torch
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_model
from learning.models.device import choose_device
from learning.models.fused_norms import fuse_norms


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_llamas_norms_are_fused_and_its_logits_stay_the_same(dtype: torch.dtype) -> None:
    model = load_model(MODEL_FOLDER, "none", choose_device()).to(dtype)
    for module in model.modules():
        if isinstance(module, LlamaRMSNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 2.0)
    original = copy.deepcopy(model)
    assert fuse_norms(model) == 2 * model.config.num_hidden_layers + 1
    assert not any(isinstance(module, LlamaRMSNorm) for module in model.modules())
    assert model.state_dict().keys() == original.state_dict().keys()
    ids = torch.arange(3, 40)[None]
    logits, expected = model(ids).logits.float(), original(ids).logits.float()
    tolerance = 1e-5 if dtype == torch.float32 else 0.05
    assert (logits - expected).abs().max() <= tolerance * expected.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("largest", [2.0, 60.0, 500.0])
def test_a_norm_that_adds_one_to_its_weight_is_not_replaced(largest: float, dtype: torch.dtype) -> None:
    """Gemma 3's weights reach tens: compared with the largest outputs, one more or less looks like rounding."""
    model = torch.nn.Sequential(Gemma3RMSNorm(640))
    torch.nn.init.uniform_(model[0].weight, 0.0, largest)
    model.to(dtype)
    assert fuse_norms(model) == 0
    assert isinstance(model[0], Gemma3RMSNorm)
