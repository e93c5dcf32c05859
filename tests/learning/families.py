"""Random models of other families than the embedded one's; for mechanics, never for a claim of quality."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
)

from embedded.paths import MODEL_FOLDER
from learning.base_model import load_tokenizer

SIZE: dict[str, Any] = {
    "vocab_size": 1_536,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
STILL: dict[str, Any] = {"attn_pdrop": 0, "resid_pdrop": 0, "embd_pdrop": 0}
"""No dropout of the model's own, as the other families have it."""
FAMILIES: dict[str, PretrainedConfig] = {
    "llama with grouped heads": LlamaConfig(**SIZE, num_key_value_heads=2),
    "gpt-neox": GPTNeoXConfig(**SIZE, rotary_pct=0.25),
    "qwen2": Qwen2Config(**SIZE, num_key_value_heads=2),
    "mistral": MistralConfig(**SIZE, num_key_value_heads=2, sliding_window=None),
    "granite, which scales its logits": GraniteConfig(**SIZE, num_key_value_heads=2, logits_scaling=3.0),
    "gpt2": GPT2Config(vocab_size=1_536, n_embd=64, n_layer=2, n_head=4, n_positions=512, **STILL),
}


def write_family(name: str, folder: Path) -> Path:
    """Write a model of a family with the embedded model's tokenizer."""
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(FAMILIES[name]).save_pretrained(folder)
    load_tokenizer(MODEL_FOLDER).save_pretrained(folder)
    return folder
