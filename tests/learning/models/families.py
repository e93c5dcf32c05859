"""Random models of other families than the embedded one's: they test mechanics, not quality."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AutoModelForCausalLM,
    BartConfig,
    BertConfig,
    BloomConfig,
    FalconConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoConfig,
    GPTNeoXConfig,
    GptOssConfig,
    GraniteConfig,
    Lfm2Config,
    LlamaConfig,
    LlamaForSequenceClassification,
    MambaConfig,
    MistralConfig,
    MixtralConfig,
    MptConfig,
    OPTConfig,
    PretrainedConfig,
    Qwen2Config,
    RemBertConfig,
    RemBertForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from embedded.paths import MODEL_FOLDER
from learning.models.base_model import load_tokenizer

SIZE: dict[str, Any] = {
    "vocab_size": 1_536,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
STILL: dict[str, Any] = {"attn_pdrop": 0, "resid_pdrop": 0, "embd_pdrop": 0}
"""No dropout inside the model: the other families have none by default."""
FAMILIES: dict[str, PretrainedConfig] = {
    "llama with grouped heads": LlamaConfig(**SIZE, num_key_value_heads=2),
    "gpt-neox": GPTNeoXConfig(**SIZE, rotary_pct=0.25),
    "qwen2": Qwen2Config(**SIZE, num_key_value_heads=2),
    "mistral": MistralConfig(**SIZE, num_key_value_heads=2, sliding_window=None),
    "granite, which scales its logits": GraniteConfig(**SIZE, num_key_value_heads=2, logits_scaling=3.0),
    "mixtral, a mixture of experts": MixtralConfig(
        **SIZE, num_key_value_heads=2, num_local_experts=4, sliding_window=None, router_aux_loss_coef=0.5
    ),
    "gpt-oss, whose layers of experts return scores too": GptOssConfig(
        **SIZE, num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2, head_dim=16
    ),
    "gpt2": GPT2Config(vocab_size=1_536, n_embd=64, n_layer=2, n_head=4, n_positions=512, **STILL),
}


OTHERS: dict[str, PretrainedConfig] = {
    "bert as a decoder": BertConfig(**SIZE, is_decoder=True),
    "falcon": FalconConfig(**SIZE),
    "gemma3, for text only": Gemma3TextConfig(**SIZE, head_dim=16, num_key_value_heads=2),
    "llama whose rotation grows": LlamaConfig(
        **SIZE, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    ),
    "opt, whose positions are learnt": OPTConfig(
        vocab_size=1_536,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=128,
        word_embed_proj_dim=64,
        max_position_embeddings=256,
    ),
}
WINDOWS: dict[str, Callable[[int], PretrainedConfig]] = {
    "mistral": lambda size: MistralConfig(**SIZE, num_key_value_heads=2, sliding_window=size),
    "gemma3": lambda size: Gemma3TextConfig(
        **SIZE,
        head_dim=16,
        num_key_value_heads=2,
        sliding_window=size,
        layer_types=["sliding_attention", "full_attention"],
    ),
    "gpt-neo": lambda size: GPTNeoConfig(
        vocab_size=SIZE["vocab_size"],
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=size,
    ),
}
"""Models in whose layers a token attends only to the last ones."""


VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
LAYERS = {
    "decoder_layers": 2,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 128,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
}
UNFIT: dict[str, tuple[Any, str, str]] = {
    "an encoder": (
        lambda: AlbertForMaskedLM(AlbertConfig(**SIZE)),
        "is an encoder of a family that is not fine-tuned (AlbertForMaskedLM); give a BERT, RoBERTa, DeBERTa",
        "cannot be loaded (Unrecognized configuration class",
    ),
    "an encoder that was saved as a language model": (
        lambda: RemBertForCausalLM(RemBertConfig(**SIZE)),
        "is an encoder of a family that is not fine-tuned (RemBertForCausalLM); give a BERT, RoBERTa, DeBERTa",
        "RemBertForCausalLM looks at the words that follow, as an encoder does",
    ),
    "a classifier": (
        lambda: LlamaForSequenceClassification(LlamaConfig(**SIZE)),
        "is no causal language model but LlamaForSequenceClassification; give a causal language model",
        "lm_head.weight among them, are not in its *.safetensors",
    ),
    "an encoder with a decoder": (
        lambda: T5ForConditionalGeneration(T5Config(vocab_size=1_536, d_model=64, d_ff=128, num_layers=2, num_heads=4)),
        "is an encoder with a decoder (T5ForConditionalGeneration), which is not fine-tuned; give a causal",
        "cannot be loaded (Unrecognized configuration class",
    ),
    "the decoder of such a pair": (
        lambda: AutoModelForCausalLM.from_config(BartConfig(vocab_size=1_536, d_model=64, **LAYERS)),
        "",
        "BartForCausalLM gives other answers after a shared prefix than without one, and is not fine-tuned",
    ),
    "images and text": (
        lambda: Gemma3ForConditionalGeneration(
            Gemma3Config(text_config={**SIZE, "head_dim": 16, "num_key_value_heads": 2}, vision_config=VISION)
        ),
        "takes more than text (Gemma3ForConditionalGeneration), which is not fine-tuned; give a causal",
        "Gemma3ForConditionalGeneration takes no shared prefix, and is not fine-tuned",
    ),
    "a state space": (
        lambda: AutoModelForCausalLM.from_config(
            MambaConfig(vocab_size=1_536, hidden_size=64, num_hidden_layers=2, state_size=8)
        ),
        "is a recurrent model (MambaForCausalLM), which is not fine-tuned; give a causal language model",
        "MambaForCausalLM takes no shared prefix, and is not fine-tuned; give a causal language model",
    ),
    "convolutions": (
        lambda: AutoModelForCausalLM.from_config(
            Lfm2Config(**SIZE, num_key_value_heads=2, layer_types=["conv", "full_attention"])
        ),
        "is a recurrent model (Lfm2ForCausalLM), which is not fine-tuned; give a causal language model",
        "Lfm2ForCausalLM takes no shared prefix, and is not fine-tuned; give a causal language model",
    ),
    "bloom": (
        lambda: AutoModelForCausalLM.from_config(BloomConfig(vocab_size=1_536, hidden_size=64, n_layer=2, n_head=4)),
        "has ALiBi positions (BloomForCausalLM), which do not fit packed batches; give a causal language model",
        "BloomForCausalLM takes no shared prefix, and is not fine-tuned; give a causal language model",
    ),
    "mpt": (
        lambda: AutoModelForCausalLM.from_config(MptConfig(vocab_size=1_536, d_model=64, n_layers=2, n_heads=4)),
        "has ALiBi positions (MptForCausalLM), which do not fit packed batches; give a causal language model",
        "MptForCausalLM gives other answers after a shared prefix than without one, and is not fine-tuned",
    ),
    "falcon with alibi": (
        lambda: AutoModelForCausalLM.from_config(FalconConfig(**SIZE, alibi=True)),
        "has ALiBi positions (FalconForCausalLM), which do not fit packed batches; give a causal language model",
        "FalconForCausalLM takes no shared prefix, and is not fine-tuned; give a causal language model",
    ),
}
"""Models that cannot be fine-tuned, with the messages of the check of their files and of the probe of the model."""


def write_family(name: str, folder: Path) -> Path:
    """Write a model of a family with the embedded model's tokenizer."""
    torch.manual_seed(1)
    configs = {**FAMILIES, **OTHERS, **{f"{family} with a window": WINDOWS[family](20) for family in WINDOWS}}
    model = AutoModelForCausalLM.from_config(configs[name]) if name in configs else UNFIT[name][0]()
    model.save_pretrained(folder)
    load_tokenizer(MODEL_FOLDER).save_pretrained(folder)
    return folder
