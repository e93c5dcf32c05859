"""What makes two computations the same: the ids of splits, studies, cells and evaluations.

A cell is known by its data, base model, hyperparameters, prompt and the version of the training code; what has the same
id is never computed twice. Loads no heavy library.
"""

from collections.abc import Sequence

from schemas.config import DecodingSettings, PromotionSettings, SplitSettings, StudyConfig, TrainingSettings
from schemas.identity import content_id
from schemas.plan import BaselinePlan, BaseModelPlan

TRAINING_VERSION = 4
"""Raised when the same settings would train to other weights."""

SCORING_VERSION = 2
"""Raised when the same model would score to other probabilities or draws."""

WITHOUT_EFFECT = {
    "micro_batch_size",
    "gradient_checkpointing",
    "side_by_side",
    "checkpoint_minutes",
    "checkpoint_steps",
    "retries",
}
"""Settings of a training that change memory, speed and safety, and not the gradient of a batch."""

FIRST_BASELINE_VERSION = 2
"""That of every baseline while they had one version in common; studies of that time keep their ids."""


def split_id(snapshot_id: str, split: SplitSettings) -> str:
    """The id of a snapshot split by these settings."""
    return content_id({"snapshot": snapshot_id, "split": split.model_dump(mode="json")})


def study_id(config: StudyConfig, snapshot_id: str, base: BaseModelPlan, baselines: Sequence[BaselinePlan]) -> str:
    """The id of a study, from what was resolved: headlines, base model, baselines and every setting that has an effect.

    Not how a path was spelled or a source was read, nor where it ran, nor thresholds of the gate: a study is judged
    once, whichever thresholds it runs with. Without the versions of the code, a study that runs again under another
    version would hold each cell twice.
    """
    spelled = {"name", "data", "base_model", "baselines", "promotion", "runner"}
    effective = config.model_dump(mode="json", exclude={"training": WITHOUT_EFFECT, **dict.fromkeys(spelled, True)})
    return content_id(
        {
            "settings": effective,
            "snapshot": snapshot_id,
            "base": [base.revision, base.quantization],
            "baselines": [plan.model_dump(mode="json") for plan in baselines],
            "versions": [TRAINING_VERSION, SCORING_VERSION],
        }
    )


def earlier_study_ids(
    config: StudyConfig, snapshot_id: str, base: BaseModelPlan, baselines: Sequence[BaselinePlan]
) -> list[str]:
    """The ids that earlier versions of fintone gave to this study; old homes keep theirs.

    None where a baseline has changed since: the old study would then hold it twice.
    """
    if any(plan.version != FIRST_BASELINE_VERSION for plan in baselines):
        return []
    defaults = {name: TrainingSettings.model_fields[name].get_default() for name in WITHOUT_EFFECT}
    training = config.training.model_copy(update=defaults)
    same = config.model_copy(update={"training": training, "promotion": PromotionSettings()})
    versions = [TRAINING_VERSION, FIRST_BASELINE_VERSION]
    rest = {"snapshot": snapshot_id, "base": base.revision, "versions": versions}
    return [content_id({"config": each.model_dump(mode="json", exclude={"runner"}), **rest}) for each in (same, config)]


def base_cell_id(config: StudyConfig, split: str, base: BaseModelPlan) -> str:
    """The id of the untouched base model on a split."""
    return content_id({"kind": "base", "split": split, **_model_identity(config, base)})


def fine_tuned_cell_id(
    config: StudyConfig, split: str, base: BaseModelPlan, learning_rate: float, epochs: int, seed: int
) -> str:
    """The id of one fine-tune."""
    identity = _training_identity(config, split, base, learning_rate, seed)
    return content_id({"kind": "fine-tuned", **identity, "epochs": epochs})


def training_id(config: StudyConfig, split: str, base: BaseModelPlan, learning_rate: float, seed: int) -> str:
    """The id of what fine-tunes have in common that differ in their number of epochs alone."""
    return content_id({"kind": "training", **_training_identity(config, split, base, learning_rate, seed)})


def baseline_cell_id(baseline: BaselinePlan, split: str) -> str:
    """The id of a baseline on a split."""
    identity = {"kind": "baseline", "name": baseline.name, "split": split, "version": baseline.version}
    revision = baseline.encoder_revision
    return content_id(identity if revision is None else {**identity, "encoder": revision})


def decoding_id(decoding: DecodingSettings) -> str:
    """The id of a way of sampling, whatever the temperature.

    The number of draws is left out: a later draw leaves the earlier ones as they are, and follows from probabilities
    that the ledger holds, so that whoever asks for more draws gets them without a scoring.
    """
    distribution = decoding.model_dump(mode="json", exclude={"temperatures", "draws"})
    return content_id({**distribution, "version": SCORING_VERSION})


def evaluation_id(
    cell: str, part: str, temperature: float | None, decoding: str | None, other_split: str | None = None
) -> str:
    """The id of one cell on one part at one temperature: of its own split, or of `other_split`."""
    identity = {"cell": cell, "part": part, "temperature": temperature, "decoding": decoding}
    return content_id(identity if other_split is None else {**identity, "split": other_split})


def _model_identity(config: StudyConfig, base: BaseModelPlan) -> dict[str, object]:
    return {
        "base": base.revision,
        "quantization": base.quantization,
        "prompt": config.prompt.model_dump(mode="json"),
        "precision": config.training.precision,
        "attention": config.training.attention,
    }


def _training_identity(
    config: StudyConfig, split: str, base: BaseModelPlan, learning_rate: float, seed: int
) -> dict[str, object]:
    return {
        "split": split,
        **_model_identity(config, base),
        "lora": config.lora.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json", exclude=WITHOUT_EFFECT),
        "learning_rate": learning_rate,
        "seed": seed,
        "version": TRAINING_VERSION,
    }
