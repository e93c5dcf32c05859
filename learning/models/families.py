"""Families of models by `model_type`: the encoders that are fine-tuned, and what is not fine-tuned.

They are recognised by the configuration alone. `learning.scoring.probe` finds others that cannot be fine-tuned once a
model is loaded.
"""

CLASSIFIERS = frozenset(
    {
        "bert",
        "camembert",
        "deberta",
        "deberta-v2",
        "distilbert",
        "electra",
        "modernbert",
        "roberta",
        "xlm-roberta",
    }
)
"""Encoders that are fine-tuned as sequence classifiers. DeBERTa-v3 calls itself `deberta-v2`."""

ENCODERS = frozenset(
    {
        "albert",
        "bert-generation",
        "big_bird",
        "data2vec-text",
        "ernie",
        "megatron-bert",
        "mpnet",
        "nystromformer",
        "rembert",
        "roberta-prelayernorm",
        "roc_bert",
        "roformer",
        "xlm",
        "xlm-roberta-xl",
        "xlnet",
        "xmod",
    }
)
"""Other encoders: each token sees the whole text, unless the configuration says `is_decoder`."""

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
