"""Settings that mean nothing beside others, whatever the kind of model: without a decay there is no decay ratio."""

from schemas.cell import TrainingSettings

_DECAYING = "warmup-stable-decay"


def settle_training(training: TrainingSettings) -> TrainingSettings:
    """The settings of a training as they take effect."""
    if training.schedule == _DECAYING:
        return training
    return training.model_copy(update={"decay_ratio": TrainingSettings.model_fields["decay_ratio"].default})


def ignored_by_schedule(training: TrainingSettings) -> tuple[str, ...]:
    """The settings that mean nothing to the schedule."""
    return () if training.schedule == _DECAYING else ("training.decay_ratio",)
