"""All baselines: every module of `learning.baselines.kinds` adds one."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from learning.baselines import kinds
from learning.baselines.kind import BaselineKind
from schemas.errors import InputError
from schemas.evaluation import DEFAULT_BASELINES, BaselineSettings
from schemas.nearest import did_you_mean
from schemas.plan import BaselinePlan, EncoderPlan


def load_kinds() -> dict[str, BaselineKind]:
    """All kinds of baselines by name."""
    modules = (import_module(f"{kinds.__name__}.{found.name}") for found in iter_modules(kinds.__path__))
    return {module.BASELINE.name: module.BASELINE for module in modules}


def find_kind(name: str) -> BaselineKind:
    """The kind with this name.

    Raises:
        InputError: No kind has this name.
    """
    known = load_kinds()
    if name not in known:
        words = ["all", "default", *sorted(known)]
        hint = did_you_mean(name, words)
        raise InputError(f"baselines.names: '{name}' is no baseline{hint}; there are {', '.join(words)}")
    return known[name]


def choose_kinds(settings: BaselineSettings) -> Iterator[BaselineKind]:
    """The baselines of a study: those that it names, and those that use its encoder, if it has one.

    Raises:
        InputError: A name is unknown, or that of a baseline which `baselines.embedding_model` switches on.
    """
    for name in dict.fromkeys(spell_out(settings.names)):
        kind = find_kind(name)
        if kind.needs_encoder:
            raise InputError(
                f"baselines.names: '{name}' needs an encoder; leave it out and set baselines.embedding_model"
            )
        yield kind
    if settings.embedding_model:
        yield from (kind for kind in load_kinds().values() if kind.needs_encoder)


def spell_out(names: Iterable[str]) -> Iterator[str]:
    """The names, with `all` and `default` replaced by the names that they mean; `all` begins with the default ones."""
    for name in names:
        if name in ("all", "default"):
            yield from DEFAULT_BASELINES
        else:
            yield name
        if name == "all":
            yield from (kind.name for kind in load_kinds().values() if not kind.needs_encoder)


def plan_baselines(settings: BaselineSettings, encoder: EncoderPlan | None = None) -> tuple[BaselinePlan, ...]:
    """The plan of each baseline of a study: the values that identify it.

    Raises:
        InputError: As `choose_kinds` does.
    """
    revision = encoder.revision if encoder else None
    return tuple(
        BaselinePlan(name=kind.name, version=kind.version, encoder_revision=revision if kind.needs_encoder else None)
        for kind in choose_kinds(settings)
    )
