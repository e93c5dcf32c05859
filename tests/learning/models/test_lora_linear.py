"""LoRA's layer in one step has the outputs and gradients of peft's layer, and its dropout drops its share."""

import copy
import math

import pytest
import torch
from peft import LoraConfig
from peft.tuners.lora.layer import Linear

from embedded.paths import MODEL_FOLDER
from learning.models.adapter import attach_new_adapter, attach_saved_adapter
from learning.models.base_model import load_model
from learning.models.device import choose_device
from learning.models.loaded_base import LoadedBase
from learning.models.lora_linear import LoraLinear, draw_kept
from learning.models.saving import save_fine_tune
from schemas.cell import LoraSettings


def build(kind: type[Linear], dropout: float, *, bias: bool = True) -> Linear:
    """A layer of 12 in, 20 out and rank 4, whose adapter is not at zero."""
    torch.manual_seed(3)
    config = LoraConfig(r=4, lora_alpha=10, lora_dropout=dropout)
    layer = kind(torch.nn.Linear(12, 20, bias=bias).requires_grad_(False), "default", config, r=4, lora_alpha=10)
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    return layer.train()


def run(layer: Linear, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs of the layer, and all gradients of a sum that weighs each of them."""
    x = x.clone().requires_grad_(True)
    result = layer(x)
    (result * torch.linspace(-1, 2, result.numel()).view_as(result)).sum().backward()
    assert x.grad is not None
    named = {name: weight.grad for name, weight in layer.named_parameters() if weight.grad is not None}
    return {"result": result.detach(), "x": x.grad, **named}


def check_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert len(one) == 4
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("shape", [(7, 12), (2, 5, 12)])
def test_without_dropout_it_computes_as_pefts_layer(shape: tuple[int, ...], *, bias: bool) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    layer = build(LoraLinear, 0.0, bias=bias)
    expected = run(build(Linear, 0.0, bias=bias), x)
    check_same(run(layer, x), expected)
    assert type(layer(x.requires_grad_(True)).grad_fn).__name__ != "AddBackward0"  # as in peft's layer


def test_dropout_keeps_and_scales_only_the_input_of_the_adapter() -> None:
    x = torch.randn(6, 12, generator=torch.Generator().manual_seed(1))
    layer = build(LoraLinear, 0.4)
    torch.manual_seed(9)
    kept, probability = draw_kept(x, 0.4)
    assert 0 < kept.sum() < kept.numel()

    class Reference(Linear):  # type: ignore[misc]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            low = self.lora_A["default"](x * kept / probability)
            result: torch.Tensor = self.base_layer(x) + self.lora_B["default"](low) * (10 / 4)
            return result

    torch.manual_seed(9)
    check_same(run(layer, x), run(build(Reference, 0.4), x))


@pytest.mark.parametrize("dropout", [0.0, 0.05, 0.1, 0.5, 0.999999])
def test_dropout_drops_its_share_at_every_position(dropout: float) -> None:
    torch.manual_seed(2)
    kept, probability = draw_kept(torch.empty(1_000, 403), dropout)
    assert set(kept.unique().tolist()) <= {0.0, 1.0}
    assert probability == pytest.approx(1 - dropout, abs=2e-5)
    for lane in range(4):
        share = kept.flatten()[lane::4].mean().item()
        spread = math.sqrt(probability * (1 - probability) / (kept.numel() / 4))
        assert share == pytest.approx(probability, abs=5 * spread)
    neighbours = kept.flatten()[:-1] * kept.flatten()[1:]
    assert neighbours.mean().item() == pytest.approx(probability**2, abs=5e-3)


def test_where_it_does_not_apply_it_computes_as_pefts_layer() -> None:
    x = torch.randn(6, 12, generator=torch.Generator().manual_seed(1))
    ours, pefts = build(LoraLinear, 0.4), build(Linear, 0.4)
    assert torch.equal(ours.eval()(x), pefts.eval()(x))
    for layer in (ours, pefts):
        layer.train().enable_adapters(enabled=False)
    assert torch.equal(ours(x), pefts(x))
    half, other = (copy.deepcopy(build(kind, 0.0)).bfloat16() for kind in (LoraLinear, Linear))
    assert torch.equal(half(x.bfloat16()), other(x.bfloat16()))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(build(LoraLinear, 0.0)(x), build(Linear, 0.0)(x))


def test_a_whole_base_trains_with_this_layer_and_a_quantised_one_with_pefts() -> None:
    whole = LoadedBase(MODEL_FOLDER, "nf4", choose_device()).train_new(LoraSettings(r=4), 1)
    quantised = attach_new_adapter(load_model(MODEL_FOLDER, "nf4", choose_device()), 4, 16, 0.1, seed=1)
    kinds = [{type(module) for module in model.modules()} for model in (whole, quantised)]
    assert LoraLinear in kinds[0]
    assert LoraLinear not in kinds[1]


def test_an_adapter_of_this_layer_is_loaded_as_any_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("adapter")
    model = LoadedBase(MODEL_FOLDER, "nf4", choose_device()).train_new(LoraSettings(r=4), 1)
    save_fine_tune(model, folder / "adapter")
    plain = attach_saved_adapter(load_model(MODEL_FOLDER, "none", choose_device()), folder / "adapter")
    assert not any(isinstance(module, LoraLinear) for module in plain.modules())
