"""The ids of splits, studies, cells and evaluations; they decide whether two computations are the same.

A cell is identified by its data, base model, hyperparameters, prompt and the version of the training code. Nothing with
the same id is computed twice. Loads no heavy library.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from schemas.cell import OF_RECORD, TRAINED_UNTIL, WITHOUT_EFFECT, CellSettings, TrainingSettings
from schemas.config import StudyConfig
from schemas.evaluation import DecodingSettings, PromotionSettings, RaceSettings
from schemas.grid import SHORT_NAMES
from schemas.identity import content_id
from schemas.plan import BaselinePlan, BaseModelPlan
from schemas.settings import Settings
from schemas.split import OF_TIME, SplitSettings

TRAINING_CHANGES = {4: "the loss over a whole text is computed in parts, and rounds differently"}
"""For each version of the training code of causal models, why the same settings give other weights than before.

Other kinds of models have their own versions; see `learning.kinds.kind.ModelKind`.
"""

TRAINING_VERSION = max(TRAINING_CHANGES)

SCORING_VERSION = 2
"""Raised when the same model would give other probabilities or draws."""

FIRST_SETTINGS = {
    "data": {
        "source",
        "text_column",
        "label_column",
        "label_map",
        "encoding",
        "format",
        "delimiter",
        "header_row",
        "agreement",
        "duplicates",
        "conflicts",
        "near_duplicates",
        "max_rejected",
    },
    "split": {"method", "balance", "train_per_class", "test_per_class", "validation_per_class", "seed"},
    "base_model": {"name", "revision", "quantization"},
    "prompt": {"instruction", "label_words", "spellings"},
    "lora": {"r", "alpha", "dropout"},
    "training": {
        "loss",
        "batch_size",
        "schedule",
        "warmup_ratio",
        "decay_ratio",
        "weight_decay",
        "max_grad_norm",
        "precision",
        "optimizer",
        "attention",
    },
    "baselines": {"names", "embedding_model"},
    "decoding": {"temperatures", "top_k", "top_p", "draws", "seed"},
    "promotion": {"level", "min_accuracy", "max_unparsed_rate", "beat_baseline"},
}
"""Settings that are part of an id whatever their value. A setting that was added later is part only if not default."""

SIZES = ("balance", "train_per_class", "test_per_class", "validation_per_class", "seed")
"""Settings that only a drawn split uses."""

OF_ONE_SPLIT = ("method", "test_per_class")
"""Settings of a split that have no effect on folds."""

FIRST_KIND = "causal"
"""The only kind of model in the first versions; cells of that time keep their ids."""

FIRST_BASELINE_VERSION = 2
"""The version that all baselines shared in the first versions of fintone; studies of that time keep their ids."""


def split_id(
    snapshot_id: str,
    split: SplitSettings,
    given: Mapping[str, Collection[str]] | None = None,
    left_out: Collection[str] = (),
    windows: Sequence[Mapping[str, Sequence[str]]] = (),
) -> str:
    """The id of a snapshot split by these settings.

    Args:
        snapshot_id: The snapshot.
        split: The settings. Those without effect are not part of the id: sizes and seed under the methods `given` and
            `temporal`, the method and the size of test if there are folds.
        given: For the method `given`: the parts of each headline in the source.
        left_out: Headlines of the snapshot that are in no part because they are too long.
        windows: For the method `temporal`: the parts of each window, in place of the times that they follow from.
    """
    leave_out = OF_ONE_SPLIT if split.folds else () if split.is_drawn else (*SIZES, *OF_TIME)
    identity: dict[str, object] = {
        "snapshot": snapshot_id,
        "split": _identify(split, "split", leave_out),
    }
    if split.method == "temporal":
        identity["windows"] = content_id([dict(parts) for parts in windows])
    if split.method == "given":
        identity["given"] = content_id({headline: sorted(parts) for headline, parts in (given or {}).items()})
    return content_id(identity | ({"left_out": sorted(left_out)} if left_out else {}))


def fold_split_id(split: str, fold: int) -> str:
    """The id of a fold's split.

    Args:
        split: The id of all folds together.
        fold: The fold, from 1.
    """
    return content_id({"folds": split, "fold": fold})


def study_id(
    cell_ids: Iterable[str],
    curve_epochs: Sequence[int],
    decoding: DecodingSettings,
    race: RaceSettings | None = None,
) -> str:
    """The id of a study: its cells, the epoch curve that follows them, and how they are sampled.

    A cell's id covers the headlines, the split, the base model and every setting that has an effect, as they were
    resolved. So a study keeps its id if a path is spelled differently, if it runs elsewhere, or if the gate has other
    thresholds: a study is judged once, whatever the thresholds.

    Args:
        cell_ids: The ids of its cells.
        curve_epochs: The epochs of the curve.
        decoding: How its cells are sampled.
        race: How cells are dropped; None if none are.
    """
    sampled = decoding.model_dump(mode="json")
    identity = {"cells": sorted(set(cell_ids)), "curve": sorted(curve_epochs), "decoding": sampled}
    return content_id(identity | ({"race": race.model_dump(mode="json")} if race else {}))


def earlier_study_ids(
    config: StudyConfig, snapshot_id: str, base: BaseModelPlan, baselines: Sequence[BaselinePlan]
) -> list[str]:
    """The ids that earlier versions of fintone gave to this study; old homes keep them.

    Empty if the grid varies settings that could not vary then, or cells race.
    """
    alike = isinstance(config.grid, dict) and set(config.grid) <= {*SHORT_NAMES.values(), TRAINED_UNTIL}
    if config.search == "race" or not alike:
        return []
    spelled = {"name", "data", "base_model", "baselines", "promotion", "runner"}
    older = {
        "settings": _older_form(config, leave_out=WITHOUT_EFFECT, without=spelled),
        "snapshot": snapshot_id,
        "base": [base.revision, base.quantization],
        "baselines": [plan.model_dump(mode="json") for plan in baselines],
        "versions": [TRAINING_VERSION, SCORING_VERSION],
    }
    return [content_id(older), *_oldest_study_ids(config, snapshot_id, base, baselines)]


def _oldest_study_ids(
    config: StudyConfig, snapshot_id: str, base: BaseModelPlan, baselines: Sequence[BaselinePlan]
) -> list[str]:
    """The ids from the time when every setting was part of the id.

    Empty if a baseline has changed since: the old study would then have it twice.
    """
    if any(plan.version != FIRST_BASELINE_VERSION for plan in baselines):
        return []
    defaults = {name: TrainingSettings.model_fields[name].get_default() for name in WITHOUT_EFFECT}
    training = config.training.model_copy(update=defaults)
    same = config.model_copy(update={"training": training, "promotion": PromotionSettings()})
    rest = {"snapshot": snapshot_id, "base": base.revision, "versions": [TRAINING_VERSION, FIRST_BASELINE_VERSION]}
    forms = (_older_form(variant, leave_out={"side_by_side"}, without={"runner"}) for variant in (same, config))
    return [content_id({"config": form, **rest}) for form in forms]


def _older_form(config: StudyConfig, leave_out: Iterable[str], without: Iterable[str]) -> dict[str, Any]:
    """A study's settings as they were written when only three settings could vary, in a separate group.

    Args:
        config: The study.
        leave_out: Settings of its training to leave out.
        without: Groups of settings to leave out.
    """
    form = config.model_dump(
        mode="json", exclude={"study_name", "tags", "grid", "curve_epochs", "search", "race", *without}
    )
    groups = form.keys() & FIRST_SETTINGS.keys() - {"training"}
    form |= {name: _identify(getattr(config, name), name) for name in groups}
    for name in _later_defaults(config.training, "training"):
        del form["training"][name]
    grid = {name: list(config.varied.get(path, ())) for name, path in SHORT_NAMES.items()}
    for name, path in SHORT_NAMES.items():
        fixed = form["training"].pop(path.rpartition(".")[2])
        grid[name] = grid[name] or [fixed]
    for name in leave_out:
        del form["training"][name]
    return {**form, "grid": {**grid, "curve_epochs": list(config.curve_epochs)}}


def base_cell_id(settings: CellSettings, split: str, base: BaseModelPlan) -> str:
    """The id of the untouched base model on a split."""
    return content_id({"kind": "base", "split": split, **_model_identity(settings, base)})


def fine_tuned_cell_id(settings: CellSettings, split: str, base: BaseModelPlan) -> str:
    """The id of one fine-tune."""
    identity = _training_identity(settings, split, base)
    return content_id({"kind": "fine-tuned", **identity, "epochs": settings.training.epochs})


def training_id(settings: CellSettings, split: str, base: BaseModelPlan) -> str:
    """The id that fine-tunes share which differ only in their number of epochs."""
    return content_id({"kind": "training", **_training_identity(settings, split, base)})


def baseline_cell_id(baseline: BaselinePlan, split: str) -> str:
    """The id of a baseline on a split."""
    identity = {"kind": "baseline", "name": baseline.name, "split": split, "version": baseline.version}
    revision = baseline.encoder_revision
    return content_id(identity if revision is None else {**identity, "encoder": revision})


def decoding_id(decoding: DecodingSettings) -> str:
    """The id of a way of sampling, whatever the temperature.

    The number of draws is left out: a later draw does not change earlier ones and follows from stored probabilities, so
    more draws need no new scoring.
    """
    distribution = decoding.model_dump(mode="json", exclude={"temperatures", "draws"})
    return content_id({**distribution, "version": SCORING_VERSION})


def evaluation_id(
    cell: str, part: str, temperature: float | None, decoding: str | None, other_split: str | None = None
) -> str:
    """The id of the evaluation of a cell on a part of its split, or of `other_split`, at one temperature."""
    identity = {"cell": cell, "part": part, "temperature": temperature, "decoding": decoding}
    return content_id(identity if other_split is None else {**identity, "split": other_split})


def pause_id(cell: str, epoch: int, temperature: float, decoding: str) -> str:
    """The id of the evaluation of a cell on validation during its training, at the end of an epoch, for a race."""
    return content_id({"pause": cell, "epoch": epoch, "temperature": temperature, "decoding": decoding})


def _model_identity(settings: CellSettings, base: BaseModelPlan) -> dict[str, object]:
    return {
        "base": base.revision,
        "quantization": base.quantization,
        "prompt": _identify(settings.prompt, "prompt"),
        "precision": settings.training.precision,
        "attention": settings.training.attention,
        **_identify(settings.base_model, "base_model", leave_out={"name", "revision", "quantization"}),
        **({} if base.kind_of_model == FIRST_KIND else {"kind_of_model": base.kind_of_model}),
    }


def _training_identity(settings: CellSettings, split: str, base: BaseModelPlan) -> dict[str, object]:
    apart = {"learning_rate", "seed", "epochs"}
    return {
        "split": split,
        **_model_identity(settings, base),
        "lora": _identify(settings.lora, "lora"),
        "training": _identify(settings.training, "training", leave_out={*WITHOUT_EFFECT, *apart}),
        "learning_rate": settings.training.learning_rate,
        "seed": settings.training.seed,
        "version": base.training_version,
    }


def find_later_defaults(settings: CellSettings) -> dict[str, set[str]]:
    """The settings of a cell that were added after the first version and have their default, by group.

    Stored settings leave them out; old and new cells with the same settings are therefore equal.
    """
    found = {name: _later_defaults(getattr(settings, name), name) for name in type(settings).model_fields}
    return {name: names for name, names in found.items() if names}


def _later_defaults(group: Settings, name: str) -> set[str]:
    """The settings of a group that were added after the first version and have their default."""
    first = {*FIRST_SETTINGS[name], *WITHOUT_EFFECT, "learning_rate", "epochs", "seed"}
    return set(type(group).model_fields) - set(_identify(group, name)) - first


def _identify(group: Settings, name: str, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """The settings of a group that are part of an id: those of the first version, and others that are not the default.

    So a setting that is added later, with the former behaviour as its default, changes no id. Settings that only
    describe a base model are part of no id.
    """
    values = group.model_dump(mode="json", exclude={*leave_out, *OF_RECORD})
    fields = type(group).model_fields
    defaults = {path: fields[path].get_default(call_default_factory=True) for path in values}
    return {
        path: value
        for path, value in values.items()
        if path in FIRST_SETTINGS[name] or getattr(group, path) != defaults[path]
    }
