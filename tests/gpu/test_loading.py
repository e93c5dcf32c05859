"""A base on a GPU: 4-bit layers that compute there, or the same function with weights that are dequantised once."""

import pytest
import torch
from bitsandbytes.nn import Linear4bit

from embedded.paths import MODEL_FOLDER
from learning.models import loaded_base
from learning.models.device import Device, choose_device
from learning.models.loaded_base import LoadedBase
from tests.gpu.rounding import LOGITS

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("card")]


def find_quantised(base: LoadedBase) -> list[Linear4bit]:
    return [layer for layer in base.model.modules() if isinstance(layer, Linear4bit)]


@pytest.fixture
def quantised(device: Device, monkeypatch: pytest.MonkeyPatch) -> LoadedBase:
    """The base, loaded without memory for whole weights."""
    monkeypatch.setattr(loaded_base, "free_memory_bytes", lambda _: 0)
    return LoadedBase(MODEL_FOLDER, "nf4", device)


def test_arithmetic_is_in_16_bits_and_the_optimizer_is_paged_if_memory_is_short(quantised: LoadedBase) -> None:
    device = choose_device()
    assert device.name == "cuda"
    assert device.dtype in {torch.bfloat16, torch.float16}
    assert device.optimizer == "adamw_torch_fused"
    assert quantised.device.optimizer == "paged_adamw_32bit"


def test_without_memory_for_whole_weights_the_layers_stay_in_4_bits_on_the_device(
    quantised: LoadedBase, device: Device
) -> None:
    layers = find_quantised(quantised)
    assert not quantised.is_whole
    assert layers
    for layer in layers:
        state = layer.weight.quant_state
        assert (layer.weight.device.type, state.absmax.device.type) == (device.name, device.name)
        assert (layer.weight.dtype, state.quant_type) == (torch.uint8, "nf4")
        assert layer.compute_dtype is device.dtype
    assert {weight.device.type for weight in quantised.model.parameters()} == {device.name}


def test_weights_that_are_dequantised_once_give_the_logits_of_the_4_bit_layers(
    quantised: LoadedBase, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    whole = LoadedBase(MODEL_FOLDER, "nf4", device)
    assert whole.is_whole
    assert not find_quantised(whole)
    vocabulary = whole.model.config.vocab_size
    ids = torch.randint(vocabulary, (4, 60), generator=torch.Generator().manual_seed(1)).to(device.name)
    with torch.inference_mode():
        one, other = (base.model(input_ids=ids).logits for base in (whole, quantised))
    assert one.dtype is other.dtype is device.dtype
    assert (one.float() - other.float()).abs().max() <= LOGITS[device.dtype]
