"""Families, by `model_type`, that transformers loads as causal language models and that fintone does not fine-tune.

They are recognised by the configuration alone. `learning.scoring.probe` finds other families of these kinds once a
model is loaded.
"""

ENCODERS = frozenset(
    {
        "bert",
        "bert-generation",
        "big_bird",
        "camembert",
        "data2vec-text",
        "electra",
        "ernie",
        "megatron-bert",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "roc_bert",
        "roformer",
        "xlm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xlnet",
        "xmod",
    }
)
"""Each token sees the whole text, unless the configuration says `is_decoder`."""

RECURRENT = frozenset(
    {
        "bamba",
        "falcon_h1",
        "falcon_mamba",
        "granitemoehybrid",
        "jamba",
        "kimi_linear",
        "lfm2",
        "lfm2_moe",
        "mamba",
        "mamba2",
        "minimax",
        "nemotron_h",
        "olmo_hybrid",
        "qwen3_5_moe_text",
        "qwen3_5_text",
        "qwen3_next",
        "recurrent_gemma",
        "rwkv",
        "xlstm",
        "zamba",
        "zamba2",
    }
)
"""A state replaces keys and values, and cannot be taken from the middle of a text as those can."""

RELATIVE = frozenset({"bloom", "mpt"})
"""Positions are distances in the batch (ALiBi), whatever positions the model is given. Some Falcons do the same."""
