"""Families of models by `model_type`: the encoders that can be fine-tuned, and models that cannot.

They are recognised only by the configuration. Once a model is loaded, `learning.scoring.probe` finds others that cannot
be fine-tuned.
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
"""Other encoders: each token attends to the whole text, unless the configuration has `is_decoder`."""

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
"""A state replaces keys and values; unlike those, it cannot be taken from the middle of a text."""

RELATIVE = frozenset({"bloom", "mpt"})
"""Positions are distances in the batch (ALiBi), whatever positions are passed. Some Falcons do the same."""
