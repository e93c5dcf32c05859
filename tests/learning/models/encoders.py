"""Random encoders of each family that is fine-tuned: they test mechanics, not quality."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    CamembertConfig,
    DebertaConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PretrainedConfig,
    RobertaConfig,
    XLMRobertaConfig,
    set_seed,
)

from embedded.paths import MODEL_FOLDER
from learning.kinds.encoder import KIND, EncoderModel
from learning.models.base_model import load_tokenizer
from learning.training.checkpoints import CheckpointStore
from learning.training.recipe import Recipe, Training, TrainingOutcome, TrainingStep
from schemas.cell import LoraSettings, PromptSettings, TrainingSettings
from schemas.label import Label

Labelled = tuple[list[str], list[Label]]
SIZE: dict[str, Any] = {
    "vocab_size": 1_536,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
TOKENS: dict[str, Any] = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
FAMILIES: dict[str, PretrainedConfig] = {
    "bert": BertConfig(**SIZE),
    "roberta": RobertaConfig(**SIZE, **TOKENS),
    "xlm-roberta": XLMRobertaConfig(**SIZE, **TOKENS),
    "camembert": CamembertConfig(**SIZE, **TOKENS),
    "distilbert": DistilBertConfig(
        vocab_size=1_536, dim=32, hidden_dim=64, n_layers=2, n_heads=2, max_position_embeddings=64
    ),
    "deberta": DebertaConfig(**SIZE),
    "deberta-v2": DebertaV2Config(**SIZE),
    "modernbert": ModernBertConfig(**SIZE, **TOKENS, cls_token_id=0, sep_token_id=2),
    "electra": ElectraConfig(**SIZE, embedding_size=16),
}


def make_encoder(folder: Path, family: str = "bert", labels: Sequence[str] | None = None) -> Path:
    """Write a random encoder with a tokenizer to a folder, with a head for the labels if any are given."""
    config = FAMILIES[family].__class__.from_dict(FAMILIES[family].to_dict())
    set_seed(1)
    if labels is None:
        model = AutoModel.from_config(config)
    else:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: number for number, label in enumerate(labels)}
        model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    tokenizer = load_tokenizer(MODEL_FOLDER)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(folder)
    return folder


def recipe(**changes: Any) -> Recipe:
    defaults: dict[str, Any] = {"learning_rate": 1e-3, "epochs": 1, "seed": 7, "schedule": "constant"}
    return Recipe(PromptSettings(), LoraSettings(r=4), TrainingSettings(loss="completion", **{**defaults, **changes}))


def load(folder: Path, precision: str = "auto") -> EncoderModel:
    settings = {"loss": "completion", "schedule": "constant", "precision": precision}
    return KIND.load(folder, "none", TrainingSettings.model_validate(settings))


def train(
    folder: Path,
    labelled: Labelled,
    output: Path,
    on_step: Callable[[TrainingStep], None] = lambda _: None,
    store: Path | None = None,
    pause_epoch: int | None = None,
    **changes: Any,
) -> TrainingOutcome:
    kept = CheckpointStore(store, "x") if store else None
    training = Training(recipe(**changes), output, kept, on_step, pause_epoch)
    [outcome] = load(folder, changes.get("precision", "auto")).train(*labelled, [training], lambda _: None)
    return outcome
